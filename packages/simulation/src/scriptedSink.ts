/** A sink plugin that a script makes fail: before and after the write, for one row, for a batch, without an answer. */
import {
  type Batch,
  BatchRefused,
  type Outcome,
  Protocol,
  QuotaExhausted,
  RateLimited,
  type Row,
  type Sink,
  SinkError,
  type SinkReason,
  Unavailable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"
import type { Disk } from "./disk.ts"
import { makeFlight } from "./flight.ts"
import { type JobTally, makeJobOracles } from "./jobOracles.ts"
import { makeJobQueue } from "./jobQueue.ts"
import type { Machine } from "./machine.ts"
import { makeObjects } from "./objects.ts"
import type { Probe } from "./oracles.ts"
import type { JobScenario, RouteScenario } from "./scenario.ts"
import { scriptedJobs } from "./scriptedJobs.ts"

export interface SinkScript {
  readonly machine: Machine
  readonly disk: Disk
  readonly destination: Destination
  readonly dice: Dice
  readonly scenario: RouteScenario
  readonly tally: JobTally
  readonly isCalm: () => boolean
  readonly faults: () => number
  /** Probability that a row is not taken for now. */
  readonly busy: () => number
  readonly latencyMillis: () => number
  readonly turned: () => void
  readonly contentOf: (row: Row) => string
  readonly isRefused: (row: Row) => boolean
}

export interface ScriptedSink extends Probe {
  readonly sink: Sink
}

const lasting = (reason: SinkReason, settled?: ReadonlyArray<Outcome>) =>
  new SinkError({ reason, ...(settled === undefined ? {} : { settled }) })

export const scriptedSink = (script: SinkScript): ScriptedSink => {
  const { machine, destination, dice, scenario } = script
  const { route, repeatable } = destination.options
  const partitionOf = scenario.partitions ? (row: Row) => String(row.id.charCodeAt(row.id.length - 1) % 2) : undefined
  const objects = makeObjects(script)
  const flight = makeFlight(machine, route, partitionOf)
  const writing = new Map<string, ReadonlyArray<Row>>()
  let recent: Array<ReadonlyArray<Row>> = []
  let acknowledged = 0

  const take = (rows: ReadonlyArray<Row>, isSilent = false): ReadonlyArray<Outcome> =>
    rows.map((row) => objects.take(row, { isSilent }))

  type Answer = { readonly outcomes: ReadonlyArray<Outcome> } | { readonly error: SinkError }

  const answer = (rows: ReadonlyArray<Row>): Answer => {
    if (scenario.refusesBatches && rows.some((row) => row.change === "upsert" && script.isRefused(row))) {
      return { error: lasting(new BatchRefused({ message: "one of them is bad", code: "poison" })) }
    }
    if (!dice.chance(script.faults())) return { outcomes: take(rows) }
    const done = rows.slice(0, dice.below(rows.length + 1))
    switch (dice.below(7)) {
      case 0:
        return { error: lasting(new Unavailable({ message: "away", inDoubt: false })) }
      case 1:
        return { error: lasting(new RateLimited({ message: "slow down", retryAfterMillis: 700 })) }
      case 2:
        return { error: lasting(new QuotaExhausted({ message: "used up" })) }
      case 3:
        take(done, true)
        return { error: lasting(new Unavailable({ message: "cut", inDoubt: true })) }
      case 4:
        take(rows, true)
        return { error: lasting(new Protocol({ message: "garbled" })) }
      case 5: {
        // Some are known, of the rest one may have been written.
        const known = take(done)
        take(rows.slice(done.length, done.length + 1), true)
        return { error: lasting(new Unavailable({ message: "cut", inDoubt: true }), known) }
      }
      default:
        return { error: lasting(new Unavailable({ message: "away after some", inDoubt: false }), take(done)) }
    }
  }

  const lose = (rows: ReadonlyArray<Row>): void => {
    destination.lost(rows.map((row) => row.id))
    for (const row of rows) {
      destination.attempted(row.id, row.change === "delete" ? undefined : script.contentOf(row))
    }
  }

  /** Returns how many are delivered. */
  const told = (outcomes: ReadonlyArray<Outcome>): number => {
    const delivered = outcomes.filter((outcome) => outcome._tag === "Delivered").map((outcome) => outcome.id)
    destination.answered(delivered)
    for (const { id, _tag } of outcomes) {
      // A later dead letter takes the place of the one that said what is in doubt: the one repeat that is not prevented.
      if (_tag !== "Delivered" && destination.track(id)?.doubtful === true) destination.attempted(id, "?")
    }
    return delivered.length
  }

  const tell = (rows: ReadonlyArray<Row>, given: Answer): void => {
    const outcomes = "outcomes" in given ? given.outcomes : (given.error.settled ?? [])
    const known = new Set(outcomes.map((outcome) => outcome.id))
    const rest = rows.filter((row) => !known.has(row.id))
    acknowledged += told(outcomes)
    if ("error" in given) {
      const { reason } = given.error
      const isLost = reason._tag === "Protocol" || (reason._tag === "Unavailable" && reason.inDoubt)
      if (isLost) lose(rest)
    }
  }

  const enter = (batch: Batch): void => {
    flight.enter(batch.id, batch.rows)
    if (batch.rows.length > scenario.rows) machine.violate("limits", `${route}: a batch of ${batch.rows.length}`)
    writing.set(batch.id, batch.rows)
  }

  const leave = (batch: Batch): void => {
    flight.leave(batch.id)
    writing.delete(batch.id)
  }

  const makeJobs = (scenario: JobScenario) => {
    const queue = makeJobQueue({ ...script, objects, ...scenario, silent: () => script.faults() / 4 })
    const oracles = makeJobOracles({ ...script, queue, flight, lose, scenario })
    return { queue, oracles, writer: scriptedJobs({ ...script, scenario, queue, oracles, lose, told }) }
  }
  const jobs = scenario.jobs === undefined ? undefined : makeJobs(scenario.jobs)

  const write = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, SinkError> =>
    Effect.gen(function* () {
      enter(batch)
      yield* Effect.sleep(script.latencyMillis())
      const label = `write ${route} ${batch.rows.map((row) => `${row.change === "delete" ? "-" : ""}${row.id}`).join(" ")}`
      const given = yield* machine.operation(
        label,
        Effect.sync(() => {
          jobs?.queue.catchUp()
          jobs?.queue.landUnknown()
          return answer(batch.rows)
        }),
      )
      machine.note("outcomes" in given ? given.outcomes.map((each) => each._tag).join(" ") : given.error.reason._tag)
      script.turned()
      yield* Effect.sleep(script.latencyMillis())
      tell(batch.rows, given)
      leave(batch)
      // A sender settles a batch before it takes the next: no more than these can be unsettled when the power goes.
      recent = [...recent, batch.rows].slice(-scenario.concurrency)
      return "outcomes" in given ? given.outcomes : yield* given.error
    })

  const sink: Sink = {
    name: "scripted",
    config: Schema.Struct({}),
    objects: { things: { description: "Anything.", options: Schema.Struct({}), deletes: ["delete"] } },
    open: () =>
      Effect.succeed({
        identify: machine.operation("identify sink", Effect.succeed({ account: route, label: route })),
        writer: () =>
          Effect.succeed({
            limits: {
              rows: scenario.rows,
              concurrency: scenario.concurrency,
              ...(scenario.bytes === undefined ? {} : { bytes: scenario.bytes }),
            },
            repeatable,
            ...(partitionOf === undefined ? {} : { partition: partitionOf }),
            write,
            ...(jobs === undefined ? {} : { jobs: jobs.writer }),
          }),
      }),
  }

  return {
    sink,
    died: () => {
      jobs?.queue.catchUp()
      lose([...recent.flat(), ...[...writing.values()].flat()])
      jobs?.oracles.died()
    },
    ended: () => {
      jobs?.queue.catchUp()
      jobs?.oracles.checkKept()
    },
    acknowledged: () => {
      const { least, most } = jobs?.oracles.acknowledged() ?? { least: 0, most: 0 }
      return { least: acknowledged + least, most: acknowledged + most }
    },
    began: () => {
      jobs?.queue.catchUp()
      if (script.isCalm()) jobs?.queue.landUnknown()
      acknowledged = 0
      recent = []
      writing.clear()
      flight.clear()
      jobs?.oracles.began()
    },
  }
}
