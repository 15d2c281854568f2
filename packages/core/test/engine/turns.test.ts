/** A batch is made ready while the one before it is at the vendor, and goes when that one is answered. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { Writer } from "../../src/plugin/sink.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, runOne } from "./scenario.ts"

const pagesOfTwo = (pages: number) =>
  Array.from({ length: pages }, (_, page) => [record(`${page}-a`), record(`${page}-b`)])

/** What is marked at the end of each call, and how many calls there were at once. */
const watched = Effect.fnUntraced(function* (writer: Partial<Writer>) {
  const sql = yield* SqlClient.SqlClient
  const sink = fakeSink()
  sink.writer = writer
  const marks: Array<number> = []
  let calls = 0
  let most = 0
  sink.answer = (batch) =>
    Effect.gen(function* () {
      calls += 1
      most = Math.max(most, calls)
      yield* Effect.sleep("1 second")
      const rows = yield* sql<{ n: number }>`SELECT COUNT(*) AS n FROM sending`.pipe(Effect.orDie)
      marks.push(Number(rows[0]?.n))
      calls -= 1
      return batch.rows.map((row) => deliver(sink, row))
    })
  return { sink, marks, most: () => most }
})

describe("batches in line", () => {
  it.effect("the next batch is marked while one is at the vendor, and only one is there", () =>
    Effect.gen(function* () {
      const { sink, marks, most } = yield* watched({})
      const report = yield* runOne(pipelineOf(fakeSource(pagesOfTwo(6)), { fake: { sink } }))
      assert.strictEqual(countsOf(report).created, 12)
      assert.strictEqual(most(), 1)
      // The first answer is waited for (rule 13), after the last there is none.
      assert.deepStrictEqual(marks, [1, 2, 2, 2, 2, 1])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: where a mark left by a crash means doubt, none is made before its time", () =>
    Effect.gen(function* () {
      const { sink, marks } = yield* watched({ repeatable: false })
      yield* runOne(pipelineOf(fakeSource(pagesOfTwo(4)), { fake: { sink } }))
      assert.deepStrictEqual(marks, [1, 1, 1, 1])
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 13: a batch that is ready does not go when the one before it stops the route, and is no ghost", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.answer = (batch) =>
        Effect.gen(function* () {
          yield* Effect.sleep("1 second")
          if (sink.batches.length === 1) return batch.rows.map((row) => deliver(sink, row))
          return batch.rows.map(({ id }) => Outcome.Rejected({ id, code: "no", message: "no" }))
        })
      const route = { sink, maxRejected: { count: 1, percent: undefined } }
      const report = yield* runOne(pipelineOf(fakeSource(pagesOfTwo(6)), { fake: route }))
      assert.strictEqual(report.error?.code, "MaxRejected")
      assert.strictEqual(sink.batches.length, 2)
      assert.deepInclude(countsOf(report), { created: 2, rejected: 2 })
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* sql`SELECT * FROM sending`, [])
    }).pipe(Effect.provide(services())),
  )
})
