/** What is sealed opens only whole, in its place and with its key. */
import { assert, describe, it } from "@effect/vitest"
import { Cipher, checkKey, makePluginState, migrate, migrations } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { layer } from "../src/node/cipher.ts"
import { layer as sqlite } from "../src/node/sqliteClient.ts"

const KEY = "11".repeat(32)
const OTHER = Buffer.alloc(32, 7).toString("base64")

const cipherWith = (key: string | undefined, previous?: string) =>
  Cipher.pipe(
    Effect.provide(
      layer({
        key: key === undefined ? undefined : Redacted.make(key),
        previousKey: previous === undefined ? undefined : Redacted.make(previous),
      }),
      { local: true },
    ),
  )

describe("S23: sealing", () => {
  it.effect("round-trips any text, never twice the same, and shows nothing of it", () =>
    Effect.gen(function* () {
      const cipher = yield* cipherWith(KEY)
      for (const text of ["", "canary@example.com", "x".repeat(100_000), "ünï\u0000 😀"]) {
        const sealed = cipher.seal(text, "here")
        assert.strictEqual(yield* cipher.open(sealed, "here"), text)
        assert.notStrictEqual(sealed, cipher.seal(text, "here"))
        assert.notInclude(sealed, "canary")
      }
    }),
  )

  it.effect("a changed character, a cut text and another place are detected", () =>
    Effect.gen(function* () {
      const cipher = yield* cipherWith(KEY)
      const sealed = cipher.seal("secret", "here")
      const body = sealed.lastIndexOf(".") + 1
      for (let at = body; at < sealed.length - 1; at += 1) {
        const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1)
        assert.include((yield* Effect.flip(cipher.open(changed, "here"))).message, "altered or moved", `at ${at}`)
      }
      for (const wrong of [sealed.slice(0, -8), sealed.slice(0, body), "", "secret", "."]) {
        assert.include((yield* Effect.flip(cipher.open(wrong, "here"))).message, "altered or moved", wrong)
      }
      assert.include((yield* Effect.flip(cipher.open(sealed, "there"))).message, "altered or moved")
    }),
  )

  it.effect("a wrong or missing key says which variable to set, and the previous key still opens", () =>
    Effect.gen(function* () {
      const sealed = (yield* cipherWith(KEY)).seal("secret", "here")
      const wrong = yield* cipherWith(OTHER)
      assert.include((yield* Effect.flip(wrong.open(sealed, "here"))).message, "SLUICE_STATE_KEY_PREVIOUS")
      const none = yield* cipherWith(undefined)
      assert.include((yield* Effect.flip(none.open(sealed, "here"))).message, "set SLUICE_STATE_KEY")
      const rotated = yield* cipherWith(OTHER, KEY)
      assert.strictEqual(yield* rotated.open(sealed, "here"), "secret")
      assert.isFalse(rotated.isCurrent(sealed))
      assert.isTrue(rotated.isCurrent(rotated.seal("secret", "here")))
    }),
  )

  it.effect("without a key a text stays readable, even one that looks sealed", () =>
    Effect.gen(function* () {
      const none = yield* cipherWith(undefined)
      const looksSealed = (yield* cipherWith(KEY)).seal("secret", "here")
      assert.strictEqual(yield* none.open(none.seal(looksSealed, "here"), "here"), looksSealed)
      assert.strictEqual(yield* (yield* cipherWith(KEY)).open(none.seal("old", "here"), "here"), "old")
    }),
  )

  it.effect("a key may be hex, base64 or a long passphrase; a short one is refused without being shown", () =>
    Effect.gen(function* () {
      const hex = yield* cipherWith("07".repeat(32))
      const base64 = yield* cipherWith(` ${OTHER}\n`)
      assert.strictEqual(yield* base64.open(hex.seal("same key", "here"), "here"), "same key")
      const phrase = "correct horse battery staple"
      const sealed = (yield* cipherWith(phrase)).seal("secret", "here")
      assert.strictEqual(yield* (yield* cipherWith(phrase)).open(sealed, "here"), "secret")
      const short = yield* Effect.flip(cipherWith("test-secret"))
      assert.include(short.message, "openssl rand")
      assert.notInclude(short.message, "test-secret")
    }),
  )
})

describe("S23: plugin state and keys", () => {
  const withKey = (key: string | undefined, previous?: string) =>
    Layer.effect(Cipher)(Effect.orDie(cipherWith(key, previous)))
  const start = (key: string | undefined, previous?: string) =>
    Effect.provide(checkKey, withKey(key, previous), { local: true })
  const token = (key: string | undefined) => makePluginState("crm").pipe(Effect.provide(withKey(key), { local: true }))

  it.effect("a value is stored sealed, read back, replaced, and kept apart for each connection", () =>
    Effect.gen(function* () {
      yield* migrate(migrations)
      const state = yield* token(KEY)
      assert.deepStrictEqual(yield* state.get("refresh_token"), Option.none())
      yield* state.set("refresh_token", "canary-1")
      yield* state.set("refresh_token", "canary-2")
      assert.deepStrictEqual(yield* state.get("refresh_token"), Option.some("canary-2"))
      const other = yield* makePluginState("other").pipe(Effect.provide(withKey(KEY), { local: true }))
      assert.deepStrictEqual(yield* other.get("refresh_token"), Option.none())
      const sql = yield* SqlClient.SqlClient
      assert.notInclude(JSON.stringify(yield* sql`SELECT * FROM plugin_state`), "canary")
      yield* sql`UPDATE plugin_state SET connection = 'other'`
      assert.isTrue((yield* Effect.exit(other.get("refresh_token")))._tag === "Failure", "a moved value does not open")
    }).pipe(Effect.provide(sqlite({ filename: ":memory:" }))),
  )

  it.effect("a wrong key is found at the start; a first or new key seals again what plugins keep", () =>
    Effect.gen(function* () {
      yield* migrate(migrations)
      yield* start(undefined)
      yield* (yield* token(undefined)).set("refresh_token", "value")
      yield* start(KEY)
      assert.deepStrictEqual(yield* (yield* token(KEY)).get("refresh_token"), Option.some("value"))
      assert.include((yield* Effect.flip(start(undefined))).message, "SLUICE_STATE_KEY")
      assert.include((yield* Effect.flip(start(OTHER))).message, "another key")
      yield* start(OTHER, KEY)
      yield* start(OTHER)
      assert.deepStrictEqual(yield* (yield* token(OTHER)).get("refresh_token"), Option.some("value"))
      assert.include((yield* Effect.flip(start(KEY))).message, "another key")
      const sql = yield* SqlClient.SqlClient
      assert.notInclude(JSON.stringify(yield* sql`SELECT value FROM plugin_state`), "plain:")
    }).pipe(Effect.provide(sqlite({ filename: ":memory:" }))),
  )
})
