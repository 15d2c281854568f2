import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { dropDeadLetters, listDeadLetters, retryDeadLetters, showDeadLetter } from "../../src/engine/deadLetters.ts"
import { listRuns, resetState, showState } from "../../src/engine/history.ts"
import type { Pipeline } from "../../src/engine/pipeline.ts"
import { run } from "../../src/engine/run/run.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import { deliver, type FakeSink, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { advance, countsOf, deadLetters, runOne } from "./scenario.ts"

const retry = (pipeline: Pipeline, numbers?: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(retryDeadLetters(pipeline, numbers === undefined ? {} : { numbers }))
    while (fiber.pollUnsafe() === undefined) yield* advance("5 seconds")
    return yield* Fiber.join(fiber)
  })

/** Ends a run as a crash would: in the middle of its first write, with nothing committed after it. */
const crash = (pipeline: Pipeline, sink: FakeSink) =>
  Effect.gen(function* () {
    const answer = sink.answer
    sink.answer = (batch) => {
      for (const row of batch.rows) deliver(sink, row)
      return Effect.never
    }
    const fiber = yield* Effect.forkChild(run([pipeline]))
    while (sink.batches.length === 0) yield* advance("1 second")
    yield* Fiber.interrupt(fiber)
    sink.answer = answer
  })

const refuseA = (sink: FakeSink) => {
  sink.answer = (batch) =>
    batch.rows.map((row) =>
      row.id === "a"
        ? Outcome.Rejected({ id: row.id, code: "bad_phone", message: "not a phone number", fields: ["SMS"] })
        : deliver(sink, row),
    )
}

const acceptAll = (sink: FakeSink) => {
  sink.answer = (batch) => batch.rows.map((row) => deliver(sink, row))
}

describe("dead letters", () => {
  it.effect("F04: a dead letter says what was refused, why, where and when", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      refuseA(sink)
      yield* runOne(pipelineOf(fakeSource([[record("a", { name: "A" }, "7"), record("b")]]), { fake: { sink } }))
      const [letter] = yield* listDeadLetters({})
      assert.deepInclude(letter, {
        pipeline: "test.users",
        route: "fake.things",
        account: "account",
        id: "a",
        row_key: "a",
        kind: "rejected",
        code: "bad_phone",
        attempts: 1,
        version: "7",
        position: "1",
        payload: null,
      })
      assert.deepStrictEqual(letter?.fields, ["SMS"])
      const shown = yield* showDeadLetter(letter?.number ?? 0)
      assert.deepInclude(JSON.parse(shown.payload ?? ""), {
        row: { id: "a", key: "a", change: "upsert", fields: { id: "a", name: "A" } },
      })
    }).pipe(Effect.provide(services())),
  )

  it.effect("F04: payload none keeps neither record nor row", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      refuseA(sink)
      const pipeline = pipelineOf(
        fakeSource([[record("a"), record("b")]]),
        { fake: { sink } },
        { deadLetters: { payload: "none" } },
      )
      yield* runOne(pipeline)
      const [letter] = yield* listDeadLetters({})
      assert.isNull((yield* showDeadLetter(letter?.number ?? 0)).payload)
    }).pipe(Effect.provide(services())),
  )

  it.effect("F02: retry sends the record as the source has it now, and closes what was delivered", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      refuseA(sink)
      const source = fakeSource([[record("a", { name: "A" }), record("b")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      source.pages = [[record("a", { name: "mended" }), record("b")]]
      const stillBad = yield* retry(pipeline)
      assert.strictEqual(stillBad.recovered["fake.things"]?.rejected, 1)
      assert.strictEqual((yield* listDeadLetters({}))[0]?.attempts, 2)
      acceptAll(sink)
      const report = yield* retry(pipeline)
      assert.strictEqual(report.recovered["fake.things"]?.delivered, 1)
      assert.strictEqual(sink.contents.get("a")?.name, "mended")
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "F02: retry after a changed mapping uses the new one, and does not announce a scan that it does not make",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        refuseA(sink)
        const source = fakeSource([[record("a", { name: "A", city: "Bern" }), record("b")]])
        yield* runOne(pipelineOf(source, { fake: { sink } }, { sync: "incremental" }))
        acceptAll(sink)
        const map = { id: "id", city: "city" }
        const report = yield* retry(pipelineOf(source, { fake: { sink, map } }, { sync: "incremental" }))
        assert.deepStrictEqual(sink.contents.get("a"), { id: "a", city: "Bern" })
        assert.deepStrictEqual(report.notices, [])
      }).pipe(Effect.provide(services())),
  )

  it.effect("F02: retry tries only the chosen ones", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 3 } }
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          row.id === "c" ? deliver(sink, row) : Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }),
        )
      const pipeline = pipelineOf(fakeSource([[record("a"), record("b"), record("c")]]), { fake: { sink } })
      yield* runOne(pipeline)
      acceptAll(sink)
      const chosen = (yield* listDeadLetters({})).find((letter) => letter.id === "b")
      yield* retry(pipeline, [chosen?.number ?? 0])
      assert.deepStrictEqual(
        (yield* deadLetters).map((letter) => letter.id),
        ["a"],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("retry never overwrites a newer version that was delivered since", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      refuseA(sink)
      const source = fakeSource([[record("a", { name: "one" }, "1"), record("b")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      acceptAll(sink)
      source.pages = [[record("a", { name: "two" }, "2"), record("b")]]
      yield* runOne(pipeline)
      assert.deepStrictEqual(yield* deadLetters, [], "a settled newer version closes the older dead letter")
      assert.strictEqual(sink.contents.get("a")?.name, "two")
    }).pipe(Effect.provide(services())),
  )

  it.effect("a record that returns to what the destination holds closes its dead letter", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a", { name: "good" }, "1"), record("b")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      refuseA(sink)
      source.pages = [[record("a", { name: "bad" }, "2"), record("b", { name: "x" })]]
      yield* runOne(pipeline)
      assert.strictEqual((yield* deadLetters).length, 1)
      source.pages = [[record("a", { name: "good" }, "3"), record("b", { name: "x" })]]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).unchanged, 2)
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )

  it.effect("drop gives dead letters up under the lock, and not over an interrupted batch", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      refuseA(sink)
      const source = fakeSource([[record("a"), record("b")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      source.pages = [[record("a", { name: "x" })]]
      sink.batches.length = 0
      yield* crash(pipeline, sink)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(dropDeadLetters({ pipeline: "test.users" }))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(resetState("test.users", "all"))))
      yield* runOne(pipeline)
      assert.strictEqual(yield* dropDeadLetters({ pipeline: "test.users" }), 1)
      assert.deepStrictEqual(yield* deadLetters, [])
    }).pipe(Effect.provide(services())),
  )
})

describe("recovery", () => {
  it.effect("a batch lost in a crash of a route that has left the file is in doubt, and blocks nothing", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a"), record("b")]])
      yield* crash(pipelineOf(source, { fake: { sink } }), sink)
      const report = yield* runOne(pipelineOf(source, { other: { sink: fakeSink("other") } }))
      assert.isTrue(report.notices.some((notice) => notice.startsWith("fake.things: no longer in the file; 2 rows")))
      assert.deepStrictEqual(
        (yield* deadLetters).map(({ kind }) => kind),
        ["in_doubt", "in_doubt"],
      )
      yield* resetState("test.users", "all")
    }).pipe(Effect.provide(services())),
  )

  it.effect("a batch lost in a crash is sent again where writing twice is harmless", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const pipeline = pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } })
      yield* crash(pipeline, sink)
      assert.strictEqual((yield* showState())[0]?.routes[0]?.open_batches, 1)
      const counts = countsOf(yield* runOne(pipeline))
      assert.strictEqual(counts.delivered, 2)
      assert.strictEqual((yield* showState())[0]?.routes[0]?.open_batches, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rows lost in a crash are in doubt where writing twice is wrong, and not sent again", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { repeatable: false }
      const pipeline = pipelineOf(fakeSource([[record("a"), record("b")]]), { fake: { sink } })
      yield* crash(pipeline, sink)
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.recovered["fake.things"]?.in_doubt, 2)
      assert.strictEqual(countsOf(report).in_doubt, 2)
      assert.strictEqual(sink.batches.length, 1)
      assert.isFalse(report.ok)
    }).pipe(Effect.provide(services())),
  )

  it.effect("a value that was lost in a crash and went back to the earlier one is sent, not called unchanged", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a", { name: "A" })]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      source.pages = [[record("a", { name: "B" })]]
      sink.batches.length = 0
      yield* crash(pipeline, sink)
      assert.strictEqual(sink.contents.get("a")?.name, "B")
      source.pages = [[record("a", { name: "A" })]]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).updated, 1)
      assert.strictEqual(sink.contents.get("a")?.name, "A")
    }).pipe(Effect.provide(services())),
  )

  it.effect("a record created by a lost write that then vanished is a deletion candidate", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a"), record("b")]])
      const pipeline = pipelineOf(source, { fake: { sink, onDelete: "delete" } })
      yield* crash(pipeline, sink)
      assert.strictEqual(sink.contents.size, 2)
      source.pages = [[record("b")]]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).deleted, 1)
      assert.deepStrictEqual([...sink.contents.keys()], ["b"])
    }).pipe(Effect.provide(services())),
  )
})

describe("state", () => {
  it.effect(
    "reset of the position scans everything again and sends nothing that is unchanged; all sends everything",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const pipeline = pipelineOf(
          fakeSource([[record("a"), record("b")]]),
          { fake: { sink } },
          { sync: "incremental" },
        )
        yield* runOne(pipeline)
        assert.strictEqual(countsOf(yield* runOne(pipeline)).read, 0)
        yield* resetState("test.users", "position")
        assert.deepInclude(countsOf(yield* runOne(pipeline)), { read: 2, unchanged: 2 })
        yield* resetState("test.users", "all")
        assert.deepInclude(countsOf(yield* runOne(pipeline)), { read: 2, updated: 2 })
        assert.strictEqual((yield* listRuns()).length, 4)
      }).pipe(Effect.provide(services())),
  )
})
