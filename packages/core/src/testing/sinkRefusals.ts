/** Pipeline cases of a sink whose destination, or its schema, refuses single rows. */
import * as Effect from "effect/Effect"
import { expect, unexpected } from "./case.ts"
import { NAME, problemsOf } from "./planning.ts"
import { scriptedSource } from "./scripted.ts"
import { keyOf, openSink, specOf, totalOf } from "./sinkBench.ts"
import { type Body, completed, fileOf, holdsAll, names, noLetters, openPipeline, usual } from "./sinkPipelineBench.ts"
import { fillings, violations } from "./typedValues.ts"

export const refuses: Body = Effect.fnUntraced(function* (suite, state) {
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

export const tooLarge: Body = Effect.fnUntraced(function* (suite, state) {
  const bench = yield* openPipeline(suite, state)
  bench.records([bench.record("one")])
  bench.meet(undefined)
  yield* completed(yield* bench.run())
  if (bench.faulty.streamed() > 0) return "its rows go in streams, which have no length"
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

export const defers: Body = Effect.fnUntraced(function* (suite, state) {
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

export const defersForLong: Body = Effect.fnUntraced(function* (suite, state) {
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

export const unknownField: Body = Effect.fnUntraced(function* (suite, state) {
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

export const breaksSchema: Body = Effect.fnUntraced(function* (suite, state) {
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
