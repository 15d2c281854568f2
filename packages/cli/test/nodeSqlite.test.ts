/** What only SQLite does: the state file, what it refuses to open, and a full disk. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { layer } from "../src/node/sqliteClient.ts"
import type { StateUnusable } from "../src/node/stateFile.ts"

const memory = layer({ filename: ":memory:" })

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-sqlite-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

const withTable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER)`
  return sql
})

const count = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ n: number }>`SELECT count(*) AS n FROM t`, (rows) => rows[0]?.n)

const use = (filename: string) => Effect.provide(withTable, layer({ filename }), { local: true })

const refusal = (filename: string): Effect.Effect<StateUnusable | undefined> =>
  SqlClient.SqlClient.pipe(
    Effect.provide(layer({ filename }), { local: true }),
    Effect.match({ onFailure: (error) => error, onSuccess: () => undefined }),
  )

describe("SQLite", () => {
  it.effect("B11: a full disk is an error that names the file, and the committed rows stay", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      yield* sql`INSERT INTO t VALUES ('kept', 1)`
      yield* sql`PRAGMA max_page_count = 3`
      const full = yield* Effect.flip(sql`INSERT INTO t VALUES (${"x".repeat(100_000)}, 1)`)
      assert.include(full.reason.message, "full")
      assert.include(full.reason.message, ":memory:")
      assert.strictEqual(yield* count(sql), 1)
    }).pipe(Effect.provide(memory)),
  )
})

describe("the state file", () => {
  it.effect("S23: is made with mode 0600 in a folder of 0700, in WAL mode with full sync", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* temporary, ".sluice")
      const filename = path.join(folder, "state.db")
      const modes = yield* Effect.gen(function* () {
        const sql = yield* withTable
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`.values, [["wal"]])
        assert.deepStrictEqual(yield* sql`PRAGMA synchronous`.values, [[2]])
        const files = fs.readdirSync(folder)
        return files.map((name) => `${name} ${(fs.statSync(path.join(folder, name)).mode & 0o777).toString(8)}`)
      }).pipe(Effect.provide(layer({ filename })))
      assert.deepStrictEqual(modes.sort(), ["state.db 600", "state.db-shm 600", "state.db-wal 600"])
      assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
      assert.deepStrictEqual(fs.readdirSync(folder), ["state.db"])
    }),
  )

  it.effect("S23: a file that others could read is closed to them", () =>
    Effect.gen(function* () {
      const filename = path.join(yield* temporary, "state.db")
      yield* use(filename)
      fs.chmodSync(filename, 0o644)
      assert.isUndefined(yield* refusal(filename))
      assert.strictEqual(fs.statSync(filename).mode & 0o777, 0o600)
    }),
  )

  it.effect("B14: a folder that leaves the project by a link is refused, one that stays inside is not", () =>
    Effect.gen(function* () {
      const outside = yield* temporary
      const project = yield* temporary
      fs.symlinkSync(outside, path.join(project, ".sluice"))
      const refused = yield* refusal(path.join(project, ".sluice", "state.db"))
      assert.include(refused?.message, "a link that leaves")
      assert.deepStrictEqual(fs.readdirSync(outside), [])
      fs.mkdirSync(path.join(project, "data"))
      fs.symlinkSync("data", path.join(project, "inside"))
      assert.isUndefined(yield* refusal(path.join(project, "inside", "state.db")))
    }),
  )

  it.effect("B14: a link in place of the file or its log, and a missing project folder, are refused", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const filename = path.join(folder, "state.db")
      fs.writeFileSync(path.join(folder, "elsewhere"), "")
      for (const name of ["state.db", "state.db-wal"]) {
        fs.symlinkSync("elsewhere", path.join(folder, name))
        assert.include((yield* refusal(filename))?.message, "is a link")
        fs.unlinkSync(path.join(folder, name))
      }
      assert.include((yield* refusal(path.join(folder, "no", "such", "state.db")))?.message, "does not exist")
    }),
  )

  it.effect("B10: a damaged, cut, emptied or lost file is refused with a repair command and left as it is", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const filename = path.join(folder, "state.db")
      yield* use(filename)
      const whole = fs.readFileSync(filename)
      const noise = Buffer.alloc(whole.length, 7)
      const broken = Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096, 7)])
      for (const bytes of [Buffer.alloc(0), whole.subarray(0, 1), whole.subarray(0, 4096), noise, broken]) {
        fs.writeFileSync(filename, bytes)
        const refused = yield* refusal(filename)
        assert.include(refused?.message, filename, `${bytes.length} bytes`)
        assert.include(refused?.repair, "mv ")
        assert.deepStrictEqual(fs.readFileSync(filename), bytes)
      }
      fs.unlinkSync(filename)
      fs.writeFileSync(`${filename}-wal`, "left over")
      assert.include((yield* refusal(filename))?.message, "write-ahead log")
      assert.isFalse(fs.existsSync(filename))
    }),
  )

  it.effect("another process that holds the write lock is waited for briefly and then named as the problem", () =>
    Effect.gen(function* () {
      const filename = path.join(yield* temporary, "state.db")
      yield* use(filename)
      const other = new DatabaseSync(filename)
      other.exec("BEGIN IMMEDIATE")
      const blocked = yield* SqlClient.SqlClient.use((sql) => Effect.flip(sql`INSERT INTO t VALUES ('a', 1)`)).pipe(
        Effect.provide(layer({ filename, busyTimeoutMillis: 20 })),
      )
      other.close()
      assert.strictEqual(blocked.reason._tag, "LockTimeoutError")
    }),
  )
})
