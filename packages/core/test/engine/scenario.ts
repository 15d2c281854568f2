/** Runs pipelines to their end under the test clock, and looks into the state they left. */
import { assert } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import { onPostgres } from "../../../cli/test/postgres/database.ts"
import { quiet } from "../../../cli/test/postgres/inFlight.ts"
import type { Pipeline } from "../../src/engine/pipeline.ts"
import type { PipelineReport, RouteCounts } from "../../src/engine/report.ts"
import type { RunOptions } from "../../src/engine/run/options.ts"
import { run } from "../../src/engine/run/run.ts"

/** Turns of the event loop, more than a run of these tests has left to do before it waits for the clock. */
const calm = Effect.replicateEffect(Effect.yieldNow, 20, { discard: true })

/** Moves the clock once the run waits for it. No wait for the database counts as time. */
export const advance = (by: Duration.Input): Effect.Effect<void> =>
  Effect.andThen(onPostgres ? settled : calm, TestClock.adjust(by))

const settled = Effect.all([Effect.promise(quiet), calm, Effect.promise(quiet)], { discard: true })

/** Every wait of the run passes at once. */
export const runOne = (pipeline: Pipeline, options: RunOptions = {}) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(run([pipeline], options))
    while (fiber.pollUnsafe() === undefined) yield* advance("5 seconds")
    const { pipelines } = yield* Fiber.join(fiber)
    const report = pipelines[0]
    assert(report !== undefined)
    return report
  })

export const countsOf = (report: PipelineReport, route = "fake.things"): RouteCounts => {
  const counts = report.routes[route]
  assert(counts !== undefined)
  const { read, delivered, unchanged, filtered, superseded, rejected, in_doubt, pending } = counts
  assert.strictEqual(read, delivered + unchanged + filtered + superseded + rejected + in_doubt + pending, "rule 2")
  return counts
}

/** The saved position of the only checkpoint, as the source wrote it. */
export const savedPosition = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ position: string | null }>`SELECT position FROM checkpoints`
  return rows[0]?.position ?? null
})

export const deadLetters = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ id: string; kind: string; code: string; message: string }>`
    SELECT id, kind, code, message FROM dead_letters ORDER BY id`
})

export const ledgerIds = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string }>`SELECT id FROM ledger WHERE hash IS NOT NULL ORDER BY id`
  return rows.map((row) => row.id)
})

/** Makes the database refuse to write to a table, as a full disk would. */
export const breakTable = (table: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const trigger = `CREATE TRIGGER broken BEFORE INSERT ON ${table}`
    if (!onPostgres) {
      yield* sql.unsafe(`${trigger} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
      return
    }
    yield* sql.unsafe(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'database or disk is full' USING ERRCODE = 'disk_full'; END $$`)
    yield* sql.unsafe(`${trigger} FOR EACH ROW EXECUTE FUNCTION refuse()`)
  })

export const mendTable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(onPostgres ? "DROP FUNCTION refuse() CASCADE" : "DROP TRIGGER broken")
})
