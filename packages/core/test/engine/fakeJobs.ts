/** A vendor with jobs that a test scripts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import { SinkError, type SinkReason } from "../../src/plugin/errors.ts"
import type { Outcome } from "../../src/plugin/outcome.ts"
import type { Row, StoredBatch } from "../../src/plugin/record.ts"
import type { JobWriter } from "../../src/plugin/sink.ts"
import { deliver, type FakeSink, fakeSink, fakeSource, pipelineOf, record } from "./fakes.ts"

/** A vendor that takes jobs: what was handed over, and what it will say of it. */
export interface FakeJobs extends JobWriter {
  limits: { readonly rows: number; readonly bytes?: number }
  readonly submitted: Array<{ readonly id: string; readonly rows: ReadonlyArray<Row> }>
  readonly settled: Array<string>
  minimum: number
  /** What happens on a hand-over, around `saveRef`. */
  beforeRef: () => Effect.Effect<void, SinkError>
  afterRef: () => Effect.Effect<void, SinkError>
  answer: (rows: ReadonlyArray<Row>, ref: string) => Stream.Stream<ReadonlyArray<Outcome>, SinkError>
}

export const fails = (reason: SinkReason) => Effect.fail(new SinkError({ reason }))

export const fakeJobs = (sink: FakeSink): FakeJobs => {
  const jobs: FakeJobs = {
    limits: { rows: 100 },
    submitted: [],
    settled: [],
    minimum: 3,
    beforeRef: () => Effect.void,
    afterRef: () => Effect.void,
    answer: (rows) => Stream.succeed(rows.map((row) => deliver(sink, row))),
    worth: (rows) => rows >= jobs.minimum,
    submit: (batch: StoredBatch, saveRef) =>
      Effect.gen(function* () {
        const rows = (yield* Stream.runCollect(batch.rows)).flat()
        assert.strictEqual(rows.length, batch.count)
        yield* jobs.beforeRef()
        jobs.submitted.push({ id: batch.id, rows })
        yield* saveRef(`job-${jobs.submitted.length}`)
        yield* jobs.afterRef()
      }),
    settle: (ref, batch) => {
      jobs.settled.push(ref)
      return Stream.unwrap(Effect.map(Stream.runCollect(batch.rows), (pages) => jobs.answer(pages.flat(), ref)))
    },
  }
  return jobs
}

/** A route with one page of so many records, and a vendor that takes jobs. */
export const setup = (records = 5) => {
  const sink = fakeSink()
  const jobs = fakeJobs(sink)
  sink.writer = { jobs }
  const source = fakeSource([Array.from({ length: records }, (_, n) => record(`u${n}`, { name: `N${n}` }, "1"))])
  return { sink, jobs, source, pipeline: pipelineOf(source, { fake: { sink } }, { sync: "incremental" }) }
}

/** What the state still holds of jobs and batches. */
export const leftovers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const count = (table: string) =>
    Effect.map(sql<{ n: number }>`SELECT COUNT(*) AS n FROM ${sql(table)}`, (rows) => Number(rows[0]?.n))
  return { jobs: yield* count("jobs"), spool: yield* count("spool"), marks: yield* count("sending") }
})

export const clean = { jobs: 0, spool: 0, marks: 0 }
