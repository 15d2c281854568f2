/** The layer for library use: one call gives everything core asks for, with the state ready. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Cipher, Digest, Plugins, RunLock } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as SqlClient from "effect/sql/SqlClient"
import { layer, type NodeOptions } from "../src/node/index.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-node-"))),
  (at) => Effect.sync(() => fs.rmSync(at, { recursive: true, force: true })),
)

const uses = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const digest = yield* Digest
  const lock = yield* RunLock
  yield* HttpClient.HttpClient
  yield* Plugins
  yield* Effect.scoped(lock.acquire("users"))
  yield* sql`SELECT * FROM checkpoints`
  return { encrypts: (yield* Cipher).encrypts, empty: digest.sha256("") }
})

const start = (options: NodeOptions) => Effect.provide(uses, layer(options), { local: true })

describe("the Node layer", () => {
  it.effect("opens a state, takes the lock beside it, and hashes as SHA-256 in base64url", () =>
    Effect.gen(function* () {
      const stateFile = path.join(yield* folder, ".sluice", "state.db")
      const plain = yield* start({ stateFile, env: {} })
      assert.deepStrictEqual(plain, { encrypts: false, empty: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" })
      const names = fs.readdirSync(path.dirname(stateFile)).map((name) => path.extname(name))
      assert.deepStrictEqual(names.sort(), [".db", ".lock"])
    }),
  )

  it.effect("S23: a state written with a key is refused without it, before anything is read", () =>
    Effect.gen(function* () {
      const stateFile = path.join(yield* folder, ".sluice", "state.db")
      const SLUICE_STATE_KEY = "22".repeat(32)
      assert.isTrue((yield* start({ stateFile, env: { SLUICE_STATE_KEY } })).encrypts)
      assert.strictEqual((yield* Effect.flip(start({ stateFile, env: {} })))._tag, "Unsealable")
      const other = yield* Effect.flip(start({ stateFile, env: { SLUICE_STATE_KEY: "33".repeat(32) } }))
      assert.strictEqual(other._tag, "Unsealable")
    }),
  )

  it.effect("a state in memory needs no folder", () => Effect.asVoid(start({ stateFile: ":memory:", env: {} })))
})
