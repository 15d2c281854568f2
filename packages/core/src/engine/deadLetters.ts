/** Dead letters, for the people who look after them: list, show, retry, drop. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Cipher } from "../state/cipher.ts"
import { findDeadLetters, type ListedDeadLetter } from "../state/deadLetters.ts"
import { StateError, type StateFailure, stateFailure } from "../state/errors.ts"
import { chunked } from "../state/ledger.ts"
import { type LockHeld, RunLock } from "../state/lock.ts"
import { makeFencedTransaction, raiseFence, unsettledRoutes } from "../state/runs.ts"
import type { Pipeline } from "./pipeline.ts"
import type { PipelineReport } from "./report.ts"
import { letterPlace } from "./run/judge.ts"
import type { RunOptions, RunServices } from "./run/options.ts"
import { replay } from "./run/recover.ts"
import { defaultGrace, recover, runPipeline, type Work } from "./run/run.ts"
import { withSenders } from "./run/workers.ts"

export interface DeadLetterFilter {
  /** A pipeline's id: `<file>.<pipeline>`. */
  readonly pipeline?: string
  readonly route?: string
  readonly numbers?: ReadonlyArray<number>
}

/** Newest first, without payloads: nothing here is a person's data but the record's id. */
export const listDeadLetters = (
  filter: DeadLetterFilter & { readonly limit?: number },
): Effect.Effect<ReadonlyArray<ListedDeadLetter>, StateFailure, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const found = yield* findDeadLetters(sql, filter)
    return found.map((letter) => ({ ...letter, payload: null }))
  }).pipe(Effect.mapError(stateFailure))

export interface ShownDeadLetter {
  readonly letter: ListedDeadLetter
  /** JSON of `{ record, row }`, opened. Null where the file says `payload: none` or a crash took it. */
  readonly payload: string | null
}

export const showDeadLetter = (
  number: number,
): Effect.Effect<ShownDeadLetter, StateFailure, SqlClient.SqlClient | Cipher> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const cipher = yield* Cipher
    const letter = (yield* findDeadLetters(sql, { numbers: [number] }))[0]
    if (letter === undefined) return yield* new StateError({ message: `there is no dead letter ${number}` })
    const payload =
      letter.payload === null ? null : yield* cipher.open(letter.payload, letterPlace(letter.ns, letter.id))
    return { letter: { ...letter, payload: null }, payload }
  }).pipe(Effect.mapError(stateFailure))

/** Tries dead letters again, as a run would: under the lock, after recovery, by today's mapping. */
export const retryDeadLetters = (
  pipeline: Pipeline,
  filter: Pick<DeadLetterFilter, "route" | "numbers">,
  options: Pick<RunOptions, "stop" | "graceMillis" | "onEvent" | "versions"> = {},
): Effect.Effect<PipelineReport, LockHeld | StateFailure, RunServices> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const work: Work = (ctx, given) =>
      Effect.gen(function* () {
        // Under the lock: what an earlier run has closed meanwhile is not sent over something newer.
        const letters = yield* findDeadLetters(sql, { ...filter, pipeline: pipeline.id, limit: 1_000_000 }).pipe(
          Effect.mapError(stateFailure),
          ctx.halt.guard("state"),
        )
        if (letters === undefined) return
        const grace = given.graceMillis ?? defaultGrace
        yield* withSenders(ctx, grace, recover(ctx))
        // Recovery has just tried the deferred ones.
        const chosen = letters.filter((letter) => letter.kind !== "deferred")
        const replays = Effect.gen(function* () {
          for (const state of ctx.states) {
            yield* replay(
              ctx,
              state,
              chosen.filter(({ ns }) => ns === state.ns),
            )
          }
        })
        if (ctx.halt.current() === undefined) yield* withSenders(ctx, grace, replays)
      })
    return yield* runPipeline(pipeline, options, work)
  })

/** Gives dead letters up: their records are sent again only when they change. Returns how many. */
export const dropDeadLetters = (
  filter: DeadLetterFilter & { readonly pipeline: string },
): Effect.Effect<number, LockHeld | StateFailure, SqlClient.SqlClient | RunLock> =>
  exclusively(
    filter.pipeline,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const letters = yield* findDeadLetters(sql, { ...filter, limit: 1_000_000 })
      yield* chunked(
        letters.map(({ number }) => number),
        (part) => sql`DELETE FROM dead_letters WHERE ${sql.in("number", part)}`,
      )
      return letters.length
    }),
  )

/** Changes the state of a pipeline by hand: under its lock and fence, and never over a batch that may be under way. */
export const exclusively = <A, E extends { readonly message: string }, R>(
  pipeline: string,
  change: Effect.Effect<A, E, R>,
): Effect.Effect<A, LockHeld | StateFailure, R | SqlClient.SqlClient | RunLock> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* (yield* RunLock).acquire(pipeline)
    const guarded = Effect.gen(function* () {
      const fence = yield* raiseFence(sql, pipeline)
      const open = (yield* unsettledRoutes(sql, pipeline))[0]
      if (open !== undefined) {
        const message = `an interrupted run of ${pipeline} left rows of ${open.route} in ${open.account} whose outcome is not recorded; run it once with that account, then try again`
        return yield* new StateError({ message })
      }
      return yield* makeFencedTransaction(sql, pipeline, fence)(change)
    })
    return yield* guarded.pipe(Effect.mapError(stateFailure))
  }).pipe(Effect.scoped)
