/** What the engine relies on in every sink's writer, as cases for any test runner. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { SinkReason } from "../plugin/errors.ts"
import type { Row } from "../plugin/record.ts"
import { type ConformanceCase, type ConformanceError, expect, fail, onClock, unexpected } from "./case.ts"
import { configCases, hides, secretsOf } from "./configCases.ts"
import { type Fault, status } from "./faulty.ts"
import {
  allDelivered,
  batchOf,
  openSink,
  rowOf,
  type SinkBench,
  type SinkConformance,
  specOf,
  storedEquals,
  storedValue,
  throttledAnswer,
  write,
  writeAll,
} from "./sinkBench.ts"

/** The cases. With vitest: `for (const { title, effect } of cases) it.effect(title, () => effect)`. */
export const sinkConformance = <Config>(suite: SinkConformance<Config>): ReadonlyArray<ConformanceCase> => {
  const { sink, config } = suite
  const options = specOf(suite)?.options ?? Schema.Unknown
  const connected = (title: string, body: Body) => onClock(title, Effect.flatMap(openSink(suite), body))
  return [
    ...configCases({ section: "sinks", plugin: { sink }, schema: sink.config, config, options }),
    connected("the account is the same each time", sameAccount),
    connected("a full batch has one outcome for each row", fullBatch),
    connected("rows with different fields keep their own", keepsFields),
    connected("odd text arrives as it is, or is refused", keepsText),
    connected("nested values arrive as they are", keepsJson),
    connected("D13: absent leaves, null clears, empty and value set", keepsAbsence),
    connected("D01: a refused row does not take the others with it", partialRefusal),
    connected("a repeatable sink may write a batch twice", twice),
    connected("401 is Unauthorized", fails(status(401), ["Unauthorized"])),
    connected("403 is Forbidden", fails(status(403), ["Forbidden"])),
    connected(
      "429 without an end is RateLimited",
      fails({ kind: "answer", answer: throttledAnswer(suite) }, ["RateLimited"]),
    ),
    connected("503 is Unavailable", fails(status(503), ["Unavailable"])),
    connected("a cut connection is Unavailable", fails({ kind: "cut" }, ["Unavailable"])),
    connected("a lost answer is Unavailable and in doubt", lostAnswer),
    connected(
      "an answer that is no JSON is not taken for success",
      fails({ kind: "not_json" }, ["Protocol", "Unavailable"]),
    ),
    connected(
      "an answer of another shape is not taken for success",
      fails({ kind: "odd_json" }, ["Protocol", "Unavailable"]),
    ),
    connected("an interruption abandons the request", interruption),
    connected("rule 6: a lookup writes nothing and has the form of a row", lookup),
  ]
}

type Bench = SinkBench<unknown>
type Body = (bench: Bench) => Effect.Effect<unknown, ConformanceError, Scope>

const fullBatch = Effect.fnUntraced(function* (bench: Bench) {
  const { rows, concurrency } = bench.writer.limits
  yield* expect(rows >= 1 && (concurrency ?? 1) >= 1, "limits must allow a row")
  const full = Array.from({ length: Math.min(rows, 500) }, (_, n) => rowOf(bench.suite, `k${n}`))
  yield* allDelivered(yield* write(bench, full))
  yield* expect(bench.destination.stored().size === full.length, "not every delivered row is at the destination")
})

const keepsFields = Effect.fnUntraced(function* (bench: Bench) {
  const [first, second] = bench.suite.texts
  const rows = [
    rowOf(bench.suite, "one", { [first]: "only the first" }),
    rowOf(bench.suite, "two", { [second]: "only the second" }),
    rowOf(bench.suite, "three", { [first]: "both", [second]: "of them" }),
  ]
  yield* allDelivered(yield* writeAll(bench, rows))
  for (const row of rows) {
    yield* storedEquals(bench.destination, row, first)
    yield* storedEquals(bench.destination, row, second)
  }
})

const TEXTS = [
  "Žofie 😀 e\u0301",
  'quote " comma , line\nend',
  "carriage\r\nreturn\tand tab",
  "=1+1",
  "  spaces around  ",
  "x".repeat(200),
  "null",
  "0",
  "__proto__",
  "\u202eright to left",
  "nul \u0000 and \u001b[31m",
  "half a pair \ud83d",
]

/** A destination may not take a text; then the sink says so and does not change it. */
const keepsText = Effect.fnUntraced(function* (bench: Bench) {
  const [first] = bench.suite.texts
  const rows = TEXTS.map((text, n) => rowOf(bench.suite, `t${n}`, { [first]: text }))
  const outcomes = yield* writeAll(bench, rows)
  for (const row of rows) {
    const outcome = outcomes.find((each) => each.id === row.id)
    if (outcome?._tag !== "Delivered" || outcome.dropped !== undefined) continue
    yield* storedEquals(bench.destination, row, first)
  }
})

const keepsJson = Effect.fnUntraced(function* (bench: Bench) {
  const { json } = bench.suite
  if (json === undefined) return "no field takes any JSON"
  const rows = [
    rowOf(bench.suite, "j1", { [json]: { a: [1, "two", null, { deep: { er: false } }] } }),
    rowOf(bench.suite, "j2", { [json]: [] }),
  ]
  yield* allDelivered(yield* writeAll(bench, rows))
  for (const row of rows) yield* storedEquals(bench.destination, row, json)
})

/** With the destination's id, as the engine has it after a first write, and without, as after a lost state. */
const keepsAbsence = Effect.fnUntraced(function* (bench: Bench) {
  const { destination, suite, writer } = bench
  const [first, second] = suite.texts
  for (const known of writer.repeatable ? [true, false] : [true]) {
    const name = known ? "known" : "unknown"
    const send = Effect.fnUntraced(function* (values: Schema.JsonObject, remoteId: string | undefined, id: string) {
      const row: Row = { ...rowOf(suite, name, values), ...(remoteId === undefined ? {} : { remoteId }) }
      const [outcome] = yield* write(bench, [row], `${name}-${id}`)
      return outcome?._tag === "Delivered" && outcome.dropped === undefined ? { row, outcome } : { row }
    })
    const created = yield* send({ [first]: "one", [second]: "two" }, undefined, "create")
    const remoteId = known ? created.outcome?.remoteId : undefined
    if (known && remoteId === undefined && !writer.repeatable) return "it gives no ids and matches no rows"
    const cleared = yield* send({ [first]: null }, remoteId, "clear")
    yield* expect(cleared.outcome !== undefined, "a null was not delivered")
    yield* storedEquals(destination, cleared.row, first)
    yield* expect(
      storedValue(destination, cleared.row.key, second) === "two",
      `${second} was absent from the row and did not stay as it was`,
    )
    const emptied = yield* send({ [second]: "" }, remoteId, "empty")
    const wanted = suite.emptyClears === true ? { ...emptied.row, fields: { [second]: null } } : emptied.row
    if (emptied.outcome !== undefined) yield* storedEquals(destination, wanted, second)
    const set = yield* send({ [first]: "three" }, remoteId, "set")
    yield* storedEquals(destination, set.row, first)
  }
})

const partialRefusal = Effect.fnUntraced(function* (bench: Bench) {
  if (bench.destination.refuse === undefined) return "the destination refuses no single rows"
  const rows = ["good", "bad", "fine"].map((name) => rowOf(bench.suite, name))
  bench.destination.refuse(rows[1]?.key ?? "")
  const outcomes = yield* writeAll(bench, rows)
  const tags = rows.map((row) => outcomes.find((each) => each.id === row.id)?._tag)
  yield* expect(Equal.equals(tags, ["Delivered", "Rejected", "Delivered"]), `outcomes were ${tags.join(", ")}`)
  const rejected = outcomes.find((each) => each._tag === "Rejected")
  const values = Object.values(rows[1]?.fields ?? {}).filter((value) => typeof value === "string" && value.length > 3)
  const texts = values.map((value) => String(value))
  if (rejected?._tag === "Rejected") yield* hides(texts, rejected.message, "the message of a rejected row")
})

const twice = Effect.fnUntraced(function* (bench: Bench) {
  if (!bench.writer.repeatable) return "it is not repeatable"
  const rows = [rowOf(bench.suite, "again")]
  yield* allDelivered(yield* write(bench, rows))
  const before = [...bench.destination.stored()]
  yield* allDelivered(yield* write(bench, rows))
  yield* expect(Equal.equals(before, [...bench.destination.stored()]), "writing twice left something else than once")
})

/** What a write fails with; what must not be in its message is the row and the secrets. */
const failureOf = (bench: Bench, fault: Fault) =>
  Effect.gen(function* () {
    bench.faulty.set(fault)
    const row = rowOf(bench.suite, "k")
    const result = yield* Effect.exit(bench.writer.write(batchOf([row])))
    if (Exit.isSuccess(result)) {
      return yield* fail(`the sink answered ${JSON.stringify(result.value)} instead of failing`)
    }
    const error = Option.getOrUndefined(Exit.findErrorOption(result))
    if (error === undefined) return yield* fail("the sink died instead of failing with a SinkError")
    const texts = bench.suite.texts.map((name) => String(row.fields[name]))
    yield* hides([...secretsOf(bench.suite), ...texts], `${error.message} ${JSON.stringify(error)}`, "an error")
    return error.reason
  })

/** A destination that keeps failing ends in one of these reasons, and never in a rejected row. */
const fails =
  (fault: Fault, reasons: ReadonlyArray<SinkReason["_tag"]>) =>
  (bench: Bench): Effect.Effect<void, ConformanceError> =>
    Effect.flatMap(failureOf(bench, fault), ({ _tag }) =>
      expect(reasons.includes(_tag), `the reason is ${_tag}, not ${reasons.join(" or ")}`),
    )

const lostAnswer = Effect.fnUntraced(function* (bench: Bench) {
  const reason = yield* failureOf(bench, { kind: "lost" })
  yield* expect(reason._tag === "Unavailable" && reason.inDoubt, `the reason is ${reason._tag}, and not in doubt`)
})

const interruption = Effect.fnUntraced(function* (bench: Bench) {
  bench.faulty.set({ kind: "silent" })
  // Detached, and not waited for: a write that cannot be interrupted must not hold the case up.
  const fiber = yield* Effect.forkDetach(bench.writer.write(batchOf([rowOf(bench.suite, "k")])))
  yield* TestClock.adjust("1 second")
  yield* Effect.sync(() => fiber.interruptUnsafe())
  yield* TestClock.adjust("1 second")
  yield* expect(bench.faulty.abandoned() === 1, "the request was not given up when the write was interrupted")
})

const sameAccount = Effect.fnUntraced(function* (bench: Bench) {
  const first = yield* bench.connection.identify.pipe(Effect.mapError(unexpected("identify")))
  const second = yield* openSink(bench.suite).pipe(
    Effect.flatMap((other) => other.connection.identify.pipe(Effect.mapError(unexpected("identify")))),
  )
  yield* expect(first.account === second.account, "two connections with one config have two accounts")
  yield* expect(first.account !== "", "the account is empty")
  yield* hides(secretsOf(bench.suite), JSON.stringify([first, second]), "the identity")
})

const lookup = Effect.fnUntraced(function* (bench: Bench) {
  const { destination, suite, writer } = bench
  if (writer.lookup === undefined) return "it looks nothing up"
  const row = rowOf(suite, "held")
  yield* allDelivered(yield* write(bench, [row]))
  const before = [...destination.stored()]
  const writes = destination.writes?.()
  const held = yield* writer.lookup([row.key, rowOf(suite, "nobody").key]).pipe(Effect.mapError(unexpected("lookup")))
  yield* expect(held.size === 1 && held.has(row.key), `it found ${held.size} of one row`)
  const found = held.get(row.key)?.fields ?? {}
  const names = [suite.key, ...suite.texts]
  const other = names.find((name) => !Equal.equals(found[name], row.fields[name]))
  yield* expect(other === undefined, `${other} is looked up in another form than it was written in`)
  yield* expect(Equal.equals(before, [...destination.stored()]), "a lookup changed what is stored")
  yield* expect(destination.writes?.() === writes, "a lookup wrote")
})
