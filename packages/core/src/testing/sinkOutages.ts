/** Pipeline cases of a sink whose destination fails, says no, is slow or goes silent. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Writer } from "../plugin/sink.ts"
import { expect, fail } from "./case.ts"
import type { JsonAnswer } from "./destination.ts"
import { openSink, throttledAnswer, totalOf } from "./sinkBench.ts"
import {
  type Body,
  completed,
  type Done,
  holdsAll,
  names,
  noLetters,
  openPipeline,
  type PipelineBench,
  usual,
} from "./sinkPipelineBench.ts"

/** The vendor did it and the answer was lost: sent again where that is harmless, in doubt where not. */
export const losesAnswer =
  (skip: number): Body =>
  (suite, state) =>
    Effect.gen(function* () {
      const { writer } = yield* openSink(suite)
      const bench = yield* openPipeline(suite, state, { tolerant: true })
      bench.records(usual(bench))
      bench.meet({ kind: "lost" }, { skip, times: 1 })
      const first = yield* bench.run()
      yield* completed(first)
      const letters = yield* bench.letters
      if (writer.repeatable) {
        yield* expect(letters.length === 0, `${letters.length} dead letters: ${letters[0]?.message}`)
        const settled = first.counts.delivered + first.counts.unchanged
        yield* expect(settled === 120, `${settled} of 120 rows were delivered or found to be there`)
      } else {
        const { in_doubt } = first.counts
        yield* expect(letters.length === in_doubt, `${in_doubt} rows in doubt and ${letters.length} letters`)
        yield* expect(
          letters.every(({ kind }) => kind === "in_doubt"),
          "a lost answer made a dead letter of another kind",
        )
      }
      yield* completed(yield* bench.run())
      yield* holdsAll(bench, names(120))
    })

/** Rows of the route wait on disk for a job. */
const spools = ({ jobs }: Writer): boolean => jobs?.worth(jobs.limits.rows) === true

export const dies: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  if (spools(writer)) return "its rows go by jobs, which may read before they write"
  const bench = yield* openPipeline(suite, state, { tolerant: true })
  bench.records(usual(bench))
  bench.meet({ kind: "swallowed", wrote: () => totalOf(bench.destination) > 0 })
  const fiber = yield* Effect.forkChild(bench.run())
  while (totalOf(bench.destination) === 0) yield* Effect.sleep("10 millis")
  yield* Fiber.interrupt(fiber)
  bench.meet(undefined)
  const second = yield* bench.run()
  yield* completed(second)
  const doubtful = second.counts.in_doubt
  yield* expect(writer.repeatable ? doubtful === 0 : doubtful > 0, `${doubtful} rows are in doubt after the crash`)
  yield* expect(totalOf(bench.destination) <= 120, "rows were written twice")
  if (writer.repeatable) yield* holdsAll(bench, names(120))
})

/** The run failed, lost nothing, and what is left is done by the next. */
const resumes = Effect.fnUntraced(function* (
  bench: PipelineBench,
  { report, counts }: Done,
  codes: ReadonlyArray<string>,
) {
  yield* expect(report.status === "failed" && report.resumable, `the run ended as ${report.status}`)
  yield* expect(
    codes.includes(report.error?.code ?? ""),
    `it stopped for ${report.error?.code}: ${report.error?.message}`,
  )
  yield* expect(counts.rejected === 0, `${counts.rejected} rows were rejected although none is bad`)
  bench.meet(undefined)
  yield* completed(yield* bench.run())
})

export const outage: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench))
  bench.meet({ kind: "cut" })
  const first = yield* bench.run()
  if (!writer.repeatable) {
    yield* expect(first.counts.rejected === 0, "an outage made dead letters")
    return
  }
  yield* expect(first.counts.in_doubt === 0, "an outage left rows in doubt that can be written again")
  yield* noLetters(bench)
  yield* resumes(bench, first, ["Unavailable"])
  yield* noLetters(bench)
  yield* holdsAll(bench, names(120))
})

/** The vendor says no to everything: it is asked at most three times, and nothing is lost. */
const refusesAll = (answer: JsonAnswer, codes: ReadonlyArray<string>): Body =>
  Effect.fnUntraced(function* (suite, state) {
    const bench = yield* openPipeline(suite, state)
    bench.records(usual(bench))
    bench.meet({ kind: "answer", answer })
    const first = yield* bench.run()
    const more = bench.faulty.afterAnswer()
    yield* expect(more <= 2, `${more} calls began after the vendor had said no`)
    yield* noLetters(bench)
    yield* resumes(bench, first, codes)
    yield* holdsAll(bench, names(120))
  })

export const unauthorized: Body = refusesAll({ status: 401, body: {} }, ["Unauthorized"])

export const exhausts: Body = (suite, state) =>
  suite.exhausted === undefined
    ? Effect.succeed("the vendor has no allowance")
    : refusesAll(suite.exhausted, ["QuotaExhausted", "Forbidden"])(suite, state)

/** READ is at most two pages ahead of the one it puts on a route, which holds two batches or a page and one more. */
export const slow: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  if (spools(writer)) return "its rows wait on disk for a job"
  const { rows, concurrency = 1 } = writer.limits
  const page = 20
  const most = 4 * page + Math.max(2 * rows, page) + concurrency * rows
  if (most > 5000) return "its batches are larger than this case can fill"
  const bench = yield* openPipeline(suite, state)
  const count = Math.ceil((most * 1.5) / page) * page
  bench.records(usual(bench, count), page)
  let ahead = 0
  bench.faulty.set({ kind: "slow", millis: 2000 })
  bench.script.onPage = (n) => {
    ahead = Math.max(ahead, (n + 1) * page - totalOf(bench.destination))
  }
  yield* completed(yield* bench.run())
  yield* expect(ahead <= most, `the source was ${ahead} rows ahead, more than ${most}`)
  yield* holdsAll(bench, names(count))
})

export const throttle: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench))
  bench.meet({ kind: "answer", answer: throttledAnswer(suite) }, { times: 1 })
  const { counts } = yield* Effect.tap(bench.run(), completed)
  const pause = bench.faulty.pause()
  if (pause === undefined) return yield* fail("nothing was sent after the 429")
  yield* expect(pause >= 7000, `the next call came after ${pause} ms, not the seven seconds that were asked for`)
  yield* expect(pause <= 60_000, `the next call came after ${pause} ms, long after the seven seconds`)
  yield* expect(counts.delivered === 120, `${counts.delivered} of 120 were delivered`)
  yield* noLetters(bench)
  yield* holdsAll(bench, names(120))
})

export const stops: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench, 300))
  const stop = yield* Deferred.make<void>()
  bench.meet({ kind: "slow", millis: 2000 })
  const fiber = yield* Effect.forkChild(bench.run({ stop: Deferred.await(stop) }))
  while (bench.faulty.requests() === 0) yield* Effect.sleep("10 millis")
  yield* Deferred.succeed(stop, undefined)
  const { report, counts } = yield* Fiber.join(fiber)
  yield* expect(report.status === "interrupted" && report.resumable, `the stopped run ended as ${report.status}`)
  yield* expect(counts.in_doubt + counts.rejected === 0, "a stop left rows in doubt or rejected")
  yield* expect(totalOf(bench.destination) < 300, "the run was done before it could be stopped")
  bench.meet(undefined)
  yield* completed(yield* bench.run())
  yield* holdsAll(bench, names(300))
})
