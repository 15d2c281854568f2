/** `sluice run`: runs pipelines and reports what became of every record. */
import { run } from "@sluice/core"
import * as Effect from "effect/Effect"
import { exitOfReport } from "../exit.ts"
import { Host } from "../host.ts"
import { checkRoutes, choose, loadToConnect } from "../load.ts"
import { LogFormat } from "../logs.ts"
import { layer } from "../node/index.ts"
import { observedRun } from "../observed.ts"
import { tellingOfFailure } from "../onFailure.ts"
import { typed } from "../pasteable.ts"
import { present } from "../present.ts"
import { renderReport } from "../render/report.ts"
import { logTeller, progressTeller } from "../telling.ts"
import { versions } from "../version.ts"

export interface RunInput {
  readonly file: string
  readonly pipelines: ReadonlyArray<string>
  readonly routes: ReadonlyArray<string>
  readonly limit: number | undefined
  readonly since: string | undefined
  readonly fullRefresh: boolean
  readonly force: boolean
  readonly reconcile: boolean
  readonly allowDeletes: number | undefined
  readonly grace: number
  readonly onFailure: string | undefined
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

export const handler = (input: RunInput) =>
  runFile(input).pipe(
    Effect.tap(({ exit, report }) =>
      present(report, {
        json: input.json,
        render: (value, page) => renderReport(value, page, { file: typed(input.file, input.envFile) }),
        exit,
      }),
    ),
    tellingOfFailure(input),
    Effect.asVoid,
  )

const runFile = Effect.fnUntraced(function* (input: RunInput) {
  const host = yield* Host
  const { plan, env } = yield* loadToConnect(input)
  const pipelines = yield* choose(plan.pipelines, input.pipelines)
  yield* checkRoutes(pipelines, input.routes)
  const graceMillis = input.grace * 1000
  yield* host.drains(graceMillis)
  const teller = (yield* LogFormat) === "json" ? logTeller() : yield* progressTeller
  const options = {
    ...(input.routes.length === 0 ? {} : { routes: input.routes }),
    ...(input.limit === undefined ? {} : { limit: input.limit }),
    ...(input.since === undefined ? {} : { since: input.since }),
    ...(input.allowDeletes === undefined ? {} : { allowDeletes: input.allowDeletes }),
    fullRefresh: input.fullRefresh,
    force: input.force,
    reconcile: input.reconcile,
    stop: Effect.andThen(host.stopRequested, teller.stopping),
    graceMillis,
    estimate: host.live,
    versions: versions(),
  }
  const report = yield* observedRun(env, teller.on, (onEvent) => run(pipelines, { ...options, onEvent })).pipe(
    Effect.provide(layer({ stateFile: input.state, env })),
    Effect.ensuring(teller.end),
  )
  return { report, exit: exitOfReport(report, yield* host.signal) }
})
