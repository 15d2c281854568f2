/** Seals what the state holds in the clear otherwise: dead letter payloads, spools and the values plugins keep. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** A sealed text does not open: another key, another place, or it was altered. Exit code 3. */
export class Unsealable extends Schema.TaggedError<Unsealable>()("Unsealable", {
  /** Says which of them it is, as far as that can be known, and what to do. No part of the text. */
  message: Schema.String,
}) {}

export class Cipher extends Context.Service<
  Cipher,
  {
    /** False where no key is set: then `seal` stores the text as it is. */
    readonly encrypts: boolean
    /**
     * `place` says where the sealed text is kept, such as table and key: moved elsewhere it does not open.
     * Synchronous, some microseconds.
     */
    readonly seal: (text: string, place: string) => string
    readonly open: (sealed: string, place: string) => Effect.Effect<string, Unsealable>
    /** Whether `seal` would do it the same way today: no key has been set or changed since. */
    readonly isCurrent: (sealed: string) => boolean
  }
>()("@sluice/core/Cipher") {}

const PLAIN = "plain:"

/** What `seal` gives without a key. A mark, so that it is never taken for a sealed text, whatever the text is. */
export const plain = (text: string): string => `${PLAIN}${text}`

/** The text that `plain` was given, or undefined for a sealed one. */
export const plainText = (sealed: string): string | undefined =>
  sealed.startsWith(PLAIN) ? sealed.slice(PLAIN.length) : undefined

/** No key is set: texts are stored as they are, and texts sealed earlier are refused. */
export const layerPlain: Layer.Layer<Cipher> = Layer.succeed(Cipher)({
  encrypts: false,
  seal: plain,
  isCurrent: (sealed) => plainText(sealed) !== undefined,
  open: (sealed) => {
    const text = plainText(sealed)
    if (text !== undefined) return Effect.succeed(text)
    return Effect.fail(
      new Unsealable({ message: "the state is encrypted: set SLUICE_STATE_KEY to the key it was written with" }),
    )
  },
})

/** A place as one unambiguous text. */
export const place = (...parts: ReadonlyArray<string>): string => JSON.stringify(parts)

const CHECK = { connection: "", key: "sealed_by" }

/** Where a value of a plugin is kept. */
export const pluginPlace = (connection: string, key: string): string => place("plugin_state", connection, key)

interface Stored {
  readonly connection: string
  readonly key: string
  readonly value: string
}

/** Values of plugins are few and live long, so they move to the present key at once; not one that another run changes. */
const sealAgain = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* Cipher
  const stored = yield* sql<Stored>`SELECT connection, key, value FROM plugin_state`
  const check: Stored = { ...CHECK, value: plain("sluice") }
  for (const { connection, key, value } of [check, ...stored]) {
    const at = pluginPlace(connection, key)
    const sealed = cipher.seal(yield* cipher.open(value, at), at)
    yield* sql`
      INSERT INTO plugin_state ${sql.insert({ connection, key, value: sealed })}
      ON CONFLICT (connection, key) DO UPDATE SET value = excluded.value WHERE plugin_state.value = ${value}`
  }
})

/**
 * Finds a wrong or missing key before anything is read or sent: the state keeps one sealed word. Run after the
 * migrations. With a first or changed key, the word and the values of plugins are sealed again.
 */
export const checkKey: Effect.Effect<void, Unsealable | SqlError, SqlClient.SqlClient | Cipher> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    const cipher = yield* Cipher
    const found = yield* sql<Stored>`
      SELECT value FROM plugin_state WHERE connection = ${CHECK.connection} AND key = ${CHECK.key}`
    const sealed = found[0]?.value
    if (sealed !== undefined) yield* cipher.open(sealed, pluginPlace(CHECK.connection, CHECK.key))
    const current = sealed === undefined ? !cipher.encrypts : cipher.isCurrent(sealed)
    if (!current) yield* sql.withTransaction(sealAgain)
  },
)
