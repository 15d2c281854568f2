/** What a conformance case is: an effect on a clock of its own that fails with what is wrong. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { CurrentLimiters, makeLimiters } from "../http/limiter.ts"

export interface ConformanceCase {
  readonly title: string
  /** Brings its own clock. Undefined: it holds. A text: it does not apply to this plugin, and why. */
  readonly effect: Effect.Effect<string | undefined, ConformanceError>
}

export class ConformanceError extends Schema.TaggedError<ConformanceError>()("ConformanceError", {
  message: Schema.String,
}) {}

export const fail = (message: string) => Effect.fail(new ConformanceError({ message }))

export const expect = (holds: boolean, message: string) => (holds ? Effect.void : fail(message))

/** What should have worked failed. */
export const unexpected =
  (what: string) =>
  (error: {
    readonly _tag: string
    readonly message: string
    readonly reason?: { readonly _tag: string }
  }): ConformanceError =>
    new ConformanceError({ message: `${what} failed: ${error.reason?._tag ?? error._tag}: ${error.message}` })

/** A case whose body answers with a text where it does not apply, on a clock that moves by itself, with rate limits that no other case has used up. */
export const onClock = (title: string, body: Effect.Effect<unknown, ConformanceError, Scope>): ConformanceCase => ({
  title,
  effect: Effect.scoped(body).pipe(
    Effect.map((verdict) => (typeof verdict === "string" ? verdict : undefined)),
    (effect) => Effect.raceFirst(effect, passTime),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    Effect.provide(TestClock.layer()),
  ),
})

/** A day: ten minutes by the second, the rest by the half minute. */
const passTime = Effect.gen(function* () {
  for (let second = 0; second < 600; second += 1) yield* TestClock.adjust("1 second")
  for (let second = 600; second < 24 * 3600; second += 30) yield* TestClock.adjust("30 seconds")
  return yield* fail("it did not end within a day")
})

/** A suite's factory may give a value or an effect of it. */
export const given = <A>(made: A | Effect.Effect<A>): Effect.Effect<A> =>
  Effect.isEffect(made) ? made : Effect.succeed(made)
