/** The SQL clients: the same values, transactions and errors from each database. */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import { onPostgres } from "./postgres/database.ts"
import { emptyDatabase } from "./postgres/emptyDatabase.ts"

const withTable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE t (id TEXT PRIMARY KEY, n BIGINT)`
  return sql
})

const count = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ n: number }>`SELECT count(*) AS n FROM t`, (rows) => rows[0]?.n)

describe("the SQL client", () => {
  it.effect("writes and reads values, lists and streams longer than one fetch", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      const rows = Arr.makeBy(1234, (n) => ({ id: `k${n}`, n }))
      yield* sql`INSERT INTO t ${sql.insert(rows)}`
      assert.deepStrictEqual(yield* sql`SELECT n FROM t WHERE id = ${"k7"}`.values, [[7]])
      assert.strictEqual((yield* sql`SELECT * FROM t WHERE ${sql.in("id", ["k1", "k2"])}`).length, 2)
      const streamed = yield* Stream.runCollect(sql`SELECT id FROM t`.stream)
      assert.strictEqual(streamed.length, 1234)
      const first = yield* Stream.runCollect(Stream.take(sql`SELECT id FROM t`.stream, 3))
      assert.strictEqual(first.length, 3)
      yield* sql`DELETE FROM t`
      assert.strictEqual(yield* count(sql), 0)
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("rule 8: a failed transaction leaves nothing, a nested failure only undoes itself", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      const failed = sql`INSERT INTO t VALUES ('a', 1)`.pipe(Effect.andThen(Effect.fail("stop")), sql.withTransaction)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(failed)))
      assert.strictEqual(yield* count(sql), 0)
      yield* sql.withTransaction(sql`INSERT INTO t VALUES ('b', 1)`.pipe(Effect.andThen(Effect.ignore(failed))))
      assert.deepStrictEqual(yield* sql`SELECT id FROM t`.values, [["b"]])
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("rule 8: a statement of another fiber waits for the open transaction", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      const inside = yield* Latch.make()
      const go = yield* Latch.make()
      const transaction = yield* sql`INSERT INTO t VALUES ('a', 1)`.pipe(
        Effect.andThen(inside.open),
        Effect.andThen(go.await),
        Effect.andThen(Effect.fail("stop")),
        sql.withTransaction,
        Effect.forkChild,
      )
      yield* inside.await
      const other = yield* Effect.forkChild(count(sql), { startImmediately: true })
      yield* go.open
      yield* Fiber.await(transaction)
      assert.strictEqual(yield* Fiber.join(other), 0)
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("errors carry their class and the file, and no bound value", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      yield* sql`INSERT INTO t VALUES ('secret-value', 1)`
      const twice = yield* Effect.flip(sql`INSERT INTO t VALUES (${"secret-value"}, 1)`)
      assert.strictEqual(twice.reason._tag, "UniqueViolation")
      assert.include(twice.reason.message, onPostgres ? "postgres://" : ":memory:")
      assert.notInclude(JSON.stringify(twice), "secret-value")
      const odd = yield* Effect.flip(sql`SELECT ${{ a: 1 }}`)
      assert.include(odd.reason.message, "cannot be a SQL parameter")
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("values come back as they went in: NUL, every other character, numbers, nothing", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      const texts = Arr.make(
        "",
        "a\u0000b",
        "\u0000\u0000",
        "\u0001",
        "\u0001\u0000\u0001\u0002",
        "é ß 漢 😀",
        "\ufeff",
        "\\ ' \" $1 ?",
      )
      yield* sql`INSERT INTO t ${sql.insert(Arr.map(texts, (id, n) => ({ id, n })))}`
      for (const [n, id] of texts.entries()) {
        assert.deepStrictEqual(yield* sql`SELECT id, n FROM t WHERE id = ${id}`, [{ id, n }], JSON.stringify(id))
      }
      const numbers = [0, -1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null]
      for (const n of numbers) {
        yield* sql`UPDATE t SET n = ${n} WHERE id = ''`
        assert.deepStrictEqual(yield* sql`SELECT n FROM t WHERE id = ''`, [{ n }])
      }
      yield* sql`UPDATE t SET n = ${true} WHERE id = ''`
      assert.deepStrictEqual(yield* sql`SELECT n FROM t WHERE id = ''`.values, [[1]])
      const large = 2n ** 62n
      yield* sql`UPDATE t SET n = ${large} WHERE id = ''`
      assert.match((yield* Effect.flip(sql`SELECT n FROM t WHERE id = ''`)).message, /too large/)
      assert.deepStrictEqual(yield* sql`SELECT id FROM t WHERE n = ${large}`, [{ id: "" }])
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("texts sort and compare by their bytes, whatever the language of the database", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(`CREATE TABLE words (word TEXT ${onPostgres ? 'COLLATE "C"' : ""})`)
      const words = Arr.make("b", "B", "a-b", "ab", "a\u0000", "a", "a\u0001", "Z", "é", "z", "10", "9")
      yield* sql`INSERT INTO words ${sql.insert(Arr.map(words, (word) => ({ word })))}`
      const sorted = yield* sql<{ word: string }>`SELECT word FROM words ORDER BY word`
      assert.deepStrictEqual(
        sorted.map(({ word }) => word),
        words.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      )
      assert.deepStrictEqual(yield* sql`SELECT COUNT(*) AS n FROM words WHERE word >= ${"a"}`, [{ n: 8 }])
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("a list of thousands goes in one statement, an empty one finds nothing", () =>
    Effect.gen(function* () {
      const sql = yield* withTable
      const ids = Arr.makeBy(5000, (n) => `k${n}`)
      yield* sql`INSERT INTO t ${sql.insert(Arr.map(ids, (id, n) => ({ id, n })))}`
      const again = sql`INSERT INTO t ${sql.insert(Arr.map(ids, (id) => ({ id, n: 0 })))} ON CONFLICT (id) DO UPDATE SET n = excluded.n`
      yield* again
      assert.strictEqual((yield* sql`SELECT id FROM t WHERE n = 0 AND ${sql.in("id", ids)}`).length, 5000)
      assert.deepStrictEqual(yield* sql`SELECT id FROM t WHERE ${sql.in("id", [])}`, [])
    }).pipe(Effect.provide(emptyDatabase())),
  )
})
