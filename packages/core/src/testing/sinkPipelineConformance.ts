/** What a sink does in a pipeline, run by the shipped engine over a state in memory, as cases for any test runner. */
import * as Effect from "effect/Effect"
import { type ConformanceCase, expect, onClock } from "./case.ts"
import { keyOf, openSink, type SinkConformance, specOf, storedValue, totalOf } from "./sinkBench.ts"
import { dies, exhausts, losesAnswer, outage, slow, stops, throttle, unauthorized } from "./sinkOutages.ts"
import {
  type Body,
  completed,
  holdsAll,
  names,
  noLetters,
  openPipeline,
  type State,
  usual,
} from "./sinkPipelineBench.ts"
import { breaksSchema, defers, defersForLong, refuses, tooLarge, unknownField } from "./sinkRefusals.ts"

/** The cases. `state` gives each its own: `layer({ stateFile: ":memory:", env: {} })` of `@sluice/cli/node`. */
export const sinkPipelineConformance = (
  suite: SinkConformance<unknown>,
  state: State,
): ReadonlyArray<ConformanceCase> => {
  const inPipeline = (title: string, body: Body) => onClock(`in a pipeline: ${title}`, body(suite, state))
  return [
    inPipeline("rule 6: preview writes nothing and says what the run then does", previews),
    inPipeline("a second run sends nothing", unchanged),
    ...[0, 1, 2].map((skip) => inPipeline(`A04: answer ${skip + 1} is lost`, losesAnswer(skip))),
    inPipeline("A04: the run dies with a batch in flight", dies),
    inPipeline("D01: rows 0, 57 and 199 of 200 are refused", refuses),
    inPipeline("D03: too many bytes are split, and a row that is too large is a dead letter", tooLarge),
    inPipeline("D04: a row that has to wait is sent again alone", defers),
    inPipeline("D04: a row that has to wait for long is tried by the next run", defersForLong),
    inPipeline("D09: an outage leaves no dead letters and can be resumed", outage),
    inPipeline("D10: a used-up allowance stops the run within three calls", exhausts),
    inPipeline("credentials that stop working stop the run within three calls", unauthorized),
    inPipeline("D11: an unknown field is an error before anything is written", unknownField),
    inPipeline("D12: what the schema does not allow is refused before the call", breaksSchema),
    inPipeline("D13: absent leaves and null clears what an earlier run wrote", absence),
    inPipeline("D14: a slow destination holds the source back", slow),
    inPipeline("429 is waited for as long as it says, and nothing is sent twice", throttle),
    inPipeline("a stop ends in order and the next run does the rest", stops),
    inPipeline("P01: a deletion is sent once and what is gone already is fine", deletes),
  ]
}

const previews: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  const { destination, faulty } = bench
  bench.records(usual(bench, 5))
  const looked = (yield* openSink(suite)).writer.lookup !== undefined
  for (const isAfter of [false, true]) {
    const before = [totalOf(destination), destination.writes?.()]
    faulty.set(undefined)
    const { routes, records } = yield* bench.preview
    const after = [totalOf(destination), destination.writes?.()]
    yield* expect(`${before}` === `${after}`, "preview wrote something")
    yield* expect(
      destination.writes !== undefined || looked || faulty.requests() === 0,
      "preview sent requests although the sink looks nothing up",
    )
    const wanted = looked ? (isAfter ? "leave" : "create") : "send"
    const actions = Object.values(routes)[0]?.actions
    yield* expect(
      actions?.[wanted] === 5,
      `preview says ${JSON.stringify(actions)} and not ${wanted}: ${JSON.stringify(records[0]?.routes)}`,
    )
    if (!isAfter) yield* completed(yield* bench.run())
  }
  yield* holdsAll(bench, names(5))
})

const unchanged: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench))
  yield* completed(yield* bench.run())
  bench.meet(undefined)
  const second = yield* bench.run()
  yield* completed(second)
  yield* expect(second.counts.unchanged === 120, `${second.counts.unchanged} of 120 rows are unchanged`)
  yield* expect(bench.faulty.requests() === 0, `${bench.faulty.requests()} requests for rows that did not change`)
  yield* holdsAll(bench, names(120))
})

const absence: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  const [first, second] = suite.texts
  bench.records(usual(bench, 3))
  yield* completed(yield* bench.run())
  bench.records([bench.record("k0", { [first]: null }), bench.record("k1", { [first]: "new" }), bench.record("k2", {})])
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(counts.delivered + counts.unchanged === 3, "a changed row was not delivered")
  const held = (name: string) =>
    suite.texts.map((text) => storedValue(bench.destination, keyOf(suite, name), text) ?? null)
  const usualOf = (name: string) => {
    const { data } = bench.record(name)
    return Object.values(data).filter((value) => typeof value === "string")
  }
  const [, ofK0] = held("k0")
  yield* expect(held("k0")[0] === null, `null did not clear ${first}`)
  yield* expect(usualOf("k0").includes(String(ofK0)), `${second} was absent and did not stay`)
  yield* expect(held("k1")[0] === "new", `${first} was not set`)
  yield* expect(
    held("k2").every((value) => usualOf("k2").includes(String(value))),
    "an absent field did not stay",
  )
})

const deletes: Body = Effect.fnUntraced(function* (suite, state) {
  if (specOf(suite)?.deletes.includes("delete") !== true) return "its object knows no on_delete: delete"
  const bench = yield* openPipeline(suite, state, { on_delete: "delete" })
  bench.records(usual(bench, 3))
  yield* completed(yield* bench.run())
  bench.records([bench.record("k1", {}, "delete")])
  bench.meet({ kind: "lost" }, { times: 1 })
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(counts.delivered === 1, "the deletion was not delivered after its answer was lost")
  yield* noLetters(bench)
  yield* holdsAll(bench, ["k0", "k2"])
  bench.meet(undefined)
  const third = yield* Effect.tap(bench.run(), completed)
  yield* expect(third.counts.unchanged === 1 && bench.faulty.requests() === 0, "the deletion was sent twice")
})
