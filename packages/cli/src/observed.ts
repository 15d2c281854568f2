/** Telemetry where the environment asks for it; else none of it is loaded. */
import type { RunEvent } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Variables } from "./node/environment.ts"
import { isObserved } from "./node/otelVariables.ts"
import { VERSION } from "./version.ts"

type OnEvent = (event: RunEvent) => Effect.Effect<void>

/** Runs what is given an `onEvent` that also counts, with its spans and metrics sent where `env` says. */
export const observedRun = Effect.fnUntraced(function* <A, E, R>(
  env: Variables,
  onEvent: OnEvent,
  run: (onEvent: OnEvent) => Effect.Effect<A, E, R>,
) {
  if (!isObserved(env)) return yield* run(onEvent)
  const [{ observed }, { makeMeter }] = yield* Effect.promise(() =>
    Promise.all([import("./node/telemetry.ts"), import("./meter.ts")]),
  )
  const count = makeMeter()
  return yield* run((event) => Effect.andThen(count(event), onEvent(event))).pipe(observed(env, VERSION))
})
