/** What memory keeps of a row: its payload goes once the row is spooled, settled or superseded. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Arrival, Entry, Write } from "../../src/engine/run/entry.ts"
import { type Lane, makeLane } from "../../src/engine/run/lane.ts"
import { fakeJobs } from "./fakeJobs.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, runOne } from "./scenario.ts"

const limits = { rows: 10, bytes: Number.POSITIVE_INFINITY }

const page = { position: 1, records: 1, keys: [], open: 1 }

const rowOf = (id: string) => ({ id, key: `key of ${id}`, change: "upsert" as const, fields: { name: "N" } })

const arrival = (id: string, version = "1"): Arrival => ({
  id,
  mapped: { _tag: "Row", record: record(id, { name: "N" }, version), row: rowOf(id), canonical: '{"name":"N"}' },
  pages: [page],
  position: undefined,
  tally: "run",
})

const write = (id: string): Write => ({ row: rowOf(id), hash: "h", bytes: 12, partition: "p", displaces: undefined })

const admitted = (lane: Lane, id = "a"): Entry => {
  const [entry] = lane.admit([arrival(id)]).free
  assert(entry !== undefined)
  return entry
}

const payload = ({ mapped, pages, row }: Entry) => ({
  data: mapped.record.data,
  fields: row.fields,
  pages: pages.length,
})

const whole = { data: { id: "a", name: "N" }, fields: { name: "N" }, pages: 1 }
const nothing = { data: {}, fields: {}, pages: 0 }

describe("entries let go of their payload", () => {
  it("when they are settled, sent or not", () => {
    const lane = makeLane(limits)
    const unchanged = admitted(lane)
    assert.deepStrictEqual(payload(unchanged), whole)
    lane.release(unchanged)
    assert.deepStrictEqual(payload(unchanged), nothing)

    const sent = admitted(lane)
    lane.enqueue(sent, write("a"))
    assert.deepStrictEqual(lane.take(), [sent])
    assert.deepStrictEqual(payload(sent), whole)
    lane.release(sent)
    assert.deepStrictEqual(payload(sent), nothing)
    assert.isTrue(lane.isEmpty())
  })

  it("when it is recorded that a newer version took their place, which has their pages from then on", () => {
    const lane = makeLane(limits)
    const old = admitted(lane)
    const { free, superseded } = lane.admit([arrival("a", "2")])
    assert.deepStrictEqual(superseded, [old])
    lane.forget(superseded)
    assert.deepStrictEqual(payload(old), nothing)
    assert.deepStrictEqual(free.map(payload), [{ ...whole, pages: 2 }])
  })

  it("when they are in the spool, but for what the job needs, and for their pages when it is over", () => {
    const lane = makeLane(limits, true)
    const entry = admitted(lane)
    lane.enqueue(entry, write("a"))
    lane.spool(lane.nextForSpool(limits))
    assert.deepStrictEqual(lane.launch(), [entry])
    assert.deepStrictEqual(payload(entry), { ...nothing, pages: 1 })
    assert.deepInclude(entry.row, { id: "a", key: "key of a", change: "upsert" })
    assert.deepInclude(entry.mapped.record, { key: "a", version: "1" })
    assert.strictEqual(entry.hash, "h")
    lane.conclude(entry)
    lane.releaseConcluded()
    assert.deepStrictEqual(payload(entry), nothing)
  })

  it("when they are rows of a job that an earlier run left", () => {
    const lane = makeLane(limits, true)
    const entry = admitted(makeLane(limits))
    lane.adopt([entry])
    assert.deepStrictEqual(payload(entry), { ...nothing, pages: 1 })
  })
})

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

describe("rule 12: large batches live on disk", () => {
  it.effect("no record of a job stays in memory while the job goes on", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const jobs = fakeJobs(sink)
      jobs.limits = { rows: 1000 }
      sink.writer = { jobs }
      const source = fakeSource(
        Array.from({ length: 25 }, (_, at) =>
          Array.from({ length: 20 }, (_, n) => record(`${at}.${n}`, { name: "N" })),
        ),
      )
      const records = source.pages.flat().map(({ data }) => new WeakRef(data))
      let kept: number | undefined
      jobs.answer = (rows) =>
        Stream.fromEffect(
          Effect.gen(function* () {
            source.pages = []
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
            collect()
            kept = records.filter((each) => each.deref() !== undefined).length
            return rows.map((row) => deliver(sink, row))
          }),
        )
      assert.deepInclude(countsOf(yield* runOne(pipelineOf(source, { fake: { sink } }))), { created: 500 })
      // A page may be in somebody's hands.
      assert(kept !== undefined)
      assert.isAtMost(kept, 20)
    }).pipe(Effect.provide(services())),
  )
})
