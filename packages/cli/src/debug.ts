/** `--debug`: each call to a vendor is shown on standard error as it ends. Loaded only when asked for. */
import * as Effect from "effect/Effect"
import { Host } from "./host.ts"
import { LogFormat } from "./logs.ts"
import { CurrentCallWatch, type SeenCall } from "./node/calls.ts"
import { renderCall } from "./render/calls.ts"

export const showCalls = Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>) {
  const host = yield* Host
  const show =
    (yield* LogFormat) === "json"
      ? (call: SeenCall) => Effect.logInfo("call", call)
      : (call: SeenCall) => host.err(`${renderCall(call, host.errPage)}\n`)
  return yield* Effect.provideService(self, CurrentCallWatch, show)
})
