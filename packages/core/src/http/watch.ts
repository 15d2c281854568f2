/** What who looks on learns of calls on their way: which attempt one is, and that one waits. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Within the sending of a request: whose it is. */
export interface Attempt {
  /** As the plugin calls it: `users.search`. */
  readonly call: string
  /** From 1. */
  readonly attempt: number
}

/** Undefined for requests that a plugin sends without `makeApi`. */
export const CurrentAttempt = Context.Reference<Attempt | undefined>("@sluice/core/CurrentAttempt", {
  defaultValue: () => undefined,
})

/** A call does not go out for so long, which is a second or more. */
export interface Wait {
  /** The name in the pipeline file; empty outside of a pipeline. */
  readonly connection: string
  /** limit: the vendor's rate limit. retry: it did not answer, or failed. */
  readonly why: "limit" | "retry"
  readonly millis: number
}

/** Told of waits that a person would notice. */
export const CurrentWaiting = Context.Reference<(wait: Wait) => Effect.Effect<void>>("@sluice/core/CurrentWaiting", {
  defaultValue: () => () => Effect.void,
})

/** Shorter waits are nobody's news. */
export const noticeable = 1000
