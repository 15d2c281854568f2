import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SqlClient from "effect/sql/SqlClient"
import { run } from "../../src/engine/run/run.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { SourceRecord } from "../../src/plugin/record.ts"
import { RunLock } from "../../src/state/lock.ts"
import { raiseFence } from "../../src/state/runs.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, deadLetters, ledgerIds, runOne, savedPosition } from "./scenario.ts"

const many = (count: number, name = "x"): ReadonlyArray<SourceRecord> =>
  Array.from({ length: count }, (_, at) => record(`u${String(at).padStart(4, "0")}`, { name }))

const refuseAll = (batch: { rows: ReadonlyArray<{ id: string }> }) =>
  batch.rows.map((row) => Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }))

describe("rule 10: one run of a pipeline at a time", () => {
  it.effect("rule 10, B07: a second run is refused while the first holds the lock", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const pipeline = pipelineOf(fakeSource([[record("a")]]), { fake: { sink } })
      let second: Exit.Exit<unknown, unknown> | undefined
      sink.answer = (batch) =>
        Effect.gen(function* () {
          second = yield* Effect.exit(inner)
          return batch.rows.map((row) => deliver(sink, row))
        })
      const services_ = yield* Effect.context<Effect.Services<ReturnType<typeof run>>>()
      const inner = run([pipeline]).pipe(Effect.provide(services_))
      yield* runOne(pipeline)
      assert(second !== undefined && Exit.isFailure(second))
      assert.include(JSON.stringify(second), "LockHeld")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 10, G02: of several pipelines one that is locked is reported, and the others run", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const locked = pipelineOf(fakeSource([[record("a")]]), { fake: { sink } })
      const free = { ...locked, id: "test.free", name: "free" }
      const lock = yield* RunLock
      const report = yield* Effect.scoped(Effect.andThen(lock.acquire(locked.id), run([locked, free])))
      assert.isFalse(report.ok)
      assert.deepStrictEqual(
        report.pipelines.map(({ error, status }) => [status, error?.code]),
        [
          ["failed", "LockHeld"],
          ["completed", undefined],
        ],
      )
      assert.strictEqual(sink.contents.size, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 10: a revived process finds the fence raised and commits nothing more", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const sink = fakeSink()
      sink.answer = (batch) =>
        raiseFence(sql, "test.users").pipe(
          Effect.orDie,
          Effect.map(() => batch.rows.map((row) => deliver(sink, row))),
        )
      const report = yield* runOne(pipelineOf(fakeSource([[record("a")], [record("b")]]), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "Fenced")
      assert.deepStrictEqual(yield* ledgerIds, [])
      assert.isNull(yield* savedPosition)
    }).pipe(Effect.provide(services())),
  )
})

describe("rule 12: bounded memory", () => {
  it.effect("rule 12, D14: a slow sink holds the source back to what two batches and two pages take", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const pages = Array.from({ length: 50 }, (_, page) => many(4).map(({ key }) => record(`${page}-${key}`)))
      let handedOver = 0
      let done = 0
      let mostHeld = 0
      sink.answer = (batch) =>
        Effect.gen(function* () {
          yield* Effect.sleep("1 second")
          mostHeld = Math.max(mostHeld, handedOver - done)
          done += batch.rows.length
          return batch.rows.map((row) => deliver(sink, row))
        })
      const report = yield* runOne(pipelineOf(fakeSource(pages), { fake: { sink } }), {
        onEvent: (event) =>
          Effect.sync(() => {
            if (event._tag === "Progress") handedOver = event.read
          }),
      })
      assert.isNull(report.error)
      assert.strictEqual(countsOf(report).created, 200)
      // A page of four that waits for room, four rows waiting, a batch of two in flight.
      assert.isAtMost(mostHeld, 10)
    }).pipe(Effect.provide(services())),
  )
})

describe("rule 13: the error budget", () => {
  it.effect("rule 13, E08: a first batch of which every row is refused stops the route at once", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = refuseAll
      const report = yield* runOne(pipelineOf(fakeSource([many(20), many(20)]), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "FirstBatchRefused")
      assert.strictEqual(sink.batches.length, 1)
      assert.isAbove(countsOf(report).pending, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 13: max_rejected.count stops the route, its rows hold the position, the other route goes on", () =>
    Effect.gen(function* () {
      const bad = fakeSink("bad")
      const good = fakeSink("good")
      bad.answer = (batch) =>
        batch.rows.map((row) =>
          row.id < "u0004" && row.id > "u0000"
            ? Outcome.Rejected({ id: row.id, code: "bad", message: "refused" })
            : deliver(bad, row),
        )
      const maxRejected = { percent: undefined, count: 2 }
      const pages = [many(6), many(12).slice(6), many(18).slice(12)]
      const report = yield* runOne(
        pipelineOf(fakeSource(pages), { bad: { sink: bad, maxRejected }, good: { sink: good } }),
      )
      assert.strictEqual(report.status, "failed")
      assert.strictEqual(report.error?.code, "MaxRejected")
      assert.strictEqual(countsOf(report, "good.things").created, 18)
      assert.isAbove(countsOf(report, "bad.things").pending, 0)
      // Not null: of batches that are made ready, the one whose mark is committed first goes first (ADR 0024).
      assert.isBelow(Number(yield* savedPosition), pages.length)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 13: percent counts from the hundredth row; known dead letters do not count", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 10 } }
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          /[05]$/.test(row.id) ? Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }) : deliver(sink, row),
        )
      const source = fakeSource([many(90)])
      const pipeline = pipelineOf(source, { fake: { sink, maxRejected: { percent: 10, count: undefined } } })
      assert.strictEqual((yield* runOne(pipeline)).status, "completed")
      source.pages = [many(120)]
      const second = yield* runOne(pipeline)
      assert.strictEqual(second.status, "completed")
      assert.strictEqual(countsOf(second).rejected, 24)
      source.pages = [many(120), many(400).slice(120)]
      assert.strictEqual((yield* runOne(pipeline)).error?.code, "MaxRejected")
    }).pipe(Effect.provide(services())),
  )
})

describe("rule 14: state belongs to accounts", () => {
  it.effect("rule 14: another destination account gets everything, also in an incremental run, and it is said", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const pipeline = pipelineOf(
        fakeSource([[record("a")], [record("b")]]),
        { fake: { sink } },
        { sync: "incremental" },
      )
      yield* runOne(pipeline)
      sink.account = "another"
      sink.contents.clear()
      const report = yield* runOne(pipeline)
      assert.strictEqual(sink.contents.size, 2)
      assert.isTrue(report.notices.some((notice) => notice.includes("another account")))
      sink.account = "account"
      assert.strictEqual(countsOf(yield* runOne(pipeline)).unchanged, 2)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 14, B15: a changed mapping is announced, read from the start, and sends what comes out differently",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const source = fakeSource([[record("a", { name: "A", city: "Bern" }), record("b", { name: "B" })]])
        yield* runOne(pipelineOf(source, { fake: { sink } }, { sync: "incremental" }))
        const changed = pipelineOf(
          source,
          { fake: { sink, map: { id: "id", name: "name", city: "city" } } },
          { sync: "incremental" },
        )
        const report = yield* runOne(changed)
        assert.deepInclude(countsOf(report), { updated: 1, unchanged: 1 })
        assert.isTrue(report.notices.some((notice) => notice.includes("mapping changed") && notice.includes("2 rows")))
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 14: the ledger compares rows together with the route's options", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a")]])
      yield* runOne(pipelineOf(source, { fake: { sink, options: "lists: [1]" } }))
      const report = yield* runOne(pipelineOf(source, { fake: { sink, options: "lists: [2]" } }))
      assert.strictEqual(countsOf(report).updated, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 14: another source account starts a scan of its own", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a")]])
      const sink = fakeSink()
      const pipeline = pipelineOf(source, { fake: { sink } }, { sync: "incremental" })
      yield* runOne(pipeline)
      source.account = "other-tenant"
      assert.strictEqual(countsOf(yield* runOne(pipeline)).read, 1)
    }).pipe(Effect.provide(services())),
  )
})

describe("rule 15: deletion by absence", () => {
  it.effect("rule 15, P01: what is gone from a complete scan is deleted once, by key and remote id", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(4)])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      yield* runOne(pipeline)
      source.pages = [many(3)]
      const report = yield* runOne(pipeline)
      assert.deepInclude(countsOf(report), { deleted: 1, unchanged: 3 })
      assert.deepInclude(sink.batches.at(-1)?.rows[0], { id: "u0003", change: "delete", remoteId: "r-u0003" })
      assert.strictEqual(sink.contents.size, 3)
      assert.strictEqual(countsOf(yield* runOne(pipeline)).deleted, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: keep is the default: nothing is sent, the report counts it", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(4)])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      source.pages = [many(3)]
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.kept["fake.things"]?.absent, 1)
      assert.strictEqual(sink.contents.size, 4)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: a record that the source still finds by its key is not deleted", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(4)])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      yield* runOne(pipeline)
      source.live = new Map([["u0003", record("u0003")]])
      source.pages = [many(3)]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).deleted, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15, P02: a scan that did not reach its end deletes nothing", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(4)])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      yield* runOne(pipeline)
      source.pages = [many(2)]
      assert.strictEqual(countsOf(yield* runOne(pipeline, { limit: 1 })).deleted, 0)
      assert.strictEqual(sink.contents.size, 4)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 15, P02: a scan with a gap deletes nothing, though the source does not find the record, and says so",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const source = fakeSource([many(4)])
        const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
        yield* runOne(pipeline)
        source.pages = [many(3)]
        source.gap = "a page could not be read"
        const report = yield* runOne(pipeline)
        assert.strictEqual(countsOf(report).deleted, 0)
        assert.isFalse(report.ok)
        assert.isTrue(report.notices.some((notice) => notice.includes("gap")))
        source.gap = undefined
        assert.strictEqual(countsOf(yield* runOne(pipeline)).deleted, 1)
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: what cannot be undone is done up to the number that was allowed, and by a complete scan", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a"), record("b"), record("c")]])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete", irreversible: ["delete"] } })
      yield* runOne(pipeline)
      source.pages = [[record("a"), { ...record("b"), change: "delete" }, record("c")]]
      assert.strictEqual(countsOf(yield* runOne(pipeline, { allowDeletes: 9 })).deleted, 0)
      source.pages = [[record("a")]]
      const held = yield* runOne(pipeline, { allowDeletes: 1 })
      assert.strictEqual(countsOf(held).deleted, 0)
      assert.isFalse(held.ok)
      assert.isTrue(held.notices.some((notice) => notice.includes("--allow-deletes 2")))
      assert.strictEqual(countsOf(yield* runOne(pipeline, { allowDeletes: 2 })).deleted, 2)
      assert.sameMembers([...sink.contents.keys()], ["a"])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: the mass-change guard holds deletions back until they are allowed", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(300)])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      sink.writer = { limits: { rows: 100 } }
      yield* runOne(pipeline)
      source.pages = [many(150)]
      const held = yield* runOne(pipeline)
      assert.strictEqual(countsOf(held).deleted, 0)
      assert.isFalse(held.ok)
      assert.isTrue(held.notices.some((notice) => notice.includes("--allow-deletes 150")))
      assert.strictEqual(countsOf(yield* runOne(pipeline, { allowDeletes: 150 })).deleted, 150)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: on_leave applies on_delete to a delivered record that where now excludes", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a", { ok: true }), record("b", { ok: true })]])
      const keeping = pipelineOf(source, { fake: { sink, where: "ok", onDelete: "delete" } })
      const leaving = pipelineOf(source, { fake: { sink, where: "ok", onDelete: "delete", onLeave: "on_delete" } })
      yield* runOne(keeping)
      source.pages = [[record("a", { ok: true }), record("b", { ok: false })]]
      const kept = yield* runOne(keeping)
      assert.deepInclude(countsOf(kept), { filtered: 1, deleted: 0 })
      assert.strictEqual(kept.kept["fake.things"]?.left, 1)
      assert.deepInclude(countsOf(yield* runOne(leaving)), { deleted: 1 })
      assert.strictEqual(sink.contents.size, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 15: an incremental run looks for deletions only when asked to", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([many(4)])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } }, { sync: "incremental" })
      yield* runOne(pipeline)
      source.pages = [many(3)]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).deleted, 0)
      assert.strictEqual(countsOf(yield* runOne(pipeline, { reconcile: true })).deleted, 1)
      assert.strictEqual(source.scans.at(-1)?.purpose, "keys")
    }).pipe(Effect.provide(services())),
  )
})

describe("rule 5: absent, null and value", () => {
  it.effect("rule 5: an absent source field is absent in the row, null is null", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a"), record("b", { name: null }), record("c", { name: "" })]])
      yield* runOne(pipelineOf(source, { fake: { sink } }))
      const rows = sink.batches.flatMap((batch) => batch.rows)
      assert.deepStrictEqual(
        rows.map((row) => row.fields),
        [{ id: "a" }, { id: "b", name: null }, { id: "c", name: "" }],
      )
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )
})
