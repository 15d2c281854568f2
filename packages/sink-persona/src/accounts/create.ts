/** Makes an account, by upsert where the environment takes it: whoever was there meanwhile is updated, not doubled. */
import type { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { PersonaApi, Written } from "../api.ts"
import { attempts, type Settled } from "../attempts.ts"
import type { Key } from "../keys.ts"

/** What the reference id may be called there: nobody has documented it. The last is a plain creation. */
const names = ["reference-id", "reference_id", undefined] as const

export type Create = (attributes: JsonObject, key: Key) => Effect.Effect<Settled<Written>, SinkError>

/** The first creation of a run finds out which name is taken; the others use it. */
export const makeCreate = (api: PersonaApi, shown: ReadonlyArray<string>): Create => {
  let known = 0

  return Effect.fnUntraced(function* (attributes, key) {
    while (true) {
      const asked = known
      // A request with another name is another request, which needs a key of its own.
      const ask = Effect.suspend(() => api.createAccount(attributes, names[asked], key.of(asked), shown))
      const reply = yield* attempts(() => Effect.tap(ask, () => Effect.sync(key.answered)))
      if (reply._tag !== "NoUpsert" || asked === names.length - 1) return reply
      known = Math.max(known, asked + 1)
    }
  })
}
