import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Unavailable } from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { breakTable, countsOf, deadLetters, ledgerIds, mendTable, runOne, savedPosition } from "./scenario.ts"

const away = new Unavailable({ message: "the vendor is away", inDoubt: false })
const lost = new Unavailable({ message: "the answer was lost", inDoubt: true })

const pages = () => [
  [record("a", { name: "A" }), record("b", { name: "B" })],
  [record("c", { name: "C" }), record("d", { name: "D" })],
  [record("e", { name: "E" }), record("f", { name: "F" })],
]

describe("commit", () => {
  it.effect("rule 1: no position is saved past a row that is not settled, also when later batches are", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 2, concurrency: 2 } }
      sink.answer = (batch) =>
        batch.rows.some((row) => row.id === "a") ? away : batch.rows.map((row) => deliver(sink, row))
      const pipeline = pipelineOf(fakeSource(pages()), { fake: { sink } })
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.status, "failed")
      assert.isTrue(report.resumable)
      assert.isNull(yield* savedPosition)
      assert.include(yield* ledgerIds, "c")
      sink.answer = (batch) => batch.rows.map((row) => deliver(sink, row))
      const again = countsOf(yield* runOne(pipeline))
      assert.strictEqual(sink.contents.size, 6)
      assert.isAbove(again.unchanged, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 1, A05: the slowest route holds the position; the other one sends nothing twice", () =>
    Effect.gen(function* () {
      const good = fakeSink("good")
      const bad = fakeSink("bad")
      bad.answer = () => away
      const pipeline = pipelineOf(fakeSource(pages()), { good: { sink: good }, bad: { sink: bad } })
      yield* runOne(pipeline)
      assert.isNull(yield* savedPosition)
      const sent = good.batches.flatMap((batch) => batch.rows).length
      bad.answer = (batch) => batch.rows.map((row) => deliver(bad, row))
      yield* runOne(pipeline)
      assert.strictEqual(bad.contents.size, 6)
      assert.strictEqual(good.contents.size, 6)
      assert.strictEqual(good.batches.flatMap((batch) => batch.rows).length, 6)
      assert.isAtMost(sent, 6)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 1: an incremental scan resumes at its position, a full one starts anew once it is complete", () =>
    Effect.gen(function* () {
      const source = fakeSource(pages())
      const sink = fakeSink()
      const incremental = pipelineOf(source, { fake: { sink } }, { sync: "incremental" })
      yield* runOne(incremental)
      assert.strictEqual(yield* savedPosition, "3")
      source.pages = [...pages(), [record("g", { name: "G" })]]
      const second = countsOf(yield* runOne(incremental))
      assert.strictEqual(second.read, 1)
      assert.strictEqual(second.created, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("B10: a checkpoint that is damaged is refused with the way out, never read as another position", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const sink = fakeSink()
      const pipeline = pipelineOf(fakeSource(pages()), { fake: { sink } }, { sync: "incremental" })
      yield* runOne(pipeline)
      yield* sql`UPDATE checkpoints SET position = '1'`
      const report = yield* runOne(pipeline)
      assert.deepInclude(report, { status: "failed", read: 0 })
      assert.include(report.error?.message, "sluice state reset")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: a lost answer is asked for again with the same id and attempt where that is harmless", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) => {
        for (const row of batch.rows) deliver(sink, row)
        return sink.batches.length === 1 ? lost : batch.rows.map((row) => deliver(sink, row))
      }
      const report = yield* runOne(pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } }))
      assert.strictEqual(countsOf(report).delivered, 2)
      assert.deepStrictEqual(
        sink.batches.map(({ id, attempt }) => [id, attempt]),
        [
          [sink.batches[0]?.id, 1],
          [sink.batches[0]?.id, 1],
        ],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: after an answer the attempt grows", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) => (sink.batches.length === 1 ? away : batch.rows.map((row) => deliver(sink, row)))
      yield* runOne(pipelineOf(fakeSource([[record("a")]]), { fake: { sink } }))
      assert.deepStrictEqual(
        sink.batches.map((batch) => batch.attempt),
        [1, 2],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3, D17: where writing twice is wrong, a lost answer is in doubt and never sent again by itself", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { repeatable: false }
      sink.answer = () => lost
      const pipeline = pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } })
      const first = countsOf(yield* runOne(pipeline))
      assert.strictEqual(first.in_doubt, 2)
      assert.deepStrictEqual(
        (yield* deadLetters).map((letter) => letter.kind),
        ["in_doubt", "in_doubt"],
      )
      const second = countsOf(yield* runOne(pipeline))
      assert.strictEqual(second.in_doubt, 2)
      assert.strictEqual(sink.batches.length, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3, D04: a deferred row is tried again alone, and at last becomes a dead letter each run tries", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      let open = false
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          row.id === "a" && !open ? Outcome.Deferred({ id: row.id, message: "locked" }) : deliver(sink, row),
        )
      const pipeline = pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } })
      const first = countsOf(yield* runOne(pipeline))
      assert.deepInclude(first, { delivered: 1, rejected: 1 })
      assert.deepStrictEqual(
        sink.batches.slice(1).flatMap((batch) => batch.rows.map((row) => row.id)),
        ["a", "a", "a", "a"],
      )
      open = true
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.recovered["fake.things"]?.delivered, 1)
      assert.strictEqual(countsOf(report).unchanged, 2)
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3, D09: an outage makes no dead letters; its rows are pending and the run is resumable", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = () => away
      const report = yield* runOne(pipelineOf(fakeSource(pages()), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "Unavailable")
      assert.isAbove(countsOf(report).pending, 0)
      assert.strictEqual(countsOf(report).rejected, 0)
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 4: a record is not settled while its dead letter cannot be written; the run stops", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) => Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }))
      const pipeline = pipelineOf(fakeSource([[record("a")]]), { fake: { sink } })
      yield* breakTable("dead_letters")
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.error?.code, "StateError")
      assert.deepInclude(countsOf(report), { rejected: 0, pending: 1 })
      assert.isNull(yield* savedPosition)
      yield* mendTable
      assert.strictEqual(countsOf(yield* runOne(pipeline)).rejected, 1)
      assert.strictEqual((yield* deadLetters).length, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 4: fields left out of a delivered row are listed", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          Outcome.Delivered({
            id: row.id,
            effect: "created",
            // The last word on it counts.
            dropped: [
              { field: "SMS", code: "invalid", message: "is no number" },
              { field: "SMS", code: "duplicate", message: "belongs to another contact" },
            ],
          }),
        )
      const report = yield* runOne(pipelineOf(fakeSource([[record("a")]]), { fake: { sink } }))
      assert.isAbove(report.dropped["fake.things"] ?? 0, 0)
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* sql`SELECT field, code FROM dropped_fields`, [{ field: "SMS", code: "duplicate" }])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 8: outcomes of a batch commit together or not at all", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          row.id === "a" ? deliver(sink, row) : Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }),
        )
      yield* breakTable("dead_letters")
      yield* runOne(pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } }))
      assert.deepStrictEqual(yield* ledgerIds, [])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 8: the position and the ids of its pages are saved together", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      yield* breakTable("seen")
      const report = yield* runOne(pipelineOf(fakeSource(pages()), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "StateError")
      assert.isNull(yield* savedPosition)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 11, B04: a write that never answers does not keep a stopped run alive", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const asked = yield* Deferred.make<void>()
      sink.answer = () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
      const pipeline = pipelineOf(fakeSource(pages()), { fake: { sink } })
      const report = yield* runOne(pipeline, { stop: Deferred.await(asked), graceMillis: 1000 })
      assert.strictEqual(report.status, "interrupted")
      assert.strictEqual(countsOf(report).delivered, 0)
      sink.answer = (batch) => batch.rows.map((row) => deliver(sink, row))
      yield* runOne(pipeline)
      assert.strictEqual(sink.contents.size, 6)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 11, B03: a stop lets the batch in flight finish and commits it", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const asked = yield* Deferred.make<void>()
      sink.answer = (batch) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(asked, undefined)
          yield* Effect.sleep("500 millis")
          return batch.rows.map((row) => deliver(sink, row))
        })
      const pipeline = pipelineOf(fakeSource(pages()), { fake: { sink } })
      const report = yield* runOne(pipeline, { stop: Deferred.await(asked), graceMillis: 1000 })
      assert.strictEqual(report.status, "interrupted")
      assert.strictEqual(countsOf(report).delivered, 2)
      assert.deepStrictEqual(yield* ledgerIds, ["a", "b"])
      yield* runOne(pipeline)
      assert.strictEqual(sink.batches.flatMap((batch) => batch.rows).length, 6)
    }).pipe(Effect.provide(services())),
  )
})
