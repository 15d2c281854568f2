/** The job lane: rows are spooled, handed over as a vendor job, followed to its end and settled. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import { listDeadLetters, showDeadLetter } from "../../src/engine/deadLetters.ts"
import { run } from "../../src/engine/run/run.ts"
import { Unavailable } from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { Row } from "../../src/plugin/record.ts"
import { clean, fails, leftovers, setup } from "./fakeJobs.ts"
import { deliver, fakeSink, pipelineOf, record, services, servicesOver } from "./fakes.ts"
import { advance, countsOf, deadLetters, ledgerIds, runOne } from "./scenario.ts"

describe("jobs", () => {
  it.effect("enough rows become one job; a second run finds them unchanged", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      const counts = countsOf(yield* runOne(pipeline))
      assert.deepInclude(counts, { read: 5, delivered: 5, created: 5 })
      assert.strictEqual(jobs.submitted.length, 1)
      assert.deepStrictEqual(sink.batches, [])
      assert.deepStrictEqual(yield* leftovers, clean)
      assert.deepInclude(countsOf(yield* runOne(pipeline, { fullRefresh: true })), { read: 5, unchanged: 5 })
      assert.strictEqual(jobs.submitted.length, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect("`worth` is asked with the exact number of changed rows; too few go in batches", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      const asked: Array<number> = []
      sink.writer = { jobs: { ...jobs, worth: (rows) => asked.push(rows) > 0 && rows > 5 } }
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { read: 5, delivered: 5 })
      assert.deepStrictEqual(asked, [100, 5])
      assert.deepStrictEqual(
        sink.batches.map(({ rows }) => rows.length),
        [2, 2, 1],
      )
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("a writer whose largest job is not worth it spools nothing", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      jobs.minimum = 1000
      yield* runOne(pipeline)
      assert.strictEqual(sink.batches.length, 3)
      assert.strictEqual(jobs.submitted.length, 0)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 12: a job never holds more rows or bytes than its limits", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup(10)
      source.pages = [0, 1, 2].map((page) => [1, 2, 3, 4].map((n) => record(`${page}.${n}`, { name: "N" }, "1")))
      jobs.limits = { rows: 5 }
      jobs.minimum = 1
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { read: 12, delivered: 12 })
      for (const { rows } of jobs.submitted) assert.isAtMost(rows.length, 5)
      jobs.submitted.length = 0
      jobs.limits = { rows: 100, bytes: 70 }
      assert.deepInclude(countsOf(yield* runOne(pipeline, { fullRefresh: true, force: true })), { delivered: 12 })
      for (const { rows } of jobs.submitted) {
        assert.isAtMost(
          rows.reduce((sum, row) => sum + JSON.stringify(row.fields).length, 0),
          70,
        )
      }
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: a newer version replaces a spooled one, and only it reaches the job", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup()
      const first = Array.from({ length: 1000 }, (_, n) => record(`u${n}`, { name: "old" }, "1"))
      source.pages = [first, [record("u3", { name: "new" }, "2"), record("u4", { name: "older" }, "0")]]
      jobs.limits = { rows: 10_000 }
      const counts = countsOf(yield* runOne(pipeline))
      assert.deepInclude(counts, { read: 1002, delivered: 1000, superseded: 2 })
      const [job] = jobs.submitted
      assert.strictEqual(job?.rows.length, 1000)
      assert.deepStrictEqual(
        job?.rows.filter((row) => row.id === "u3" || row.id === "u4").map((row) => row.fields.name),
        ["old", "new"],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: what was replaced while another job went on does not reach the next job", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup()
      const page = (name: string, version: string, ...ids: ReadonlyArray<string>) =>
        ids.map((id) => record(id, { name }, version))
      source.pages = [page("N", "1", "a", "b", "c"), page("old", "1", "d", "e", "f"), page("new", "2", "d")]
      jobs.limits = { rows: 3 }
      const answer = jobs.answer
      jobs.answer = (rows, ref) =>
        Stream.concat(answer(rows, ref), Stream.unwrap(Effect.as(Effect.sleep("1 minute"), Stream.empty)))
      const fiber = yield* Effect.forkChild(runOne(pipeline))
      while (fiber.pollUnsafe() === undefined) yield* advance("1 minute")
      assert.deepInclude(countsOf(yield* Fiber.join(fiber)), { read: 7, delivered: 6, superseded: 1 })
      assert.deepStrictEqual(
        jobs.submitted.map(({ rows }) => rows.map((row) => `${row.id} ${row.fields.name}`)),
        [
          ["a N", "b N", "c N"],
          ["e old", "f old", "d new"],
        ],
      )
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 3: a row that a silent hand-over may have written is never called unchanged, though the job deferred it",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink, source } = setup()
        const named = (name: string, version: string) =>
          Array.from({ length: 5 }, (_, n) => record(`u${n}`, { name }, version))
        source.pages = [named("A", "1")]
        yield* runOne(pipeline)

        // The first hand-over is taken and not answered; to the second the vendor has no time for u2.
        let handOvers = 0
        jobs.beforeRef = () =>
          Effect.suspend(() => {
            handOvers += 1
            if (handOvers > 1) return Effect.void
            for (const row of named("B", "2")) sink.contents.set(row.key, { id: row.key, name: "B" })
            return fails(new Unavailable({ message: "cut", inDoubt: true }))
          })
        const answer = jobs.answer
        const busy = (row: Row) => Outcome.Deferred({ id: row.id, message: "busy" })
        jobs.answer = (rows) => Stream.succeed(rows.map((row) => (row.id === "u2" ? busy(row) : deliver(sink, row))))
        sink.writer = { ...sink.writer, write: ({ rows }) => Effect.succeed(rows.map(busy)) }
        source.pages = [named("B", "2")]
        assert.deepInclude(countsOf(yield* runOne(pipeline, { fullRefresh: true })), { delivered: 4, rejected: 1 })

        jobs.answer = answer
        sink.writer = { jobs }
        source.pages = [named("A", "3")]
        yield* runOne(pipeline, { fullRefresh: true })
        assert.strictEqual(sink.contents.get("u2")?.name, "A")
      }).pipe(Effect.provide(services())),
  )

  it.effect("deferred rows go in batches when the job is over", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      jobs.answer = (rows) =>
        Stream.succeed(
          rows.map((row) =>
            row.id === "u2" ? Outcome.Deferred({ id: row.id, message: "cannot" }) : deliver(sink, row),
          ),
        )
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5 })
      assert.deepStrictEqual(
        sink.batches.map(({ rows }) => rows.map((row) => [row.id, row.fields.name])),
        [[["u2", "N2"]]],
      )
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 4: refused rows and rows that no outcome names are dead letters with record and row", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup(30)
      jobs.answer = (rows) =>
        Stream.succeed(
          rows
            .slice(1)
            .map((row) =>
              row.id === "u2" ? Outcome.Rejected({ id: row.id, code: "bad", message: "no" }) : deliver(sink, row),
            ),
        )
      const counts = countsOf(yield* runOne(pipeline))
      assert.deepInclude(counts, { delivered: 28, rejected: 1, in_doubt: 1 })
      const letters = yield* listDeadLetters({})
      for (const letter of letters) {
        const { payload } = yield* showDeadLetter(letter.number)
        assert.strictEqual(JSON.parse(payload ?? "").record.data.name, letter.id.replace("u", "N"))
      }
      assert.deepStrictEqual(
        (yield* deadLetters).map(({ id, kind }) => [id, kind]),
        [
          ["u0", "in_doubt"],
          ["u2", "rejected"],
        ],
      )
      assert.notInclude(yield* ledgerIds, "u0")
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 8: outcomes that come slowly are committed as they come, and a job goes on after them", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      jobs.answer = (rows) =>
        Stream.concat(
          Stream.fromEffect(Effect.sleep("2 seconds")).pipe(
            Stream.map(() => [deliver(sink, rows[0] ?? assert.fail())]),
          ),
          Stream.never,
        )
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(run([pipeline], { stop: Deferred.await(stop) }))
      while ((yield* ledgerIds).length === 0) yield* advance("1 second")
      assert.deepInclude(yield* leftovers, { jobs: 1, spool: 5 })
      yield* Deferred.succeed(stop, undefined)
      while (fiber.pollUnsafe() === undefined) yield* advance("1 second")
      const [report] = (yield* Fiber.join(fiber)).pipelines
      assert(report !== undefined)
      assert.deepInclude(countsOf(report), { read: 5, delivered: 1, pending: 4 })
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 7: nothing newer of a record is written while its job goes on", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink, source } = setup()
      const many = Array.from({ length: 2000 }, (_, n) => record(`u${n}`, { name: "old" }, "1"))
      source.pages = [many, [record("u1", { name: "new" }, "2")]]
      jobs.limits = { rows: 1000 }
      const begun = yield* Latch.make()
      jobs.afterRef = () => begun.open
      source.before = (page) => (page === 1 ? Effect.void : begun.await)
      const ended = yield* Deferred.make<void>()
      const answer = jobs.answer
      jobs.answer = (rows, ref) => {
        if (ref !== "job-1") return answer(rows, ref)
        // All is settled and committed, but the job has not ended.
        return Stream.concat(answer(rows, ref), Stream.unwrap(Effect.as(Deferred.await(ended), Stream.empty)))
      }
      const fiber = yield* Effect.forkChild(run([pipeline]))
      while (jobs.settled.length === 0) yield* advance("1 second")
      yield* advance("1 minute")
      assert.deepStrictEqual([jobs.submitted.length, sink.batches.length], [1, 0])
      yield* Deferred.succeed(ended, undefined)
      while (fiber.pollUnsafe() === undefined) yield* advance("1 second")
      const [report] = (yield* Fiber.join(fiber)).pipelines
      assert(report !== undefined)
      assert.deepInclude(countsOf(report), { read: 2001, delivered: 2001 })
      assert.strictEqual(sink.contents.get("u1")?.name, "new")
    }).pipe(Effect.provide(services())),
  )

  it.effect("core's own check: a sink that names a row twice, or a stranger, stops the run and keeps the job", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      const answer = jobs.answer
      jobs.answer = (rows) => Stream.succeed([...rows, ...rows].map((row) => deliver(sink, row)))
      const report = yield* runOne(pipeline)
      assert.strictEqual(report.error?.code, "Protocol")
      assert.deepInclude(yield* leftovers, { jobs: 1 })
      jobs.answer = answer
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { pending: 0 })
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 4: an open job of a route that left the file is in doubt, and its spool goes", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup()
      jobs.answer = () => Stream.fromEffect(fails(new Unavailable({ message: "away", inDoubt: false })))
      yield* runOne(pipeline)
      const other = pipelineOf(source, { other: { sink: fakeSink("other") } }, { sync: "incremental" })
      const report = yield* runOne(other)
      assert.match(report.notices.join(), /fake.things: no longer in the file; 5 rows/)
      assert.strictEqual((yield* deadLetters).filter(({ kind }) => kind === "in_doubt").length, 5)
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("B10: a damaged job row or a missing row of a job stops the run before anything is sent", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup()
      const sql = yield* SqlClient.SqlClient
      jobs.answer = () => Stream.fromEffect(fails(new Unavailable({ message: "away", inDoubt: false })))
      yield* runOne(pipeline)
      yield* sql`DELETE FROM spool WHERE line = 2`
      assert.match((yield* runOne(pipeline)).error?.message ?? "", /rows of it are missing/)
      yield* sql`UPDATE jobs SET ref = 'job-9'`
      assert.match((yield* runOne(pipeline)).error?.message ?? "", /damaged in the state/)
      assert.strictEqual(jobs.submitted.length, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 9: with SLUICE_STATE_KEY no value of a spooled row is in the clear, and the job still gets them",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink } = setup()
        const sql = yield* SqlClient.SqlClient
        jobs.answer = () => Stream.fromEffect(fails(new Unavailable({ message: "away", inDoubt: false })))
        yield* runOne(pipeline)
        const lines = yield* sql<{ content: string }>`SELECT content FROM spool`
        assert.strictEqual(lines.length, 5)
        for (const { content } of lines) assert.match(content, /^aes256gcm\.[^{]*$/)
        jobs.answer = (rows) => Stream.succeed(rows.map((row) => deliver(sink, row)))
        yield* runOne(pipeline)
        assert.strictEqual(sink.contents.get("u4")?.name, "N4")
      }).pipe(Effect.provide(servicesOver(":memory:", { SLUICE_STATE_KEY: "ab".repeat(32) }))),
  )
})
