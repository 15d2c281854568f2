/** A refresh token that may rotate: the newest one is kept, durably, before the session it came with is used. */
import { PluginState } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const STORED = "refresh_token"

/** `from`: which configured token it descends from. Somebody who authorised anew has set another one. */
const Stored = Schema.fromJsonString(Schema.Struct({ from: Schema.String, token: Schema.String }))
const read = Schema.decodeUnknownOption(Stored)

const fingerprint = (token: Redacted.Redacted): Effect.Effect<string> =>
  Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(Redacted.value(token)))).pipe(
    Effect.map((hash) => Hex.encode(new Uint8Array(hash))),
  )

export interface RefreshToken {
  readonly current: Effect.Effect<Redacted.Redacted>
  readonly keep: (token: Redacted.Redacted) => Effect.Effect<void>
}

export const makeRefreshToken = Effect.fnUntraced(function* (configured: Redacted.Redacted) {
  const state = yield* PluginState
  const from = yield* fingerprint(configured)
  const current = Effect.map(state.get(STORED), (text) => {
    const stored = Option.getOrUndefined(Option.flatMap(text, read))
    return stored?.from === from ? Redacted.make(stored.token) : configured
  })
  const keep = (token: Redacted.Redacted) => state.set(STORED, JSON.stringify({ from, token: Redacted.value(token) }))
  const refreshToken: RefreshToken = { current, keep }
  return refreshToken
})
