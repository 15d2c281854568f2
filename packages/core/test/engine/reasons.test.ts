import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { identityGap, noCounts } from "../../src/engine/run/counts.ts"
import {
  Barred,
  BatchRefused,
  Misconfigured,
  Protocol,
  QuotaExhausted,
  RateLimited,
  Refused,
  SinkError,
  Unauthorized,
  Unavailable,
} from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { Batch } from "../../src/plugin/record.ts"
import { deliver, type FakeSink, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, deadLetters, ledgerIds, runOne, savedPosition } from "./scenario.ts"

const four = () => [["a", "b", "c", "d"].map((id) => record(id))]

const wide = (sink: FakeSink) => {
  sink.writer = { limits: { rows: 4 } }
}

const answered = (sink: FakeSink, batch: Batch) => batch.rows.map((row) => deliver(sink, row))

describe("what the engine does with each reason of a sink", () => {
  it.effect(
    "rule 2: exactly one outcome for each id: a sink that forgets a row does not pass for having written it",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        wide(sink)
        sink.answer = (batch) => answered(sink, batch).slice(1)
        const report = yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } }))
        assert.strictEqual(report.error?.code, "Protocol")
        assert.deepInclude(countsOf(report), { delivered: 0, pending: 4 })
        assert.deepStrictEqual(yield* ledgerIds, [])
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 2: an outcome for a row that was not in the batch is refused", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      wide(sink)
      sink.answer = (batch) =>
        batch.rows.map((row, at) => (at === 0 ? Outcome.Delivered({ id: "z", effect: "created" }) : deliver(sink, row)))
      const report = yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } }))
      assert.strictEqual(report.error?.code, "Protocol")
    }).pipe(Effect.provide(services())),
  )

  it("rule 2: a row that is counted nowhere, or twice, shows", () => {
    assert.strictEqual(identityGap({ ...noCounts(), read: 3, delivered: 1, unchanged: 1, pending: 1 }), 0)
    assert.strictEqual(identityGap({ ...noCounts(), read: 3, delivered: 1, unchanged: 1 }), 1)
    assert.strictEqual(identityGap({ ...noCounts(), read: 1, delivered: 1, filtered: 1 }), -1)
  })

  it.effect("BatchRefused: the batch is halved until the row that spoils it is alone", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      wide(sink)
      sink.answer = (batch) =>
        batch.rows.some((row) => row.id === "c")
          ? new BatchRefused({ message: "one of them is wrong", code: "invalid" })
          : answered(sink, batch)
      const counts = countsOf(yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } })))
      assert.deepInclude(counts, { created: 3, rejected: 1 })
      assert.deepInclude((yield* deadLetters)[0], { id: "c", code: "invalid" })
      assert.deepStrictEqual(
        sink.batches.map((batch) => batch.rows.map((row) => row.id).join("")),
        ["abcd", "ab", "cd", "c", "d"],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("a batch that fails half way settles what is known and sends only the rest again", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = {
        limits: { rows: 4 },
        write: (batch) => {
          sink.batches.push(batch)
          if (sink.batches.length > 1) return Effect.succeed(answered(sink, batch))
          const settled = batch.rows.slice(0, 2).map((row) => deliver(sink, row))
          const reason = new Unavailable({ message: "away", inDoubt: false })
          return Effect.fail(new SinkError({ reason, settled }))
        },
      }
      const counts = countsOf(yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } })))
      assert.strictEqual(counts.created, 4)
      assert.deepStrictEqual(
        sink.batches.map((batch) => batch.rows.map((row) => row.id).join("")),
        ["abcd", "cd"],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("RateLimited: the batch is sent again after the wait the vendor named, not before", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      wide(sink)
      sink.answer = (batch) =>
        sink.batches.length === 1
          ? new RateLimited({ message: "slow down", retryAfterMillis: 120_000 })
          : answered(sink, batch)
      const report = yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } }))
      assert.strictEqual(countsOf(report).created, 4)
      assert.isAtLeast(report.duration_ms, 120_000)
    }).pipe(Effect.provide(services())),
  )

  it.effect("D10: QuotaExhausted stops the run at once, resumable", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = () => new QuotaExhausted({ message: "no credits left" })
      const pipeline = pipelineOf(fakeSource(four()), { fake: { sink } })
      const report = yield* runOne(pipeline)
      assert.deepInclude(report, { status: "failed", resumable: true })
      assert.strictEqual(sink.batches.length, 1)
      assert.deepStrictEqual(yield* deadLetters, [])
      sink.answer = (batch) => answered(sink, batch)
      assert.strictEqual(countsOf(yield* runOne(pipeline)).created, 4)
    }).pipe(Effect.provide(services())),
  )

  for (const reason of [
    new Unauthorized({ message: "bad key" }),
    new Barred({ message: "the certificate is not trusted" }),
    new Misconfigured({ message: "no such list" }),
    new Protocol({ message: "not as described" }),
  ]) {
    it.effect(`${reason._tag} ends the run after one call and makes no dead letters`, () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        sink.answer = () => reason
        const report = yield* runOne(pipelineOf(fakeSource(four()), { fake: { sink } }))
        assert.strictEqual(report.error?.code, reason._tag)
        assert.strictEqual(sink.batches.length, 1)
        assert.deepStrictEqual(yield* deadLetters, [])
        assert.isNull(yield* savedPosition)
      }).pipe(Effect.provide(services())),
    )
  }

  it.effect("Refused stops its route; the others go on", () =>
    Effect.gen(function* () {
      const bad = fakeSink("bad")
      const good = fakeSink("good")
      bad.answer = () => new Refused({ message: "not like that", code: "bad_request" })
      const report = yield* runOne(pipelineOf(fakeSource(four()), { bad: { sink: bad }, good: { sink: good } }))
      assert.deepInclude(report.error, { code: "Refused", route: "bad.things" })
      assert.strictEqual(countsOf(report, "good.things").created, 4)
    }).pipe(Effect.provide(services())),
  )

  it.effect("B17: a defect in a plugin ends the run as a bug that names the plugin, not the data", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) => {
        throw new TypeError(`cannot read ${JSON.stringify(batch.rows[0]?.fields)}`)
      }
      const source = fakeSource([[record("a", { name: "canary-name" })]])
      const report = yield* runOne(pipelineOf(source, { fake: { sink } }))
      assert.strictEqual(report.error?.code, "Bug")
      assert.include(report.error?.message, "sink fake")
      assert.notInclude(JSON.stringify(report), "canary-name")
    }).pipe(Effect.provide(services())),
  )
})

describe("what the engine does with the reasons of a source", () => {
  it.effect("Unavailable: the scan is resumed after the last page", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a")], [record("b")], [record("c")]])
      const sink = fakeSink()
      source.failAfter = { pages: 1, reason: new Unavailable({ message: "away", inDoubt: false }) }
      const report = yield* runOne(pipelineOf(source, { fake: { sink } }))
      assert.strictEqual(report.status, "completed")
      assert.deepStrictEqual([...sink.contents.keys()].sort(), ["a", "b", "c"])
      assert.strictEqual(countsOf(report).read, 3)
    }).pipe(Effect.provide(services())),
  )

  it.effect("Unavailable: without any page in between the run gives up, resumable", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a")]])
      source.failAfter = { pages: 0, reason: new Unavailable({ message: "away", inDoubt: false }) }
      const report = yield* runOne(pipelineOf(source, { fake: { sink: fakeSink() } }))
      assert.deepInclude(report, { status: "failed", resumable: true })
      assert.strictEqual(source.scans.length, 4)
    }).pipe(Effect.provide(services())),
  )

  it.effect("PositionLost: the scan starts over, and it is said", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a")], [record("b")]])
      const sink = fakeSink()
      const pipeline = pipelineOf(source, { fake: { sink } }, { sync: "incremental" })
      yield* runOne(pipeline)
      source.losesPositions = true
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.status, "completed")
      assert.strictEqual(countsOf(report).unchanged, 2)
      assert.isTrue(report.notices.some((notice) => notice.includes("starts over")))
    }).pipe(Effect.provide(services())),
  )
})
