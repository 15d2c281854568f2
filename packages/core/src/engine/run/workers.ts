/** The senders of a run: each takes a batch off its route's lane, sends it and takes the next. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { StateFailure } from "../../state/errors.ts"
import type { RunContext } from "./context.ts"
import { letCallsLeave } from "./letCallsLeave.ts"
import { capacity, isBatchDue, type RouteState } from "./routeState.ts"
import { send } from "./send.ts"
import { spoolRows } from "./spooling.ts"

/**
 * Runs `body`, which puts rows on the lanes, while the senders empty them; then flushes what is left and waits for it.
 * After a halt, batches in flight get `graceMillis` to be answered and committed (rule 11).
 */
export const withSenders = <E extends { readonly message: string; readonly _tag: string }>(
  ctx: RunContext,
  graceMillis: number,
  body: Effect.Effect<void, E>,
): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const state of ctx.states) state.flushing = false
    const senders = yield* Effect.forEach(ctx.states, (state) => forkSenders(ctx, state))
    yield* body.pipe(
      ctx.halt.guard(`source ${ctx.pipeline.source.endpoint.name}`),
      Effect.raceFirst(ctx.halt.requested),
    )
    for (const state of ctx.states) {
      state.flushing = true
      state.work.openUnsafe()
    }
    const finished = Fiber.awaitAll(senders.flat())
    const late = ctx.halt.requested.pipe(Effect.andThen(Effect.sleep(graceMillis)))
    yield* Effect.raceFirst(Effect.asVoid(finished), late)
    yield* Fiber.interruptAll(senders.flat())
  })

const forkSenders = (ctx: RunContext, state: RouteState) =>
  Effect.gen(function* () {
    const guard = ctx.halt.guard(`sink ${state.route.sink.endpoint.name}`)
    const fork = (body: Effect.Effect<void, StateFailure>) => Effect.forkChild(guard(body))
    const { jobs, limits, repeatable } = state.writer
    const senders = yield* Effect.replicateEffect(fork(work(ctx, state, always)), limits.concurrency ?? 1)
    // One batch is made ready beyond those at the vendor; not where a crash would leave it in doubt, nor before the first
    // answer has told whether the mapping is right (rule 13).
    if (repeatable) senders.push(yield* fork(work(ctx, state, () => state.answered)))
    if (jobs !== undefined && state.spools) senders.push(yield* fork(spoolRows(ctx, state, jobs)))
    return senders
  })

const always = () => true

const work = (ctx: RunContext, state: RouteState, mayTake: () => boolean): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    const { lane } = state
    while (ctx.halt.current() === undefined && state.stopped === undefined) {
      const entries = isBatchDue(state) && mayTake() ? lane.take() : []
      if (entries.length > 0) {
        yield* send(ctx, state, entries)
      } else if (state.flushing && lane.waiting() === 0 && !isSpooling(state)) {
        return
      } else {
        state.work.closeUnsafe()
        yield* Effect.raceFirst(state.work.await, ctx.halt.requested)
      }
    }
    // A stopped route takes nothing more: READ must not wait for it, nor its spool and other senders for rows.
    state.room.openUnsafe()
    state.work.openUnsafe()
  })

/** More rows may come out of the spool. */
const isSpooling = (state: RouteState): boolean => state.jobOpen || state.lane.spooled() > 0

/** Waits until the routes can hold another page (rule 12). */
export const awaitRoom = (ctx: RunContext, pageSize: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const state of ctx.states) {
      while (state.lane.waiting() + state.ready >= capacity(state, pageSize) && state.stopped === undefined) {
        state.blocking = true
        state.room.closeUnsafe()
        state.work.openUnsafe()
        yield* state.room.await
        // Room is made as a batch goes out.
        yield* letCallsLeave
      }
      state.blocking = false
    }
  })
