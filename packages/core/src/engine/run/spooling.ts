/** Rows go to disk until there are enough for a vendor job, or until it is known that there are not. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { JobWriter } from "../../plugin/sink.ts"
import type { StateFailure } from "../../state/errors.ts"
import type { Line } from "../../state/spool.ts"
import type { RunContext } from "./context.ts"
import type { Entry } from "./entry.ts"
import { makeJob, runJob } from "./job.ts"
import { jobRows, type RouteState, spoolPage } from "./routeState.ts"
import { bringBack, spooledRow } from "./spooled.ts"

/** A spool waits no longer for more rows, however slow the source is. */
const maxAgeMillis = 600_000

interface OpenSpool {
  readonly batch: string
  readonly openedMillis: number
  /** Lines written so far, replaced ones too. */
  lines: number
  /** Of their canonical JSON. */
  bytes: number
}

/**
 * Spools the rows of a route, and closes the spool when it is full, old or the last one: its rows become a job where that
 * is worth it, else batches. The next spool fills while a job goes on, and closes when that has ended.
 */
export const spoolRows = (ctx: RunContext, state: RouteState, jobs: JobWriter): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    const { lane } = state
    let open: OpenSpool | undefined
    let running: Fiber.Fiber<void> | undefined
    while (ctx.halt.current() === undefined && state.stopped === undefined) {
      // From here to the latch nothing else runs: who opens it meanwhile is not missed.
      const now = yield* Clock.currentTimeMillis
      const next = nextRows(state, jobs, open)
      if (next.length > 0) {
        open ??= openSpool(ctx, now)
        yield* append(ctx, state, open, next)
      } else if (open !== undefined && lane.isQuiet() && mustClose(state, jobs, open, now)) {
        if (running === undefined) {
          running = yield* close(ctx, state, jobs, open)
          open = undefined
        } else {
          // Nothing of the job before it is on its way any more, but it may still be putting its spool away.
          yield* Fiber.join(running)
          running = undefined
        }
      } else if (state.flushing && lane.isEmpty()) {
        break
      } else {
        state.work.closeUnsafe()
        // An old spool that waits for a job is told when that is over.
        yield* Effect.raceAllFirst([state.work.await, ctx.halt.requested, untilOld(lane.isQuiet() ? open : undefined)])
      }
    }
    if (running !== undefined) yield* Fiber.join(running)
    // Nothing of an open spool was handed over: its rows are pending, and are read again.
    if (open !== undefined) yield* ctx.transact(state.jobs.drop(open.batch))
  })

const openSpool = (ctx: RunContext, openedMillis: number): OpenSpool => {
  ctx.batches += 1
  return { batch: `${ctx.runId}.${ctx.batches}`, openedMillis, lines: 0, bytes: 0 }
}

/** A page of rows for the spool; less where READ waits or nothing more comes; none where it is full. */
const nextRows = (state: RouteState, jobs: JobWriter, open: OpenSpool | undefined): ReadonlyArray<Entry> => {
  const { lane } = state
  const page = spoolPage(state)
  if (lane.incoming() < page && !state.flushing && !state.blocking) return []
  const rows = Math.min(page, jobRows(jobs) - lane.spooled())
  return lane.nextForSpool({ rows, bytes: (jobs.limits.bytes ?? Number.POSITIVE_INFINITY) - (open?.bytes ?? 0) })
}

const append = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  open: OpenSpool,
  entries: ReadonlyArray<Entry>,
) {
  const isFirst = open.lines === 0
  const opened = isFirst
    ? Effect.asVoid(state.jobs.put({ batch: open.batch, ref: null, rows: null, bytes: 0 }))
    : Effect.void
  const lines = entries.map((entry): Line => {
    entry.line = open.lines++
    return { line: entry.line, spooled: spooledRow(ctx, entry) }
  })
  yield* ctx.transact(Effect.andThen(opened, state.spool.append(open.batch, lines)))
  for (const { bytes } of entries) open.bytes += bytes
  state.lane.spool(entries)
  state.room.openUnsafe()
})

/** Asked when the spool takes no rows: those that wait do not fit, are too few yet, or there are none. */
const mustClose = (state: RouteState, jobs: JobWriter, open: OpenSpool, now: number): boolean => {
  const { lane } = state
  const isFull = lane.spooled() >= jobRows(jobs) || lane.incoming() >= spoolPage(state)
  return isFull || state.flushing || state.blocking || now - open.openedMillis >= maxAgeMillis
}

const untilOld = (open: OpenSpool | undefined): Effect.Effect<void> =>
  open === undefined
    ? Effect.never
    : Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(open.openedMillis + maxAgeMillis - now))

/** Starts a job, or sends the rows in batches. Nothing of the route is in flight now. */
const close = Effect.fnUntraced(function* (ctx: RunContext, state: RouteState, jobs: JobWriter, open: OpenSpool) {
  const { lane } = state
  if (lane.spooled() === 0 || !jobs.worth(lane.spooled())) {
    yield* bringBack(ctx, state, open.batch, lane.spooledLines())
    lane.takeReplacedLines()
    return undefined
  }
  const replaced = lane.takeReplacedLines()
  const entries = lane.launch()
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  state.jobOpen = true
  const stored = { batch: open.batch, ref: null, rows: entries.length, bytes }
  yield* ctx.transact(Effect.andThen(state.spool.remove(open.batch, replaced), state.jobs.put(stored)))
  const job = makeJob(stored, entries, true)
  const over = Effect.sync(() => {
    state.jobOpen = false
    state.work.openUnsafe()
  })
  // Nobody waits for it yet: what goes wrong must end the run by itself.
  const guard = ctx.halt.guard(`sink ${state.route.sink.endpoint.name}`)
  return yield* Effect.forkChild(guard(runJob(ctx, state, jobs, job)).pipe(Effect.ensuring(over)))
})
