/** When a spool closes, and what goes on beside a job. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { RunEvent } from "../../src/engine/report.ts"
import { run } from "../../src/engine/run/run.ts"
import { Unauthorized, Unavailable } from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { Row } from "../../src/plugin/record.ts"
import { fails, fakeJobs } from "./fakeJobs.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { advance, countsOf, deadLetters, ledgerIds, runOne } from "./scenario.ts"
import { slowServices } from "./slowState.ts"

const setup = (...sizes: ReadonlyArray<number>) => {
  const sink = fakeSink()
  const jobs = fakeJobs(sink)
  sink.writer = { jobs }
  const pages = sizes.map((size, page) =>
    Array.from({ length: size }, (_, n) => record(`${page}.${n}`, { name: "N" }, "1")),
  )
  const source = fakeSource(pages)
  return { sink, jobs, source, pipeline: pipelineOf(source, { fake: { sink } }, { sync: "incremental" }) }
}

describe("spools", () => {
  it.effect("a spool with no room for the next row closes at once when nothing more comes, not when it is old", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup(12)
      jobs.limits = { rows: 100, bytes: 70 }
      const report = yield* runOne(pipeline)
      assert.deepInclude(countsOf(report), { delivered: 12 })
      assert.isBelow(report.duration_ms, 60_000)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 2: what a job defers is sent also where the job before it was still being put away when it began",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink, source } = setup(3)
        source.pages = [...source.pages, [record("0.1", { name: "newer" }, "2")]]
        const begun = yield* Latch.make()
        jobs.afterRef = () => begun.open
        source.before = (page) => (page === 1 ? Effect.void : begun.await)
        jobs.limits = { rows: 3 }
        jobs.minimum = 1
        const later = Effect.sleep("1 minute")
        jobs.answer = (rows, ref) =>
          Stream.unwrap(
            Effect.as(
              later,
              Stream.succeed(
                rows.map((row) =>
                  ref === "job-1" ? deliver(sink, row) : Outcome.Deferred({ id: row.id, message: "cannot" }),
                ),
              ),
            ),
          )
        assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 4, pending: 0 })
        assert.strictEqual(sink.contents.get("0.1")?.name, "newer")
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 2: a parked row that is judged while the last batches are answered finds its spool open", () =>
    Effect.gen(function* () {
      const { sink, source } = setup()
      const map = { key: "id", id: "key", name: "name" }
      const keyed = (id: string, key: string, version: string) => record(id, { key, name: id }, version)
      source.pages = [[keyed("a", "k", "1"), keyed("b", "l", "1"), keyed("c", "k", "2")]]
      sink.writer = { ...sink.writer, limits: { rows: 1, concurrency: 2 } }
      const report = yield* runOne(pipelineOf(source, { fake: { sink, map, onKeyConflict: "newest" } }))
      assert.deepInclude(countsOf(report), { delivered: 3, pending: 0 })
      assert.strictEqual(sink.contents.get("k")?.name, "c")
    }).pipe(Effect.provide(slowServices())),
  )

  it.effect("a spool whose rows all turned out unchanged makes no empty job", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup(1000)
      jobs.limits = { rows: 10_000 }
      jobs.minimum = 0
      yield* runOne(pipeline)
      const named = (name: string, version: string) =>
        (source.pages[0] ?? []).map(({ key }) => record(key, { name }, version))
      source.pages = [named("M", "2"), named("N", "3")]
      const counts = countsOf(yield* runOne(pipeline, { fullRefresh: true }))
      assert.deepInclude(counts, { read: 2000, superseded: 1000, unchanged: 1000 })
      assert.strictEqual(jobs.submitted.length, 1)
    }).pipe(Effect.provide(services())),
  )

  const reads: Array<string> = []
  it.effect("rule 12: when the run stops, the rows of a job that go back are not all brought into memory", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup(9000)
      jobs.limits = { rows: 9000 }
      jobs.answer = (rows) => Stream.succeed(rows.map((row) => Outcome.Deferred({ id: row.id, message: "cannot" })))
      sink.answer = () => {
        reads.length = 0
        return new Unauthorized({ message: "the key is gone" })
      }
      const report = yield* runOne(pipeline)
      assert.deepInclude(countsOf(report), { read: 9000, pending: 9000 })
      assert.isAtMost(reads.length, 2)
    }).pipe(
      Effect.provide(
        slowServices({ turns: 0, watch: (sql) => void (/SELECT .* FROM spool/s.test(sql) && reads.push(sql)) }),
      ),
    ),
  )
})

describe("jobs", () => {
  it.effect(
    "rule 12: a sink whose vendor takes millions of rows gets jobs of 100,000: they are an index in memory",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink } = setup(2)
        const asked: Array<number> = []
        sink.writer = { jobs: { ...jobs, limits: { rows: 150_000_000 }, worth: (rows) => asked.push(rows) > 0 } }
        yield* runOne(pipeline)
        assert.deepStrictEqual(asked, [100_000, 2])
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 8: a thousand outcomes are committed at a time, however many come at once", () =>
    Effect.gen(function* () {
      const { pipeline, jobs } = setup(2500)
      jobs.limits = { rows: 2500 }
      let delivered = 0
      const steps: Array<number> = []
      const onEvent = (event: RunEvent) =>
        Effect.sync(() => {
          if (event._tag !== "Progress") return
          const now = event.routes["fake.things"]?.delivered ?? 0
          steps.push(now - delivered)
          delivered = now
        })
      yield* runOne(pipeline, { onEvent })
      assert.deepStrictEqual(
        steps.filter((step) => step > 0),
        [1000, 1000, 500],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 10: a run that another has taken over while it hands a job over says so", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup(5)
      const sql = yield* SqlClient.SqlClient
      jobs.beforeRef = () => Effect.orDie(sql`UPDATE fences SET fence = fence + 1`)
      assert.strictEqual((yield* runOne(pipeline)).error?.code, "Fenced")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: what a silent hand-over may have written is not forgotten by a crash after the next one", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink, source } = setup(5)
      const named = (name: string, version: string) =>
        Array.from({ length: 5 }, (_, n) => record(`u${n}`, { name }, version))
      source.pages = [named("A", "1")]
      yield* runOne(pipeline)

      // The first hand-over writes all and is not answered; the process dies while the second is followed.
      let handOvers = 0
      jobs.beforeRef = () =>
        Effect.suspend(() => {
          handOvers += 1
          if (handOvers > 1) return Effect.void
          for (const row of named("B", "2")) sink.contents.set(row.key, { id: row.key, name: "B" })
          return fails(new Unavailable({ message: "cut", inDoubt: true }))
        })
      jobs.answer = () => Stream.never
      source.pages = [named("B", "2")]
      const fiber = yield* Effect.forkChild(run([pipeline], { fullRefresh: true }))
      while (jobs.settled.length < 2) yield* advance("1 second")
      yield* Fiber.interrupt(fiber)

      jobs.answer = (rows) =>
        Stream.succeed(rows.map((row) => Outcome.Rejected({ id: row.id, code: "busy", message: "busy" })))
      yield* runOne(pipeline)
      source.pages = [named("A", "3")]
      jobs.answer = (rows) => Stream.succeed(rows.map((row) => deliver(sink, row)))
      yield* runOne(pipeline, { fullRefresh: true })
      assert.strictEqual(sink.contents.get("u2")?.name, "A")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 4: of a job whose route left the file, only rows without an answer are in doubt", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink, source } = setup(5)
      const refused = (row: Row) => Outcome.Rejected({ id: row.id, code: "bad", message: "no" })
      const first = Stream.fromEffect(Effect.sleep("2 seconds"))
      jobs.answer = ([a, b]) =>
        Stream.concat(
          Stream.map(first, () => (a === undefined || b === undefined ? [] : [deliver(sink, a), refused(b)])),
          Stream.never,
        )
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(run([pipeline], { stop: Deferred.await(stop) }))
      while ((yield* ledgerIds).length === 0) yield* advance("1 second")
      yield* Deferred.succeed(stop, undefined)
      while (fiber.pollUnsafe() === undefined) yield* advance("1 second")

      const other = pipelineOf(source, { other: { sink: fakeSink("other") } }, { sync: "incremental" })
      assert.match((yield* runOne(other)).notices.join(), /fake.things: no longer in the file; 3 rows/)
      assert.deepStrictEqual(
        (yield* deadLetters).map(({ id, kind }) => [id, kind]),
        [
          ["0.1", "rejected"],
          ["0.2", "in_doubt"],
          ["0.3", "in_doubt"],
          ["0.4", "in_doubt"],
        ],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 7: a version takes the place of one that a job gave back and of one that waits for another's key",
    () =>
      Effect.gen(function* () {
        const sink = fakeSink()
        const jobs = fakeJobs(sink)
        jobs.limits = { rows: 3 }
        sink.writer = { jobs, limits: { rows: 1 }, repeatable: false }
        const keyed = (id: string, key: string, version: string) => record(id, { key, name: version }, version)
        const source = fakeSource([
          [keyed("d", "kd", "1"), keyed("x", "kx", "1"), keyed("c", "kc", "1")],
          [keyed("x", "kd", "2")],
          [keyed("x", "kx", "3")],
        ])
        const [inJob, inBatch] = [yield* Latch.make(), yield* Latch.make()]
        const [second, third] = [yield* Latch.make(), yield* Latch.make()]
        source.before = (page) => [inJob, inBatch][page - 2]?.await ?? Effect.void
        jobs.answer = (rows) =>
          Stream.fromEffect(
            Effect.gen(function* () {
              yield* inJob.open
              yield* second.await
              return rows.map((row) =>
                row.id === "c" ? deliver(sink, row) : Outcome.Deferred({ id: row.id, message: "busy" }),
              )
            }),
          )
        sink.answer = (batch) =>
          Effect.gen(function* () {
            yield* inBatch.open
            yield* third.await
            return batch.rows.map((row) => deliver(sink, row))
          })
        const map = { key: "id", id: "key", name: "name" }
        const onEvent = (event: RunEvent) => {
          const arrived = event._tag === "Progress" ? [second, third][event.read - 4] : undefined
          return Effect.asVoid(arrived?.open ?? Effect.void)
        }
        const report = yield* runOne(pipelineOf(source, { fake: { sink, map } }), { onEvent })
        assert.deepInclude(countsOf(report), { read: 5, created: 3, superseded: 2, pending: 0 })
        assert.deepStrictEqual(
          sink.batches.map(({ rows }) => rows.map(({ id, fields }) => [id, fields.name])),
          [[["d", "1"]], [["x", "3"]]],
        )
      }).pipe(Effect.provide(services())),
  )
})
