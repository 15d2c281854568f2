/** Writes the rows of a batch side by side; after an outage none is begun, and what is known goes with the error. */
import { type Outcome, type Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"

/** Rows in flight at once; the rate limit paces their calls. */
const CONCURRENCY = 8

export const settleEach = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  write: (row: Row) => Effect.Effect<Outcome, SinkError>,
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  let failure: SinkError | undefined
  const outcomes = yield* Effect.forEach(
    rows,
    (row) =>
      Effect.suspend(() => (failure === undefined ? write(row) : Effect.succeed(undefined))).pipe(
        Effect.catch((error) => {
          failure ??= error
          return Effect.succeed(undefined)
        }),
      ),
    { concurrency: CONCURRENCY },
  )
  const settled = outcomes.filter((outcome) => outcome !== undefined)
  if (failure === undefined) return settled
  return yield* new SinkError({ reason: failure.reason, ...(settled.length > 0 ? { settled } : {}) })
})
