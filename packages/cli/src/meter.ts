/** Counts what happens in a run as metrics, for whoever collects them. */
import type { RunEvent, Traffic } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

type Attributes = Readonly<Record<string, string>>

const counters = {
  read: Metric.counter("sluice.records.read", { description: "Records read from sources", incremental: true }),
  rows: Metric.counter("sluice.rows", { description: "Rows by route and what became of them", incremental: true }),
  calls: Metric.counter("sluice.calls", { description: "Requests to vendors, attempts included", incremental: true }),
  throttled: Metric.counter("sluice.calls.throttled", { description: "Answers of 429", incremental: true }),
  waited: Metric.counter("sluice.waits", {
    description: "Time spent waiting for rate limits",
    incremental: true,
    attributes: { unit: "ms" },
  }),
  runs: Metric.counter("sluice.runs", { description: "Runs by how they ended", incremental: true }),
}

const OUTCOMES = [
  "created",
  "updated",
  "deleted",
  "accepted",
  "unchanged",
  "filtered",
  "superseded",
  "rejected",
  "in_doubt",
  "pending",
] as const

/** Events hold sums of their run, counters grow by what is new. */
export const makeMeter = (): ((event: RunEvent) => Effect.Effect<void>) => {
  const before = new Map<string, number>()

  const add = (name: keyof typeof counters, attributes: Attributes, sum: number) => {
    const key = JSON.stringify([name, attributes])
    const more = sum - (before.get(key) ?? 0)
    before.set(key, sum)
    return more > 0 ? Metric.update(Metric.withAttributes(counters[name], attributes), more) : Effect.void
  }

  const counted = (
    pipeline: string,
    { read, routes }: Pick<RunEvent & { readonly _tag: "Progress" }, "read" | "routes">,
    connections: Readonly<Record<string, Traffic>>,
  ) => [
    add("read", { pipeline }, read),
    ...Object.entries(routes).flatMap(([route, counts]) =>
      OUTCOMES.map((outcome) => add("rows", { pipeline, route, outcome }, counts[outcome])),
    ),
    ...Object.entries(connections).flatMap(([connection, { calls, throttled, waited_ms }]) => [
      add("calls", { pipeline, connection }, calls),
      add("throttled", { pipeline, connection }, throttled),
      add("waited", { pipeline, connection }, waited_ms),
    ]),
  ]

  return (event) => {
    switch (event._tag) {
      case "Started":
      case "Waiting":
      case "Job":
      case "Notice":
        return Effect.void
      case "Progress":
        return Effect.all(counted(event.pipeline, event, event.connections), { discard: true })
      case "Finished": {
        const { report, connections } = event
        const ended = add("runs", { pipeline: report.pipeline, status: report.status }, 1)
        return Effect.all([...counted(report.pipeline, report, connections), ended], { discard: true })
      }
    }
  }
}
