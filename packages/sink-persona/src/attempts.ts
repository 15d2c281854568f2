/** Asks again where Persona answered that a later attempt may succeed, each time as a new request. */
import { SinkError, Unavailable } from "@sluice/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Reply } from "./api.ts"
import type { Trouble } from "./errors.ts"

type Passing = Extract<Trouble, { readonly _tag: "Stale" | "Failed" }>

type Failed = Extract<Trouble, { readonly _tag: "Failed" }>

/** What is left of a reply: a row that still changes meanwhile can wait, a service that fails cannot be asked more. */
export type Settled<A> = Exclude<Reply<A>, Failed>

class Again extends Data.TaggedError("Again")<{ readonly trouble: Passing }> {}

const isPassing = <A>(reply: Reply<A>): reply is Passing => reply._tag === "Stale" || reply._tag === "Failed"

const waits = Schedule.exponential("250 millis").pipe(Schedule.jittered)
const MOST_RETRIES = 4

export const attempts = <A>(ask: () => Effect.Effect<Reply<A>, SinkError>): Effect.Effect<Settled<A>, SinkError> =>
  Effect.suspend(ask).pipe(
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
