/** What a source does in a pipeline, run by the shipped engine over a state in memory, as cases for any test runner. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { RunOptions } from "../engine/run/options.ts"
import { run } from "../engine/run/run.ts"
import { type ConformanceCase, ConformanceError, expect, fail, given, onClock, unexpected } from "./case.ts"
import { hides, secretsOf } from "./configCases.ts"
import { makeFaulty } from "./faulty.ts"
import { NAME, onlyPipeline } from "./planning.ts"
import { type Recorded, recordingSink } from "./scripted.ts"
import type { State } from "./sinkPipelineBench.ts"
import type { SourceConformance } from "./sourceBench.ts"

/** The cases. `state` gives each its own: `layer({ stateFile: ":memory:", env: {} })` of `@sluice/cli/node`. */
export const sourcePipelineConformance = (
  suite: SourceConformance<unknown>,
  state: State,
): ReadonlyArray<ConformanceCase> => {
  const inPipeline = (title: string, body: Body) =>
    onClock(`in a pipeline: ${title}`, Effect.flatMap(openPipeline(suite, state), body))
  return [
    inPipeline("a run delivers every record, and the next one nothing", twice),
    inPipeline("a run that is stopped loses nothing", stops),
    inPipeline("an outage loses nothing, and is sat out or resumed", outage),
    inPipeline("what was deleted is found by what is absent", absent),
  ]
}

type Bench = Effect.Success<ReturnType<typeof openPipeline>>
type Body = (bench: Bench) => Effect.Effect<unknown, ConformanceError, Scope>

const openPipeline = Effect.fnUntraced(function* (suite: SourceConformance<unknown>, state: State) {
  const origin = yield* given(suite.origin())
  const faulty = makeFaulty(origin.client)
  const recorded: Recorded = { rows: new Map(), writes: 0 }
  const pipeline = yield* onlyPipeline(
    {
      sources: { [NAME]: { use: "plugin", ...suite.config } },
      sinks: { record: { use: "recording" } },
      pipelines: {
        all: {
          from: `${NAME}.${suite.stream}`,
          with: suite.options ?? {},
          to: { "record.rows": { key: "id", map: { id: suite.key } } },
        },
      },
    },
    { plugin: { source: suite.source }, recording: { sink: recordingSink(recorded) } },
  )
  const services = yield* Layer.build(Layer.fresh(state)).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `the state does not open: ${error.message}` })),
  )
  const runOnce = (options?: RunOptions) =>
    Effect.gen(function* () {
      const { pipelines } = yield* run([pipeline], options).pipe(
        Effect.provideService(HttpClient.HttpClient, faulty.client),
        Effect.provide(services),
        Effect.mapError(unexpected("the run")),
      )
      const [report] = pipelines
      const counts = report === undefined ? undefined : Object.values(report.routes)[0]
      if (report === undefined || counts === undefined) return yield* fail("the run has no report")
      yield* expect(report.error?.code !== "Bug", `the run ended with a bug: ${report.error?.message}`)
      yield* hides(secretsOf(suite), JSON.stringify(report), "the report")
      return { report, counts }
    })
  return { suite, origin, faulty, recorded, run: runOnce }
})

const finished = Effect.fnUntraced(function* (bench: Bench) {
  const { counts, report } = yield* bench.run()
  yield* expect(report.status === "completed", `the run did not complete: ${report.error?.message}`)
  const missing = bench.origin.keys().filter((key) => !bench.recorded.rows.has(key))
  yield* expect(missing.length === 0, `${missing.length} records never arrived, ${missing[0]} first`)
  yield* expect(
    bench.recorded.writes === bench.recorded.rows.size,
    `${bench.recorded.writes} rows were written for ${bench.recorded.rows.size} records`,
  )
  const gap = report.completeness?.gap
  yield* expect(gap === undefined, `the source reports a gap: ${gap}`)
  return counts
})

const twice: Body = Effect.fnUntraced(function* (bench) {
  const all = bench.origin.keys().length
  const first = yield* finished(bench)
  yield* expect(first.read === all, `${first.read} of ${all} records were read`)
  const second = yield* finished(bench)
  yield* expect(second.unchanged === second.read, "a record that did not change was sent again")
})

const stops: Body = Effect.fnUntraced(function* (bench) {
  const all = bench.origin.keys().length
  const stop = yield* Deferred.make<void>()
  bench.faulty.set({ kind: "slow", millis: 1000 })
  const fiber = yield* Effect.forkChild(bench.run({ stop: Deferred.await(stop) }))
  while (bench.recorded.writes === 0) yield* Effect.sleep("10 millis")
  yield* Deferred.succeed(stop, undefined)
  const { counts, report } = yield* Fiber.join(fiber)
  yield* expect(report.status === "interrupted", `the stopped run ended as ${report.status}`)
  yield* expect(counts.read < all, "the run was done before it could be stopped")
  bench.faulty.set(undefined)
  const rest = yield* finished(bench)
  yield* expect(rest.read < all, "the next run read everything again")
})

const outage: Body = Effect.fnUntraced(function* (bench) {
  bench.faulty.set({ kind: "cut" }, { skip: 2 })
  const { report } = yield* bench.run()
  yield* expect(
    report.status === "failed" && report.error?.code === "Unavailable" && report.resumable,
    `an outage ended the run as ${report.status}: ${report.error?.code}`,
  )
  bench.faulty.set(undefined)
  yield* finished(bench)
})

/** Rule 15, as far as a source is asked: nothing that is there is taken for deleted. */
const absent: Body = Effect.fnUntraced(function* (bench) {
  yield* finished(bench)
  const { report } = yield* bench.run({ fullRefresh: true })
  const kept = Object.values(report.kept).reduce((sum, each) => sum + each.absent, 0)
  yield* expect(kept === 0, `${kept} records that are there count as absent`)
})
