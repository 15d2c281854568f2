import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Outcome } from "../../src/plugin/outcome.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, deadLetters, runOne } from "./scenario.ts"

const map = { key: "id", id: "key", name: "name" }
const keyed = (id: string, key: string, name: string, version?: string) => record(id, { key, name }, version)

describe("rule 7: one id and one key at a time", () => {
  it.effect("rule 7: of two versions of a record the newer is sent, whichever came first", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 10 } }
      const source = fakeSource([
        [record("a", { name: "new" }, "2"), record("a", { name: "old" }, "1"), record("b", { name: "x" }, "1")],
        [record("b", { name: "y" }, "2")],
      ])
      const counts = countsOf(yield* runOne(pipelineOf(source, { fake: { sink } })))
      assert.strictEqual(sink.contents.get("a")?.name, "new")
      assert.strictEqual(sink.contents.get("b")?.name, "y")
      assert.deepInclude(counts, { read: 4, created: 2, superseded: 2 })
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a version older than the ledger's is superseded, not sent", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[record("a", { name: "new" }, "2")]])
      const pipeline = pipelineOf(source, { fake: { sink } })
      yield* runOne(pipeline)
      source.pages = [[record("a", { name: "old" }, "1")]]
      assert.strictEqual(countsOf(yield* runOne(pipeline)).superseded, 1)
      assert.strictEqual(sink.contents.get("a")?.name, "new")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a newer version that arrives while the older is in flight waits for it, and is judged again", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { limits: { rows: 1, concurrency: 2 } }
      const inFlight = new Set<string>()
      sink.answer = (batch) =>
        Effect.gen(function* () {
          for (const { id } of batch.rows) {
            assert.isFalse(inFlight.has(id), `${id} is in flight twice`)
            inFlight.add(id)
          }
          yield* Effect.sleep("1 second")
          for (const { id } of batch.rows) inFlight.delete(id)
          return batch.rows.map((row) => deliver(sink, row))
        })
      const values = ["A", "B", "A"]
      const source = fakeSource(values.map((name, at) => [record("a", { name }, String(at)), record(`x${at}`)]))
      const counts = countsOf(yield* runOne(pipelineOf(source, { fake: { sink } })))
      assert.strictEqual(sink.contents.get("a")?.name, "A")
      assert.strictEqual(counts.read, 6)
      assert.strictEqual(counts.pending, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 7: a value that returns to what was written last while another is in flight is sent, not unchanged",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const source = fakeSource([[record("a", { name: "A" }, "1")]])
        const pipeline = pipelineOf(source, { fake: { sink } })
        yield* runOne(pipeline)
        sink.writer = { limits: { rows: 1 } }
        sink.answer = (batch) =>
          Effect.sleep("1 second").pipe(Effect.map(() => batch.rows.map((row) => deliver(sink, row))))
        source.pages = [[record("a", { name: "B" }, "2")], [record("a", { name: "A" }, "3")]]
        yield* runOne(pipeline)
        assert.strictEqual(sink.contents.get("a")?.name, "A")
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: of two records with one key the first owns it, the other is a key_conflict naming both", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[keyed("a", "k", "A"), keyed("b", "k", "B")], [keyed("c", "k", "C")]])
      const pipeline = pipelineOf(source, { fake: { sink, map } })
      const counts = countsOf(yield* runOne(pipeline))
      assert.deepInclude(counts, { created: 1, rejected: 2 })
      assert.strictEqual(sink.contents.get("k")?.name, "A")
      const letters = yield* deadLetters
      assert.deepStrictEqual(
        letters.map(({ kind }) => kind),
        ["key_conflict", "key_conflict"],
      )
      assert.include(letters[0]?.message, "a")
      assert.include(letters[0]?.message, "b")
      assert.strictEqual(countsOf(yield* runOne(pipeline)).rejected, 2)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a later run finds who has a key, whether it is that record's id or not", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[keyed("a", "a", "A")]])
      const pipeline = pipelineOf(source, { fake: { sink, map } })
      yield* runOne(pipeline)
      source.pages = [[keyed("b", "a", "B")], [keyed("c", "k", "C")]]
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { created: 1, rejected: 1 })
      source.pages = [[keyed("d", "k", "D"), keyed("e", "a", "E"), keyed("k", "l", "K")]]
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { created: 1, rejected: 2 })
      assert.deepStrictEqual([...sink.contents.keys()], ["a", "k", "l"])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a key is free again when the record that held it was refused", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        batch.rows.map((row) =>
          row.id === "a" ? Outcome.Rejected({ id: "a", code: "bad", message: "refused" }) : deliver(sink, row),
        )
      const source = fakeSource([[keyed("a", "k", "A"), keyed("b", "k", "B"), keyed("c", "l", "C")]])
      const counts = countsOf(yield* runOne(pipelineOf(source, { fake: { sink, map } })))
      assert.deepInclude(counts, { created: 2, rejected: 1 })
      assert.strictEqual(sink.contents.get("k")?.name, "B")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: on_key_conflict newest gives the key to the newer record", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[keyed("a", "k", "A", "1")], [keyed("b", "k", "B", "2")]])
      const pipeline = pipelineOf(source, { fake: { sink, map, onKeyConflict: "newest" } })
      yield* runOne(pipeline)
      assert.strictEqual(sink.contents.get("k")?.name, "B")
      assert.strictEqual(sink.batches.at(-1)?.rows[0]?.remoteId, "r-k")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a record whose key changes is an update of its remote id", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const source = fakeSource([[keyed("a", "old", "A")]])
      const pipeline = pipelineOf(source, { fake: { sink, map } })
      yield* runOne(pipeline)
      source.pages = [[keyed("a", "new", "A")]]
      yield* runOne(pipeline)
      assert.deepInclude(sink.batches.at(-1)?.rows[0], { key: "new", remoteId: "r-old" })
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: rows of one partition are never in two open batches", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const open = new Map<string, number>()
      sink.writer = { limits: { rows: 1, concurrency: 3 }, partition: (row) => String(row.fields.name) }
      sink.answer = (batch) =>
        Effect.gen(function* () {
          const parent = String(batch.rows[0]?.fields.name)
          assert.strictEqual(open.get(parent) ?? 0, 0)
          open.set(parent, 1)
          yield* Effect.sleep("1 second")
          open.set(parent, 0)
          return batch.rows.map((row) => deliver(sink, row))
        })
      const rows = ["p", "p", "q", "p", "q", "r"].map((name, at) => record(`x${at}`, { name }))
      const counts = countsOf(yield* runOne(pipelineOf(fakeSource([rows]), { fake: { sink } })))
      assert.strictEqual(counts.created, 6)
    }).pipe(Effect.provide(services())),
  )
})
