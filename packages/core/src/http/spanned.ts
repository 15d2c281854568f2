/** Spans of what there is much of: calls and pages. */
import * as Effect from "effect/Effect"
import type { SpanOptions } from "effect/Tracer"
import { apart } from "./apart.ts"

/**
 * A span around `self`, which does not see its result, where somebody has given a tracer. Effect's own keeps what it is
 * told to itself, and a span of it costs as much as the rest of a call.
 */
export const spanned = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  name: string,
  options: () => SpanOptions,
): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ cache }) =>
    cache.tracer === undefined
      ? self
      : apart(self, (made) => Effect.withSpan(made, name, { captureStackTrace: false, ...options() })),
  )
