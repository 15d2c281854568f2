/** `sluice runs`: what ran, when, and how it ended. */
import { listRuns, type PipelineReport, type StoredRun, showRun } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { present } from "../present.ts"
import { renderReport } from "../render/report.ts"
import { table } from "../render/table.ts"
import { clean, duration, type Page } from "../render/text.ts"
import { type StateInput, withState } from "../state.ts"
import { missing } from "../troubles.ts"

export interface ListInput extends StateInput {
  readonly pipeline: string | undefined
  readonly limit: number
  readonly json: boolean
}

export interface ShowInput extends StateInput {
  readonly id: string
  readonly json: boolean
}

/** A run as printed: times in ISO 8601, the status the state has. */
interface ListedRun {
  readonly run_id: string
  readonly pipeline: string
  readonly status: string
  readonly started_at: string
  readonly ended_at: string | null
}

const listed = ({ id, pipeline, status, started_at, ended_at }: StoredRun): ListedRun => ({
  run_id: id,
  pipeline,
  status,
  started_at,
  ended_at,
})

export const list = {
  handler: Effect.fnUntraced(function* (input: ListInput) {
    const filter = { limit: input.limit, ...(input.pipeline === undefined ? {} : { pipeline: input.pipeline }) }
    const runs = yield* withState(input, listRuns(filter))
    yield* present(runs.map(listed), { json: input.json, render: renderList, exit: EXIT.done })
  }),
}

const columns = [
  { title: "run" },
  { title: "pipeline", least: 12 },
  { title: "status" },
  { title: "started UTC" },
  { title: "took", align: "right" as const },
]

const renderList = (runs: ReadonlyArray<ListedRun>, { style, width }: Page): string => {
  if (runs.length === 0) return "no runs yet"
  const rows = runs.map((run) => [
    clean(run.run_id),
    clean(run.pipeline),
    { text: run.status, paint: run.status === "completed" ? style.green : style.red },
    clean(run.started_at.slice(5, 16).replace("T", " ")), // the id has the year and the seconds
    run.ended_at === null ? "" : duration(Date.parse(run.ended_at) - Date.parse(run.started_at)),
  ])
  return table(columns, rows, width, style.dim).join("\n")
}

export const show = {
  handler: Effect.fnUntraced(function* (input: ShowInput) {
    const run = yield* withState(input, showRun(input.id)).pipe(
      missing(`there is no run ${input.id}`, "`sluice runs list` shows the ids"),
    )
    const report = run.ended_at === null ? undefined : parse(run.report)
    yield* present(report ?? listed(run), {
      json: input.json,
      render: (value, page) =>
        "run_id" in value && "routes" in value
          ? renderReport({ ok: value.ok, pipelines: [value] }, page)
          : renderList([listed(run)], page),
      exit: EXIT.done,
    })
  }),
}

/** Written by this program, into a state that only it writes. */
const parse = (text: string | null): PipelineReport | undefined => (text === null ? undefined : JSON.parse(text))
