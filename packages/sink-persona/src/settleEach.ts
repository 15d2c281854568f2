/** Writes the rows of a batch side by side; after an outage none is begun, and what is known goes with the error. */
import { Outcome, type Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"

/** Rows in flight at once; the rate limit paces their calls. */
const CONCURRENCY = 8

const mayHaveWritten = ({ reason }: SinkError): boolean =>
  reason._tag === "Protocol" || (reason._tag === "Unavailable" && reason.inDoubt)

/** Of several failures the one that leaves a row unknown: after it the engine asks again with the same keys. */
const graver = (one: SinkError | undefined, other: SinkError): SinkError =>
  one === undefined || (mayHaveWritten(other) && !mayHaveWritten(one)) ? other : one

const unwritten = ({ id }: Row, message: string): Outcome => Outcome.Deferred({ id, message })

/** Nothing was written yet when this failed: no row of the batch is in doubt. */
export const beforeWriting = (rows: ReadonlyArray<Row>) =>
  Effect.mapError(
    ({ reason }: SinkError) =>
      new SinkError({ reason, settled: rows.map((row) => unwritten(row, "Persona: nothing was written yet")) }),
  )

/** `repeatable`: a row whose answer was lost is left to the engine, who writes it again. Otherwise it is in doubt. */
export const settleEach = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  write: (row: Row) => Effect.Effect<Outcome, SinkError>,
  { repeatable }: { readonly repeatable: boolean },
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  let failure: SinkError | undefined

  const failed = (row: Row, error: SinkError): Outcome | undefined => {
    failure = graver(failure, error)
    if (!mayHaveWritten(error)) return unwritten(row, error.message)
    return repeatable ? undefined : Outcome.InDoubt({ id: row.id, message: error.message })
  }

  const outcomes = yield* Effect.forEach(
    rows,
    (row) =>
      Effect.suspend(() =>
        failure === undefined ? write(row) : Effect.succeed(unwritten(row, "Persona: not begun after an outage")),
      ).pipe(Effect.catch((error) => Effect.succeed(failed(row, error)))),
    { concurrency: CONCURRENCY },
  )
  const settled = outcomes.filter((outcome) => outcome !== undefined)
  if (failure === undefined) return settled
  return yield* new SinkError({ reason: failure.reason, ...(settled.length > 0 ? { settled } : {}) })
})
