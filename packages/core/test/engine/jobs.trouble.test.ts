/** Jobs that a vendor loses, refuses or does not answer, and runs that end or die beside one. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { run } from "../../src/engine/run/run.ts"
import { BatchRefused, JobLost, RateLimited, Unavailable } from "../../src/plugin/errors.ts"
import { clean, fails, leftovers, setup } from "./fakeJobs.ts"
import { services } from "./fakes.ts"
import { advance, breakTable, countsOf, mendTable, runOne } from "./scenario.ts"

describe("jobs in trouble", () => {
  it.effect("rule 4: a state that fails while a job is followed ends the run, and the job stays open", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      jobs.limits = { rows: 3 }
      yield* breakTable("ledger")
      assert.deepInclude(yield* runOne(pipeline), { status: "failed", resumable: true })
      assert.deepInclude(yield* leftovers, { jobs: 1, spool: 3 })
      yield* mendTable
      assert.deepInclude((yield* runOne(pipeline)).recovered["fake.things"], { delivered: 3 })
      assert.strictEqual(jobs.submitted.length, 1)
      assert.strictEqual(sink.contents.size, 5)
    }).pipe(Effect.provide(services())),
  )

  it.effect("a job that the vendor lost is submitted again, and goes in batches when it is lost twice", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      const lost = new JobLost({ message: "unknown" })
      const answer = jobs.answer
      jobs.answer = (rows, ref) => (ref === "job-1" ? Stream.fromEffect(fails(lost)) : answer(rows, ref))
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5 })
      assert.deepStrictEqual(jobs.submitted[0]?.id, jobs.submitted[1]?.id)
      assert.strictEqual(jobs.submitted.length, 2)
      jobs.answer = () => Stream.fromEffect(fails(lost))
      assert.deepInclude(countsOf(yield* runOne(pipeline, { fullRefresh: true, force: true })), { delivered: 5 })
      assert.strictEqual(sink.batches.flatMap(({ rows }) => rows).length, 5)
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("a job that is refused for one of its rows goes in batches", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      jobs.beforeRef = () => fails(new BatchRefused({ message: "bad line", code: "bad" }))
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5 })
      assert.strictEqual(sink.batches.flatMap(({ rows }) => rows).length, 5)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: polls that fail for a time are repeated; an outage leaves the job open for the next run", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup()
      const answer = jobs.answer
      const away = fails(new Unavailable({ message: "away", inDoubt: false }))
      let outages = 3
      jobs.answer = (rows, ref) => (outages-- > 0 ? Stream.fromEffect(away) : answer(rows, ref))
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5 })

      outages = 1000
      const report = yield* runOne(pipeline, { fullRefresh: true, force: true })
      assert.deepInclude(report, { status: "failed", resumable: true })
      assert.deepInclude(countsOf(report), { read: 5, pending: 5 })
      assert.deepInclude(yield* leftovers, { jobs: 1, spool: 5 })

      outages = 0
      const scans = jobs.submitted.length
      const again = yield* runOne(pipeline)
      assert.deepInclude(again.recovered["fake.things"], { delivered: 5 })
      assert.strictEqual(jobs.submitted.length, scans, "the open job was re-attached, not submitted again")
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: a hand-over without an answer is repeated under the same id where that is harmless", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup()
      let silences = 2
      jobs.beforeRef = () =>
        Effect.suspend(() => (silences-- > 0 ? fails(new Unavailable({ message: "cut", inDoubt: true })) : Effect.void))
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5 })
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 3: a hand-over without an answer is never repeated where rows would be made twice", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, sink } = setup()
      sink.writer = { ...sink.writer, repeatable: false }
      let tries = 0
      jobs.beforeRef = () =>
        Effect.suspend(() => {
          tries += 1
          return fails(new Unavailable({ message: "cut", inDoubt: true }))
        })
      assert.deepInclude(countsOf(yield* runOne(pipeline)), { in_doubt: 5 })
      assert.strictEqual(tries, 1)
      assert.deepStrictEqual(sink.batches, [])
      assert.deepStrictEqual(yield* leftovers, clean)
    }).pipe(Effect.provide(services())),
  )

  it.effect("rule 11: a stop leaves the job open, and the next run settles it before it reads", () =>
    Effect.gen(function* () {
      const { jobs, pipeline, source } = setup()
      const answer = jobs.answer
      jobs.answer = () => Stream.never
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(run([pipeline], { stop: Deferred.await(stop) }))
      while (jobs.settled.length === 0) yield* advance("1 second")
      yield* Deferred.succeed(stop, undefined)
      while (fiber.pollUnsafe() === undefined) yield* advance("1 second")
      const [report] = (yield* Fiber.join(fiber)).pipelines
      assert.deepInclude(report, { status: "interrupted", resumable: true })
      jobs.answer = (rows, ref) => {
        assert.strictEqual(source.scans.length, 1, "nothing was read before the job was settled")
        return answer(rows, ref)
      }
      const next = yield* runOne(pipeline)
      assert.deepInclude(next.recovered["fake.things"], { delivered: 5 })
      assert.deepInclude(countsOf(next), { read: 5, unchanged: 5 })
      assert.strictEqual(jobs.submitted.length, 1)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 11: a stop before the hand-over leaves no job, and nothing in doubt where rows would be made twice",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink } = setup()
        sink.writer = { ...sink.writer, repeatable: false }
        let tries = 0
        const slow = new RateLimited({ message: "slow down", retryAfterMillis: 3_600_000 })
        jobs.beforeRef = () => Effect.suspend(() => (tries++ === 0 ? fails(slow) : Effect.void))
        const stop = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(run([pipeline], { stop: Deferred.await(stop) }))
        while (tries === 0) yield* advance("1 second")
        yield* Deferred.succeed(stop, undefined)
        while (fiber.pollUnsafe() === undefined) yield* advance("1 second")
        const [report] = (yield* Fiber.join(fiber)).pipelines
        assert.deepInclude(report, { status: "interrupted", resumable: true })
        assert.deepStrictEqual(yield* leftovers, clean)
        assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 5, in_doubt: 0 })
      }).pipe(Effect.provide(services())),
  )

  for (const repeatable of [true, false]) {
    it.effect(
      repeatable
        ? "rule 3: a job whose hand-over a crash cut short is submitted again under its id"
        : "rule 3: a job whose hand-over a crash cut short is in doubt where rows would be made twice",
      () =>
        Effect.gen(function* () {
          const { jobs, pipeline, sink } = setup()
          sink.writer = { ...sink.writer, repeatable }
          const ids: Array<string> = []
          const submit = jobs.submit
          sink.writer = {
            ...sink.writer,
            jobs: {
              ...jobs,
              submit: (batch) =>
                Effect.andThen(
                  Effect.sync(() => ids.push(batch.id)),
                  Effect.never,
                ),
            },
          }
          const fiber = yield* Effect.forkChild(run([pipeline]))
          while (ids.length === 0) yield* advance("1 second")
          yield* Fiber.interrupt(fiber)
          assert.deepInclude(yield* leftovers, { jobs: 1, spool: 5 })

          sink.writer = { ...sink.writer, jobs: { ...jobs, submit } }
          const report = yield* runOne(pipeline)
          const recovered = report.recovered["fake.things"]
          if (repeatable) {
            assert.deepInclude(recovered, { delivered: 5, in_doubt: 0 })
            assert.deepStrictEqual(
              jobs.submitted.map(({ id }) => id),
              ids,
            )
          } else {
            assert.deepInclude(recovered, { delivered: 0, in_doubt: 5 })
            assert.deepStrictEqual(jobs.submitted, [])
            assert.deepInclude(countsOf(report), { read: 5, in_doubt: 5 })
          }
          assert.deepStrictEqual(yield* leftovers, clean)
        }).pipe(Effect.provide(services())),
    )
  }
})
