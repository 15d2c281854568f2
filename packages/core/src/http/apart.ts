/** Keeps a result out of what runs around an effect. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * Runs `self` within `around`, which does not see its result. A span and a forked fiber keep the result they end with,
 * and the objects of a socket know both and live until a major collection: with them, so would each page of data.
 */
export const apart = <A, E, R, E2, R2>(
  self: Effect.Effect<A, E, R>,
  around: (self: Effect.Effect<void, E, R>) => Effect.Effect<void, E2, R2>,
): Effect.Effect<A, E2, R2> =>
  Effect.suspend(() => {
    let kept = Option.none<A>()
    const inner = Effect.map(self, (result) => {
      kept = Option.some(result)
    })
    return Effect.flatMap(around(inner), () => {
      const result = kept
      kept = Option.none()
      return Effect.orDie(Effect.fromOption(result))
    })
  })
