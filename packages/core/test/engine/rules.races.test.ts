import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { listDeadLetters } from "../../src/engine/deadLetters.ts"
import { PositionLost, SinkError, Unavailable } from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { SourceRecord } from "../../src/plugin/record.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, deadLetters, ledgerIds, runOne } from "./scenario.ts"

const map = { key: "id", id: "key", name: "name" }
const keyed = (id: string, key: string, version: string) => record(id, { key, name: id.toUpperCase() }, version)
const gone = (key: string, version: string): SourceRecord => ({ key, change: "delete", version, data: {} })

const pagesOfTwo = (pages: number) =>
  Array.from({ length: pages }, (_, page) => [record(`${page}-a`), record(`${page}-b`)])

describe("rows that wait for one another", () => {
  it.effect("rule 7: a deletion that was overtaken frees the key it was to delete", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 10 } }
      const source = fakeSource([[keyed("a", "k", "1")]])
      const pipeline = pipelineOf(source, { fake: { sink, map, onDelete: "delete" } })
      yield* runOne(pipeline)
      source.pages = [[gone("a", "2")], [keyed("a", "l", "3")], [keyed("b", "k", "1")]]
      const counts = countsOf(yield* runOne(pipeline))
      assert.deepInclude(counts, { read: 3, superseded: 1, pending: 0 })
    }).pipe(Effect.provide(services())),
  )

  for (const order of ["before", "after"] as const) {
    it.effect(`rule 7: a record that loses its key to a newer one ${order} it is deleted takes nothing with it`, () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        sink.writer = { limits: { rows: 10 } }
        const source = fakeSource([[keyed("a", "k", "1")]])
        const pipeline = pipelineOf(source, { fake: { sink, map, onKeyConflict: "newest", onDelete: "delete" } })
        yield* runOne(pipeline)
        const newer = keyed("b", "k", "3")
        source.pages = [order === "before" ? [newer, gone("a", "2")] : [gone("a", "2"), newer]]
        const report = yield* runOne(pipeline)
        assert.strictEqual(report.status, "completed")
        assert.strictEqual(sink.contents.get("k")?.name, "B")
        for (const { rows } of sink.batches) assert.strictEqual(new Set(rows.map((row) => row.key)).size, rows.length)
      }).pipe(Effect.provide(services())),
    )
  }

  it.effect("rule 7: two records never update one remote id, though one of them has left its key to the other", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 10 } }
      const source = fakeSource([[keyed("a", "k", "1")]])
      const pipeline = pipelineOf(source, { fake: { sink, map, onKeyConflict: "newest" } })
      yield* runOne(pipeline)
      source.pages = [[keyed("b", "k", "3"), keyed("a", "l", "2")]]
      yield* runOne(pipeline)
      for (const { rows } of sink.batches) {
        const remoteIds = rows.flatMap((row) => row.remoteId ?? [])
        assert.strictEqual(new Set(remoteIds).size, remoteIds.length)
      }
      assert.strictEqual(sink.contents.get("k")?.name, "B")
      assert.strictEqual(sink.contents.get("l")?.name, "A")
    }).pipe(Effect.provide(services())),
  )
})

describe("runs that stop", () => {
  it.effect("rule 2: a version that was replaced is pending while it could not be recorded as superseded", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe("ALTER TABLE ledger RENAME TO elsewhere")
      const source = fakeSource([[record("a", { name: "A" }, "1"), record("a", { name: "B" }, "2")]])
      const report = yield* runOne(pipelineOf(source, { fake: { sink: fakeSink() } }))
      assert.strictEqual(report.error?.code, "StateError")
      assert.deepInclude(countsOf(report), { read: 2, pending: 2 })
    }).pipe(Effect.provide(services())),
  )

  it.effect("PositionLost: a source that loses its place each time is given up, not read for ever", () =>
    Effect.gen(function* () {
      const source = fakeSource(pagesOfTwo(3))
      source.failAfter = { pages: 1, reason: new PositionLost({ message: "expired" }) }
      const report = yield* runOne(pipelineOf(source, { fake: { sink: fakeSink() } }))
      assert.strictEqual(report.error?.code, "PositionLost")
      assert.isAtMost(source.scans.length, 4)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 13: once every route has stopped nothing more is read", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) => Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }))
      const report = yield* runOne(pipelineOf(fakeSource(pagesOfTwo(200)), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "FirstBatchRefused")
      countsOf(report)
      assert.isBelow(report.read, 100)
      assert.isNull(report.completeness)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 13: a batch that recovery sends is not the first batch of the run", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("x")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      sink.answer = (batch) => batch.rows.map((row) => Outcome.Deferred({ id: row.id, message: "later" }))
      yield* runOne(pipeline)
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          row.id === "x" ? deliver(sink, row) : Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }),
        )
      source.pages = [[record("x")], [record("a"), record("b")], [record("c"), record("d")]]
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.recovered["fake.things"]?.delivered, 1)
      assert.strictEqual(report.error?.code, "FirstBatchRefused")
    }).pipe(Effect.provide(services())),
  )

  it.effect.each<readonly [string, (outcomes: ReadonlyArray<Outcome>) => ReadonlyArray<Outcome>]>([
    ["of fewer rows", (outcomes) => outcomes.slice(1)],
    ["of one row twice", (outcomes) => outcomes.flatMap(() => outcomes.slice(1))],
    ["of a row too many", (outcomes) => [...outcomes, ...outcomes.slice(1)]],
    ["of another row", (outcomes) => [Outcome.Delivered({ id: "x", effect: "created" }), ...outcomes.slice(1)]],
  ])("rule 2: an answer %s ends the run also where writing twice is wrong", ([, garble]) =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { repeatable: false }
      sink.answer = (batch) => garble(batch.rows.map((row) => deliver(sink, row)))
      const report = yield* runOne(pipelineOf(fakeSource(pagesOfTwo(3)), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "Protocol")
      assert.strictEqual(sink.batches.length, 1)
      assert.strictEqual(countsOf(report).in_doubt, 2)
    }).pipe(Effect.provide(services())),
  )

  for (const how of ["an answer", "an error that knows them"] as const) {
    it.effect(`rule 2: the outcomes of ${how} go by their ids, in whatever order they come`, () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const reason = new Unavailable({ message: "the vendor is away", inDoubt: false })
        const settled = [
          Outcome.Delivered({ id: "b", effect: "created" }),
          Outcome.Rejected({ id: "a", code: "bad", message: "refused" }),
        ]
        const failed = new SinkError({ reason, settled })
        sink.writer = { write: () => (how === "an answer" ? Effect.succeed(settled) : Effect.fail(failed)) }
        const source = fakeSource([[record("a"), record("b")]])
        const report = yield* runOne(pipelineOf(source, { fake: { sink } }))
        assert.deepInclude(countsOf(report), { created: 1, rejected: 1 })
        assert.deepStrictEqual(yield* ledgerIds, ["b"])
        assert.deepStrictEqual(
          (yield* deadLetters).map(({ id }) => id),
          ["a"],
        )
      }).pipe(Effect.provide(services())),
    )
  }
})

describe("what grows and what is broken", () => {
  it.effect("rule 12: deletions wait for the sink too", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const ids = Array.from({ length: 600 }, (_, at) => `u${String(at).padStart(3, "0")}`)
      const source = fakeSource([ids.map((id) => record(id))])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      yield* runOne(pipeline)
      let looked = 0
      class Nobody extends Map<string, SourceRecord> {
        override get(): undefined {
          looked += 1
        }
      }
      source.live = new Nobody()
      source.pages = []
      let atFirst: number | undefined
      sink.answer = (batch) =>
        Effect.sleep("1 second").pipe(
          Effect.map(() => {
            atFirst ??= looked
            return batch.rows.map((row) => deliver(sink, row))
          }),
        )
      const report = yield* runOne(pipeline, { allowDeletes: 600 })
      assert.strictEqual(countsOf(report).deleted, 600)
      assert.isAtMost(atFirst ?? 0, 400)
    }).pipe(Effect.provide(services())),
  )

  it.effect("a dead letter that is damaged in the state is an error of the state, not a bug", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) => Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }))
      yield* runOne(pipelineOf(fakeSource([[record("a")]]), { fake: { sink } }))
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE dead_letters SET fields = '[', code = 'bad'`
      const error = yield* Effect.flip(listDeadLetters({}))
      assert.strictEqual(error._tag, "StateError")
    }).pipe(Effect.provide(services())),
  )

  it.effect("a source that cannot estimate does not keep a run from its work", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a")]])
      const { open } = source
      const guessing = {
        ...source,
        open: (config: unknown, context: Parameters<typeof open>[1]) =>
          Effect.map(open(config, context), (reader) => ({
            ...reader,
            estimate: () => Effect.die(new Error("no number")),
          })),
      }
      const report = yield* runOne(pipelineOf(guessing, { fake: { sink: fakeSink() } }), { estimate: true })
      assert.strictEqual(countsOf(report).created, 1)
    }).pipe(Effect.provide(services())),
  )
})
