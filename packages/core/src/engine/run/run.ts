/** Runs pipelines: one after the other, each under its lock, each with a report that accounts for every record. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { Meter } from "../../http/meter.ts"
import { CurrentWaiting, type Wait } from "../../http/watch.ts"
import type { SourceError } from "../../plugin/errors.ts"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import { type LockHeld, RunLock } from "../../state/lock.ts"
import { makeRuns, raiseFence } from "../../state/runs.ts"
import type { Pipeline } from "../pipeline.ts"
import type { PipelineReport, RunEvent, RunReport } from "../report.ts"
import type { RunContext } from "./context.ts"
import { type Halt, haltOf, makeHalt } from "./halt.ts"
import type { Opening, RunOptions, RunServices } from "./options.ts"
import { newRunId, prepare, trafficOf } from "./prepare.ts"
import { hasOpenRoute, readPages, takePage } from "./read.ts"
import { reconcile, scanKeys } from "./reconcile.ts"
import { recoverAbandoned, recoverJobs, recoverMarks, replay } from "./recover.ts"
import { makeReport } from "./reporting.ts"
import { commitFrontier, restartScan } from "./settle.ts"
import { withSenders } from "./workers.ts"

/** Milliseconds for batches in flight after a stop, where the caller does not say. */
export const defaultGrace = 25_000

/**
 * Runs each pipeline to its end. Fails where nothing could be begun: a held lock, an unreadable state. Of several
 * pipelines, one that cannot begin is reported as failed and the others run.
 */
export const run = (
  pipelines: ReadonlyArray<Pipeline>,
  options: RunOptions = {},
): Effect.Effect<RunReport, LockHeld | StateFailure, RunServices> =>
  Effect.gen(function* () {
    const reports: Array<PipelineReport> = []
    for (const pipeline of pipelines) {
      const report = yield* runPipeline(pipeline, options, transfer).pipe(
        Effect.catch((error) => (pipelines.length === 1 ? Effect.fail(error) : refused(pipeline, options, error))),
      )
      reports.push(report)
      if (report.status === "interrupted") break
    }
    return { ok: reports.length === pipelines.length && reports.every((report) => report.ok), pipelines: reports }
  })

const refused = (pipeline: Pipeline, options: RunOptions, error: LockHeld | StateFailure) =>
  Effect.gen(function* () {
    const halt = yield* makeHalt
    yield* halt.stop(haltOf(error))
    const startMillis = yield* Clock.currentTimeMillis
    return yield* makeReport(
      { pipeline, options, runId: "", startMillis, fence: 0, halt, meters: new Map() },
      undefined,
    )
  })

/** What is done between the opening of a pipeline and its report. */
export type Work = (ctx: RunContext, options: RunOptions) => Effect.Effect<void>

/** Takes the lock and the fence, opens the pipeline, recovers what an earlier run left, does `work` and reports. */
export const runPipeline = (
  pipeline: Pipeline,
  options: RunOptions,
  work: Work,
): Effect.Effect<PipelineReport, LockHeld | StateFailure, RunServices> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* (yield* RunLock).acquire(pipeline.id)
    const startMillis = yield* Clock.currentTimeMillis
    const runId = yield* newRunId
    const fence = yield* raiseFence(sql, pipeline.id).pipe(Effect.mapError(stateFailure))
    const runs = makeRuns(sql)
    const startedAt = DateTime.formatIso(DateTime.makeUnsafe(startMillis))
    yield* runs.start({ id: runId, pipeline: pipeline.id, started_at: startedAt }).pipe(Effect.mapError(stateFailure))
    const halt = yield* makeHalt
    if (options.stop !== undefined) yield* Effect.forkScoped(options.stop.pipe(Effect.andThen(halt.stop(interrupted))))

    const meters = new Map<string, Meter>()
    const opening: Opening = { pipeline, options, runId, startMillis, fence, halt, meters }
    const context = yield* open(opening)
    if (context !== undefined) yield* work(context, options)
    const report = yield* makeReport(opening, context)
    yield* end(sql, report)
    yield* Effect.annotateCurrentSpan({ "sluice.run_id": runId, "sluice.status": report.status })
    yield* options.onEvent?.({ _tag: "Finished", report, connections: trafficOf(meters) }) ?? Effect.void
    return report
  }).pipe(
    Effect.scoped,
    Effect.provideService(CurrentWaiting, waiting(pipeline, options)),
    Effect.withSpan("sluice.run", { attributes: { "sluice.pipeline": pipeline.id } }, { captureStackTrace: false }),
  )

const waiting =
  (pipeline: Pipeline, { onEvent }: RunOptions) =>
  (wait: Wait) =>
    onEvent?.({ _tag: "Waiting", pipeline: pipeline.name, ...wait }) ?? Effect.void

const interrupted: Halt = {
  status: "interrupted",
  code: "Interrupted",
  message: "stopped on request; the next run resumes here",
}

/** Opens the pipeline, or halts the run with what stood in the way. A stop while opening ends it too. */
const open = (opening: Opening): Effect.Effect<RunContext | undefined, never, RunServices | Scope> =>
  Effect.gen(function* () {
    const { halt, options, pipeline, runId } = opening
    const context = yield* prepare(opening).pipe(
      halt.guard("opening the pipeline"),
      Effect.raceFirst(Effect.as(halt.requested, undefined)),
    )
    if (context === undefined) return undefined
    const started: RunEvent = {
      _tag: "Started",
      pipeline: pipeline.name,
      run_id: runId,
      source: pipeline.source.endpoint.name,
      expected: options.estimate === true ? yield* expected(context, options) : undefined,
    }
    yield* options.onEvent?.(started) ?? Effect.void
    return context
  })

/** A run does not fail for want of a number. */
const expected = (ctx: RunContext, options: RunOptions): Effect.Effect<number | undefined> => {
  const { reader, request } = ctx
  if (reader.estimate === undefined) return Effect.succeed(options.limit)
  return reader.estimate(request).pipe(
    Effect.map(({ records }) => (records === undefined ? options.limit : Math.min(records, options.limit ?? records))),
    Effect.catchCause(() => Effect.succeed(options.limit)),
    Effect.raceFirst(Effect.as(ctx.halt.requested, options.limit)),
  )
}

const end = (sql: SqlClient.SqlClient, report: PipelineReport): Effect.Effect<void> =>
  Effect.gen(function* () {
    const at = DateTime.formatIso(yield* DateTime.now)
    // The report has been made: that it cannot be filed is not worth losing it.
    yield* Effect.ignore(makeRuns(sql).end(report.run_id, report.status, JSON.stringify(report), at))
  })

/** RECOVER, READ and END of the commit protocol. */
const transfer: Work = (ctx, options) =>
  Effect.gen(function* () {
    const grace = options.graceMillis ?? defaultGrace
    yield* withSenders(ctx, grace, recover(ctx))
    if (ctx.halt.current() === undefined) yield* withSenders(ctx, grace, read(ctx, options))
    const isComplete = () => isWhole(ctx, options)
    if (isComplete()) yield* withSenders(ctx, grace, reconcileDeletions(ctx, options))
    yield* commitFrontier(ctx, "now").pipe(ctx.halt.guard("state"))
    if (isComplete()) yield* finishScan(ctx).pipe(ctx.halt.guard("state"))
  })

/** The whole scan was read and every row of it is settled, on every route. */
const isWhole = (ctx: RunContext, options: RunOptions): boolean =>
  ctx.halt.current() === undefined &&
  options.limit === undefined &&
  options.since === undefined &&
  ctx.states.every((state) => state.stopped === undefined)

export const recover = (ctx: RunContext): Effect.Effect<void, StateFailure | SourceError> =>
  Effect.gen(function* () {
    yield* recoverAbandoned(ctx)
    for (const state of ctx.states) {
      yield* recoverMarks(ctx, state)
      yield* recoverJobs(ctx, state)
      const deferred = yield* state.letters.ofKind("deferred").pipe(Effect.mapError(stateFailure))
      yield* replay(ctx, state, deferred)
    }
  })

const read = (ctx: RunContext, { limit }: RunOptions) =>
  Effect.gen(function* () {
    ctx.notices.push(...ctx.scan.lost)
    const restarted = Effect.gen(function* () {
      ctx.notices.push("the source no longer accepts the saved position: the scan starts over")
      yield* restartScan(ctx)
    })
    yield* readPages(ctx, { request: ctx.request, limit, each: (page) => takePage(ctx, page, limit), restarted })
    ctx.scanned = limit === undefined && hasOpenRoute(ctx)
  })

const reconcileDeletions = (ctx: RunContext, options: RunOptions) =>
  Effect.gen(function* () {
    if (!ctx.pipeline.stream.spec.snapshot || !(ctx.scan.tracksKeys || options.reconcile === true)) return
    yield* commitFrontier(ctx, "now")
    const scan = ctx.scan.tracksKeys ? ctx.scan.id : yield* scanKeys(ctx)
    const completeness = yield* ctx.reader.completeness ?? Effect.undefined
    // P02: what a scan with a gap did not see may well be there.
    if (completeness?.gap !== undefined) ctx.notices.push("deletions were not looked for: the scan has a gap")
    else yield* reconcile(ctx, scan, options.allowDeletes ?? 0)
    if (!ctx.scan.tracksKeys) yield* ctx.transact(ctx.checkpoints.clearSeen(scan))
  })

/** The scan is done: a full one starts from nothing next time, an incremental one from its last position. */
const finishScan = (ctx: RunContext): Effect.Effect<void, StateFailure> =>
  ctx
    .transact(
      Effect.gen(function* () {
        const saved = Option.getOrUndefined(yield* ctx.checkpoints.load)
        const position = ctx.pipeline.sync === "full" ? Option.none() : (saved?.position ?? ctx.request.from)
        const at = DateTime.formatIso(yield* DateTime.now)
        yield* ctx.checkpoints.save({ covers: ctx.scan.covers, position, scan: ctx.scan.id, open: false }, at)
        yield* ctx.checkpoints.clearSeen(ctx.scan.id)
      }),
    )
    .pipe(Effect.asVoid)
