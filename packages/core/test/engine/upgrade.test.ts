/** States that earlier schemas wrote are still read. A fixture is added for each released schema and never edited. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import { listDeadLetters } from "../../src/engine/deadLetters.ts"
import { listRuns } from "../../src/engine/history.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { JobWriter } from "../../src/plugin/sink.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, servicesOver } from "./fakes.ts"
import { countsOf, runOne } from "./scenario.ts"

/** The pipeline that wrote the fixtures: three records, of which one was refused. */
const written = () => {
  const sink = fakeSink()
  sink.answer = (batch) =>
    batch.rows.map((row) =>
      row.id === "b"
        ? Outcome.Rejected({ id: row.id, code: "bad", message: "refused" })
        : Outcome.Delivered({ id: row.id, effect: "created", remoteId: `r-${row.id}` }),
    )
  const pages = [[record("a", { name: "A" }, "1"), record("b", { name: "B" }, "1")], [record("c", { name: "C" }, "1")]]
  return { sink, pipeline: pipelineOf(fakeSource(pages), { fake: { sink } }, { sync: "incremental" }) }
}

const restore = (fixture: string): Effect.Effect<string> =>
  Effect.sync(() => {
    const file = join(mkdtempSync(join(tmpdir(), "sluice-upgrade-")), "state.db")
    const database = new DatabaseSync(file)
    database.exec(readFileSync(join(import.meta.dirname, "../fixtures", fixture), "utf8"))
    database.close()
    return file
  })

describe("upgrade", () => {
  for (const fixture of ["state-0001.sql"]) {
    it.effect(`${fixture}: position, ledger, dead letters and runs are read`, () =>
      Effect.acquireUseRelease(
        restore(fixture),
        (file) =>
          Effect.gen(function* () {
            const { pipeline, sink } = written()
            assert.strictEqual(countsOf(yield* runOne(pipeline)).read, 0, "the scan goes on from its position")
            const again = countsOf(yield* runOne(pipeline, { fullRefresh: true }))
            assert.deepInclude(again, { read: 3, unchanged: 2, rejected: 1 })
            assert.deepStrictEqual(sink.batches, [])
            assert.deepInclude((yield* listDeadLetters({}))[0], { id: "b", code: "bad", kind: "rejected" })
            assert.strictEqual((yield* listRuns()).length, 3)
          }).pipe(Effect.provide(servicesOver(file))),
        (file) => Effect.sync(() => rmSync(join(file, ".."), { recursive: true })),
      ),
    )
  }

  for (const [fixture, key] of [
    ["state-0001.sql", "a"],
    ["state-0003.sql", "a"],
    ["state-0003.sql", "b@example.com"],
  ] as const) {
    it.effect(`${fixture}: it is known who has the key ${key}`, () =>
      Effect.acquireUseRelease(
        restore(fixture),
        (file) =>
          Effect.gen(function* () {
            const source = fakeSource([[record("x", { mail: key })]])
            const map = { id: "mail" }
            const report = yield* runOne(
              pipelineOf(source, { fake: { sink: fakeSink(), map } }, { sync: "incremental" }),
              {
                fullRefresh: true,
              },
            )
            assert.strictEqual(countsOf(report).rejected, 1)
            const letters = yield* listDeadLetters({})
            assert.strictEqual(letters.find(({ id }) => id === "x")?.code, "key_conflict")
          }).pipe(Effect.provide(servicesOver(file))),
        (file) => Effect.sync(() => rmSync(join(file, ".."), { recursive: true })),
      ),
    )
  }

  it.effect("state-0001.sql: the mark of a batch that an earlier version left is read", () =>
    Effect.acquireUseRelease(
      restore("state-0001.sql"),
      (file) =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const rows = JSON.stringify([{ id: "a", row_key: "a", hash: "h", version: "1" }])
          yield* sql`INSERT INTO sending ${sql.insert({ batch: "19700101-000000-000000.1", ns: 1, rows })}`
          const { pipeline, sink } = written()
          assert.deepInclude(countsOf(yield* runOne(pipeline, { fullRefresh: true })), { unchanged: 1, rejected: 1 })
          assert.deepStrictEqual(
            sink.batches.flatMap((batch) => batch.rows.map(({ id }) => id)),
            ["a"],
          )
        }).pipe(Effect.provide(servicesOver(file))),
      (file) => Effect.sync(() => rmSync(join(file, ".."), { recursive: true })),
    ),
  )

  it.effect("state-0002.sql: a job that was left open is settled", () =>
    Effect.acquireUseRelease(
      restore("state-0002.sql"),
      (file) =>
        Effect.gen(function* () {
          const { pipeline, sink } = written()
          const settled: Array<string> = []
          const jobs: JobWriter = {
            limits: { rows: 10 },
            worth: () => true,
            submit: () => Effect.die("it was submitted already"),
            settle: (ref, { rows }) => {
              settled.push(ref)
              return Stream.map(rows, (page) => page.map((row) => deliver(sink, row)))
            },
          }
          sink.writer = { jobs }
          const report = yield* runOne(pipeline)
          assert.deepStrictEqual(settled, ["job-1"])
          assert.deepInclude(report.recovered["fake.things"], { delivered: 2 })
          assert.deepStrictEqual(sink.contents.get("e"), { id: "e", name: "E" })
        }).pipe(Effect.provide(servicesOver(file))),
      (file) => Effect.sync(() => rmSync(join(file, ".."), { recursive: true })),
    ),
  )
})
