/** Asks again where Persona answered that a later attempt may succeed, each time as a new request. */
import { type Batch, type Row, SinkError, Unavailable } from "@sluice/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Schedule from "effect/Schedule"
import type { Reply } from "./api.ts"
import type { Trouble } from "./errors.ts"

/** After an answer an attempt needs a key of its own; after silence it keeps the one it had (`api.ts`). */
export type KeyOf = (attempt: number) => string

/**
 * Two halves of a hash: a key names no person, and two rows of a batch never share one. A batch keeps its id over
 * retries, and its attempt grows with each answer.
 */
export const keyOf =
  ({ id, attempt }: Pick<Batch, "id" | "attempt">, row: Pick<Row, "id">): KeyOf =>
  (nth) => {
    const digest = [row.id, ` ${row.id} `].map((text) => (Hash.string(text) >>> 0).toString(36)).join("")
    return [id, attempt, digest, nth].join("-")
  }

type Passing = Extract<Trouble, { readonly _tag: "Stale" | "Failed" }>

type Failed = Extract<Trouble, { readonly _tag: "Failed" }>

/** What is left of a reply: a row that still changes meanwhile can wait, a service that fails cannot be asked more. */
export type Settled<A> = Exclude<Reply<A>, Failed>

class Again extends Data.TaggedError("Again")<{ readonly trouble: Passing }> {}

const isPassing = <A>(reply: Reply<A>): reply is Passing => reply._tag === "Stale" || reply._tag === "Failed"

const waits = Schedule.exponential("250 millis").pipe(Schedule.jittered)
const MOST_RETRIES = 4

/** `ask` is given the number of the attempt, from 1. */
export const attempts = <A>(
  ask: (nth: number) => Effect.Effect<Reply<A>, SinkError>,
): Effect.Effect<Settled<A>, SinkError> => {
  let nth = 0
  return Effect.suspend(() => ask(++nth)).pipe(
    Effect.flatMap(
      (reply): Effect.Effect<Settled<A>, Again> =>
        isPassing(reply) ? Effect.fail(new Again({ trouble: reply })) : Effect.succeed(reply),
    ),
    Effect.retry({ while: (error) => error._tag === "Again", schedule: waits, times: MOST_RETRIES }),
    Effect.catchTag("Again", ({ trouble }) =>
      trouble._tag === "Stale"
        ? Effect.succeed(trouble)
        : Effect.fail(new SinkError({ reason: new Unavailable({ message: trouble.message, inDoubt: true }) })),
    ),
  )
}
