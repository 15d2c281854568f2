/** Migrations go forward once, together or not at all, and never touch a newer state. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { onPostgres } from "../../cli/test/postgres/database.ts"
import { emptyDatabase } from "../../cli/test/postgres/emptyDatabase.ts"
import { type Migrations, migrate, StateTooNew } from "../src/state/migrations.ts"
import { migrations } from "../src/state/schema.ts"

const run = (statement: string) => SqlClient.SqlClient.use((sql) => sql.unsafe(statement))

const first: Migrations = { "0001_first": run("CREATE TABLE a (x INTEGER)") }
const second: Migrations = { ...first, "0002_second": run("CREATE TABLE b (x INTEGER)") }

const tables = SqlClient.SqlClient.use((sql) =>
  Effect.map(
    onPostgres
      ? sql<{
          name: string
        }>`SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND length(tablename) = 1 ORDER BY 1`
      : sql<{ name: string }>`SELECT name FROM sqlite_master WHERE name IN ('a', 'b', 'c') ORDER BY name`,
    (rows) => rows.map((row) => row.name),
  ),
)

describe("migrations", () => {
  it.effect("apply what is missing, in order and once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* migrate(first), ["0001_first"])
      assert.deepStrictEqual(yield* migrate(second), ["0002_second"])
      assert.deepStrictEqual(yield* migrate(second), [])
      assert.deepStrictEqual(yield* tables, ["a", "b"])
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("B10: a state of a future version is refused, with both versions named, and left as it is", () =>
    Effect.gen(function* () {
      yield* migrate(second)
      const refused = yield* Effect.flip(migrate(first))
      assert.instanceOf(refused, StateTooNew)
      assert.include(refused.message, "0002_second")
      assert.include(refused.message, "0001_first")
      const renamed = yield* Effect.flip(migrate({ ...first, "0002_other": run("CREATE TABLE c (x INTEGER)") }))
      assert.instanceOf(renamed, StateTooNew)
      assert.deepStrictEqual(yield* tables, ["a", "b"])
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("a migration that fails leaves neither tables nor its name, so that it can be tried again", () =>
    Effect.gen(function* () {
      const broken: Migrations = {
        ...second,
        "0003_third": run("CREATE TABLE c (x INTEGER)").pipe(Effect.andThen(run("nonsense"))),
      }
      const failed = yield* Effect.flip(migrate(broken))
      assert.include(failed.message, "3_third")
      assert.include(failed.message, "syntax error")
      assert.deepStrictEqual(yield* tables, [])
      assert.strictEqual((yield* migrate(second)).length, 2)
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.effect("the released tables are made from nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* migrate(migrations)).length, Object.keys(migrations).length)
      assert.deepStrictEqual(yield* migrate(migrations), [])
    }).pipe(Effect.provide(emptyDatabase())),
  )
})
