/**
 * How many writes run at once and how large they are: more while they are answered soon and cleanly, half as many when
 * they take long, meet locks, or are too many at once. Salesforce bounds the calls that take longer than 20 seconds, so
 * those are what there must not be.
 */
import { monotonicMillis } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

export const CHUNK_ROWS = 200
export const MOST_CHUNKS = 5
const FEWEST_ROWS = 25

/** Well below the 20 seconds from which a call counts as long. */
const LONG_MILLIS = 15_000
const SHORT_MILLIS = 5_000
/** Rows of a call that meet a lock, from which on fewer calls meet fewer. */
const LOCKED_PART = 0.02

export interface Pace {
  /** Rows of a chunk. */
  readonly rows: () => number
  /** Chunks that can follow each other in a call before it takes long. */
  readonly chunks: () => number
  readonly concurrency: () => number
  /** Makes a call in its turn, and learns from how long it took for so many chunks. */
  readonly through: <A, E>(chunks: number, call: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly locked: (rows: number, of: number) => void
  readonly crowded: () => void
}

export const makePace = (most: number): Pace => {
  const turns = Semaphore.makeUnsafe(most)
  let concurrency = most
  let rows = CHUNK_ROWS
  let chunkMillis = 0

  const halve = () => {
    concurrency = Math.max(1, concurrency / 2)
  }

  const learn = (millis: number, chunks: number) => {
    chunkMillis = millis / chunks
    if (millis >= LONG_MILLIS) {
      halve()
      if (chunks === 1) rows = Math.max(FEWEST_ROWS, Math.floor(rows / 2))
      return
    }
    concurrency = Math.min(most, concurrency + 1 / concurrency)
    if (chunkMillis < SHORT_MILLIS) rows = Math.min(CHUNK_ROWS, Math.ceil(rows * 1.25))
  }

  const crowded = () => {
    halve()
    rows = Math.max(FEWEST_ROWS, Math.floor(rows / 2))
  }

  return {
    rows: () => rows,
    chunks: () => Math.max(1, Math.min(MOST_CHUNKS, Math.floor(LONG_MILLIS / Math.max(1, chunkMillis)))),
    concurrency: () => Math.floor(concurrency),
    through: (chunks, call) =>
      turns.withPermit(
        Effect.gen(function* () {
          const started = yield* monotonicMillis
          // What is not answered may have taken too long: the next ones are smaller.
          const result = yield* Effect.tapError(call, () => Effect.sync(crowded))
          learn((yield* monotonicMillis) - started, chunks)
          yield* turns.resize(Math.floor(concurrency))
          return result
        }),
      ),
    locked: (locked, of) => {
      if (locked > of * LOCKED_PART) halve()
    },
    crowded,
  }
}
