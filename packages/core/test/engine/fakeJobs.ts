/** A vendor with jobs that a test scripts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { SinkError, type SinkReason } from "../../src/plugin/errors.ts"
import type { Outcome } from "../../src/plugin/outcome.ts"
import type { Row, StoredBatch } from "../../src/plugin/record.ts"
import type { JobWriter } from "../../src/plugin/sink.ts"
import { deliver, type FakeSink } from "./fakes.ts"

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
