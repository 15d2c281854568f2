/** `sluice run`: runs pipelines and reports what became of every record. */
import { type RunEvent, run } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { exitOfReport } from "../exit.ts"
import { Host } from "../host.ts"
import { checkRoutes, choose, load } from "../load.ts"
import { layer } from "../node/index.ts"
import { present } from "../present.ts"
import { makeProgress } from "../render/progress.ts"
import { renderReport } from "../render/report.ts"

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
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string
}

export const handler = Effect.fnUntraced(function* (input: RunInput) {
  const host = yield* Host
  const { plan, env } = yield* load(input)
  const pipelines = yield* choose(plan.pipelines, input.pipelines)
  yield* checkRoutes(pipelines, input.routes)
  const graceMillis = input.grace * 1000
  yield* host.drains(graceMillis)
  const stop = Effect.andThen(
    host.stopRequested,
    host.err("\nstopping: finishing what is in flight; a second signal ends at once\n"),
  )
  const progress = makeProgress(host.errPage, host.live)
  const onEvent = (event: RunEvent) =>
    Clock.currentTimeMillis.pipe(Effect.flatMap((now) => host.err(progress.on(event, now) ?? "")))
  const ticking = Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => host.err(progress.tick(now) ?? "")),
    Effect.delay("1 second"),
    Effect.forever,
  )
  if (host.live) yield* Effect.forkChild(ticking)
  const report = yield* run(pipelines, {
    ...(input.routes.length === 0 ? {} : { routes: input.routes }),
    ...(input.limit === undefined ? {} : { limit: input.limit }),
    ...(input.since === undefined ? {} : { since: input.since }),
    ...(input.allowDeletes === undefined ? {} : { allowDeletes: input.allowDeletes }),
    fullRefresh: input.fullRefresh,
    force: input.force,
    reconcile: input.reconcile,
    stop,
    graceMillis,
    onEvent,
    estimate: host.live,
  }).pipe(
    Effect.provide(layer({ stateFile: input.state, env })),
    Effect.ensuring(Effect.suspend(() => host.err(progress.end()))),
  )
  yield* present(report, {
    json: input.json,
    render: renderReport,
    exit: exitOfReport(report, yield* host.signal),
  })
})
