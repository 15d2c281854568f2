/** `sluice runs`: what ran, when, and how it ended. */
import { listRuns, showRun } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { present } from "../present.ts"
import { renderReport } from "../render/report.ts"
import { listed, renderRuns, reportOf } from "../render/runs.ts"
import { type StateInput, withState } from "../state.ts"
import { missing } from "../troubles.ts"

export interface ListInput extends StateInput {
  readonly pipeline: string | undefined
  readonly failed: boolean
  readonly limit: number
  readonly json: boolean
}

export interface ShowInput extends StateInput {
  readonly id: string
  readonly json: boolean
}

export const list = {
  handler: Effect.fnUntraced(function* (input: ListInput) {
    const { limit, failed, pipeline } = input
    const runs = yield* withState(input, listRuns({ limit, failed, ...(pipeline === undefined ? {} : { pipeline }) }))
    yield* present(runs.map(listed), { json: input.json, render: renderRuns, exit: EXIT.done })
  }),
}

export const show = {
  handler: Effect.fnUntraced(function* (input: ShowInput) {
    const run = yield* withState(input, showRun(input.id)).pipe(
      missing(`there is no run ${input.id}`, "`sluice runs list` shows the ids"),
    )
    const report = reportOf(run)
    yield* present(report ?? listed(run), {
      json: input.json,
      render: (value, page) =>
        "run_id" in value && "routes" in value
          ? renderReport({ ok: value.ok, pipelines: [value] }, page, { versions: true })
          : renderRuns([listed(run)], page),
      exit: EXIT.done,
    })
  }),
}
