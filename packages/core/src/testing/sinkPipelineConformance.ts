/** What a sink does in a pipeline, run by the shipped engine over a state in memory, as cases for any test runner. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Scope } from "effect/Scope"
import { type ConformanceCase, type ConformanceError, expect, fail, onClock, unexpected } from "./case.ts"
import { status } from "./faulty.ts"
import { NAME, problemsOf } from "./planning.ts"
import { scriptedSource } from "./scripted.ts"
import { keyOf, openSink, type SinkConformance, specOf, storedValue, throttledAnswer, totalOf } from "./sinkBench.ts"
import { completed, type Done, fileOf, holdsAll, names, openPipeline, type State, usual } from "./sinkPipelineBench.ts"
import { fillings, violations } from "./typedValues.ts"

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

type Body = (
  suite: SinkConformance<unknown>,
  state: State,
) => Effect.Effect<unknown, ConformanceError | Effect.Error<ReturnType<typeof openSink>>, Scope>

const noLetters = Effect.fnUntraced(function* (bench: Effect.Success<ReturnType<typeof openPipeline>>) {
  const letters = yield* bench.letters
  yield* expect(letters.length === 0, `there are ${letters.length} dead letters: ${letters[0]?.code}`)
})

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

/** The vendor did it and the answer was lost: sent again where that is harmless, in doubt where not. */
const losesAnswer =
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

const dies: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  const bench = yield* openPipeline(suite, state, { tolerant: true })
  bench.records(usual(bench))
  bench.meet({ kind: "swallowed" })
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

const refuses: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  const { refuse } = bench.destination
  if (refuse === undefined) return "the destination refuses no single rows"
  const bad = ["k0", "k57", "k199"]
  for (const name of bad) refuse(keyOf(suite, name))
  bench.records(usual(bench, 200))
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(
    counts.delivered === 197 && counts.rejected === 3,
    `${counts.delivered} were delivered and ${counts.rejected} rejected`,
  )
  const letters = yield* bench.letters
  const ids = letters.map(({ id }) => id).sort()
  yield* expect(`${ids}` === `${bad.map((name) => `id-${name}`).sort()}`, `the dead letters are ${ids.join(", ")}`)
  yield* expect(
    letters.every(({ code, message }) => code !== "" && message !== ""),
    "a dead letter has no code or message",
  )
  yield* holdsAll(
    bench,
    names(200).filter((name) => !bad.includes(name)),
  )
  bench.meet(undefined)
  const second = yield* bench.run()
  yield* expect(second.counts.rejected === 3 && second.counts.unchanged === 197, "the next run counts them otherwise")
  yield* expect(bench.faulty.requests() === 0, "the next run sent rows that are known to be refused, or delivered")
})

const tooLarge: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records([bench.record("one")])
  bench.meet(undefined)
  yield* completed(yield* bench.run())
  const bytes = bench.faulty.longest() * 3
  const [text] = suite.texts
  bench.records([...usual(bench), bench.record("large", { [text]: "é".repeat(bytes) }), bench.record("one")])
  bench.meet({ kind: "too_large", bytes })
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(
    counts.delivered === 120 && counts.rejected === 1,
    `${counts.delivered} of 120 were delivered and ${counts.rejected} rejected`,
  )
  const letters = yield* bench.letters
  yield* expect(letters.length === 1 && letters[0]?.id === "id-large", "the row that is too large is no dead letter")
  yield* holdsAll(bench, [...names(120), "one"])
})

const defers: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  const { defer } = bench.destination
  if (defer === undefined) return "the destination says not-now to no single row"
  defer(keyOf(suite, "k57"), 1)
  bench.records(usual(bench))
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(counts.delivered === 120, `${counts.delivered} of 120 were delivered`)
  yield* noLetters(bench)
  yield* holdsAll(bench, names(120))
})

const defersForLong: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  const { defer } = bench.destination
  if (defer === undefined) return "the destination says not-now to no single row"
  defer(keyOf(suite, "k57"), Number.POSITIVE_INFINITY)
  bench.records(usual(bench))
  const first = yield* Effect.tap(bench.run(), completed)
  yield* expect(first.counts.delivered === 119, `${first.counts.delivered} of 119 other rows were delivered`)
  const letters = yield* bench.letters
  yield* expect(letters.length === 1 && letters[0]?.kind === "deferred", "the row is no retryable dead letter")
  defer(keyOf(suite, "k57"), 0)
  yield* completed(yield* bench.run())
  yield* noLetters(bench)
  yield* holdsAll(bench, names(120))
})

/** The run failed, lost nothing, and what is left is done by the next. */
const resumes = Effect.fnUntraced(function* (
  bench: Effect.Success<ReturnType<typeof openPipeline>>,
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

const outage: Body = Effect.fnUntraced(function* (suite, state) {
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

const exhausts: Body = Effect.fnUntraced(function* (suite, state) {
  if (suite.exhausted === undefined) return "the vendor has no allowance"
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench))
  bench.meet({ kind: "answer", answer: suite.exhausted })
  const first = yield* bench.run()
  const more = bench.faulty.afterAnswer()
  yield* expect(more <= 2, `${more} calls began after the vendor had said no`)
  yield* noLetters(bench)
  yield* resumes(bench, first, ["QuotaExhausted", "Forbidden"])
  yield* holdsAll(bench, names(120))
})

const unauthorized: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records(usual(bench))
  bench.meet(status(401))
  const first = yield* bench.run()
  const more = bench.faulty.afterAnswer()
  yield* expect(more <= 2, `${more} calls began after the vendor had said no`)
  yield* noLetters(bench)
  yield* resumes(bench, first, ["Unauthorized"])
  yield* holdsAll(bench, names(120))
})

const unknownField: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  if (writer.fields === undefined && (specOf(suite)?.fields ?? []).length === 0) return "it takes any field"
  const setup = { more: ["NO_SUCH_FIELD_ANYWHERE"] }
  const script = { pages: [], onPage: () => {} }
  const modules = { scripted: { source: scriptedSource(script) }, plugin: { sink: suite.sink } }
  if ((yield* problemsOf(fileOf(suite, setup), modules)) !== undefined) return
  const bench = yield* openPipeline(suite, state, setup)
  bench.records(names(5).map((name) => ({ ...bench.record(name) })))
  const { report } = yield* bench.run()
  yield* expect(report.error?.code === "Misconfigured", `the run ended with ${report.error?.code ?? report.status}`)
  yield* expect(
    report.error?.message.includes("NO_SUCH_FIELD_ANYWHERE") === true,
    `the message does not name the field: ${report.error?.message}`,
  )
  yield* expect(totalOf(bench.destination) === 0, "rows were written all the same")
})

const breaksSchema: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
  if (writer.fields === undefined) return "it has no live schema"
  const mapped = new Set([...suite.texts, ...(suite.typed ?? [])])
  const fields = (yield* writer.fields.pipe(Effect.mapError(unexpected("fields")))).filter(({ name }) =>
    mapped.has(name),
  )
  yield* expect(fields.length === mapped.size, "texts and typed must be fields of the live schema")
  const bench = yield* openPipeline(suite, state)
  const wrong = fields.flatMap(violations)
  if (wrong.length === 0) return "no field of the suite has a type, a length or a list of values"
  const right = bench.record("right", fillings(fields))
  bench.records([right, ...wrong.map(({ field, value }, n) => bench.record(`w${n}`, { [field]: value }))])
  const { counts } = yield* Effect.tap(bench.run(), completed)
  yield* expect(
    counts.delivered === 1 && counts.rejected === wrong.length,
    `${counts.rejected} of ${wrong.length} wrong rows were rejected, and ${counts.delivered} rows delivered`,
  )
  yield* expect(totalOf(bench.destination) === 1, "a wrong row was sent")
  const letters = new Map((yield* bench.letters).map((letter) => [letter.id, letter]))
  for (const [n, { field }] of wrong.entries()) {
    yield* expect(
      letters.get(`id-w${n}`)?.fields.includes(field) === true,
      `the dead letter of a wrong ${field} does not name the field`,
    )
  }
  if (writer.lookup === undefined) return
  bench.records([right])
  const shown = yield* bench.preview
  const held = shown.records[0]?.routes[`${NAME}.${suite.object}`]
  const changed = held?.fields.filter((field) => field.changed).map(({ field }) => field)
  yield* expect(held?.action === "leave", `preview would change ${changed?.join(", ")} of what was just written`)
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

/** READ is at most two pages ahead of the one it puts on a route, which holds two batches or a page and one more. */
const slow: Body = Effect.fnUntraced(function* (suite, state) {
  const { writer } = yield* openSink(suite)
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

const throttle: Body = Effect.fnUntraced(function* (suite, state) {
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

const stops: Body = Effect.fnUntraced(function* (suite, state) {
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
