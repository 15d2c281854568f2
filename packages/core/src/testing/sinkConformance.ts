/** What the engine relies on in every sink, as cases for any test runner. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { SinkError, SinkReason } from "../plugin/errors.ts"
import type { Outcome } from "../plugin/outcome.ts"
import type { Batch, Row } from "../plugin/record.ts"
import { PluginState } from "../plugin/services.ts"
import type { Connection, Sink, Writer } from "../plugin/sink.ts"
import { type Destination, type Fault, type Faulty, makeFaulty } from "./destination.ts"

export interface SinkConformance<Config> {
  readonly sink: Sink<Config>
  /** As in a pipeline file. Every text in it that is a secret must be at least eight characters. */
  readonly config: { readonly [key: string]: Schema.Json }
  readonly object: string
  /** The route's `with:`. */
  readonly options?: { readonly [key: string]: Schema.Json }
  readonly key: string
  /** Two fields that take any text. */
  readonly texts: readonly [string, string]
  /** What a row needs beside the key and texts. */
  readonly fields?: (key: string) => Schema.JsonObject
  /** A new one for each case. */
  readonly destination: () => Destination
}

export interface ConformanceCase {
  readonly title: string
  /** Brings its own clock; fails with what is wrong. */
  readonly effect: Effect.Effect<void, ConformanceError>
}

export class ConformanceError extends Schema.TaggedError<ConformanceError>()("ConformanceError", {
  message: Schema.String,
}) {}

/** The cases. With vitest: `for (const { title, effect } of cases) it.effect(title, () => effect)`. */
export const sinkConformance = <Config>(suite: SinkConformance<Config>): ReadonlyArray<ConformanceCase> => [
  { title: "every config field is described", effect: described(suite) },
  { title: "secrets are Redacted and stay out of text and errors", effect: secretsHidden(suite) },
  connected("the account is the same each time", suite, sameAccount),
  connected("a full batch has one outcome for each row", suite, fullBatch),
  connected("rows with different fields keep their own", suite, keepsFields),
  connected("unicode, empty and long text arrive as they are", suite, keepsText),
  connected("a refused row does not take the others with it", suite, partialRefusal),
  connected("a repeatable sink may write a batch twice", suite, twice),
  connected("401 is Unauthorized", suite, fails({ kind: "status", status: 401 }, ["Unauthorized"])),
  connected(
    "429 is RateLimited",
    suite,
    fails({ kind: "status", status: 429, headers: { "retry-after": "7" } }, ["RateLimited"]),
  ),
  connected("503 is Unavailable", suite, fails({ kind: "status", status: 503 }, ["Unavailable"])),
  connected("a cut connection is Unavailable", suite, fails({ kind: "cut" }, ["Unavailable"])),
  connected(
    "an answer that is no JSON is not taken for success",
    suite,
    fails({ kind: "not_json" }, ["Protocol", "Unavailable"]),
  ),
  connected("an interruption abandons the request", suite, interruption),
]

interface Bench<Config> {
  readonly suite: SinkConformance<Config>
  readonly connection: Connection
  readonly writer: Writer
  readonly destination: Destination
  readonly faulty: Faulty
}

const fail = (message: string) => Effect.fail(new ConformanceError({ message }))
const expect = (holds: boolean, message: string) => (holds ? Effect.void : fail(message))
const unexpected = (what: string) => (error: SinkError) =>
  new ConformanceError({ message: `${what} failed: ${error.reason._tag}: ${error.message}` })

/** A case with an open connection, on a clock that moves whenever everything waits. */
const connected = <Config>(
  title: string,
  suite: SinkConformance<Config>,
  body: (bench: Bench<Config>) => Effect.Effect<void, ConformanceError, Scope>,
): ConformanceCase => ({
  title,
  effect: Effect.scoped(Effect.flatMap(open(suite), body)).pipe(
    (effect) => Effect.raceFirst(effect, passTime),
    Effect.provide(TestClock.layer()),
  ),
})

/** A day, ten seconds at a time. */
const passTime = Effect.gen(function* () {
  for (let second = 0; second < 24 * 3600; second += 10) yield* TestClock.adjust("10 seconds")
  return yield* fail("it did not end within a day")
})

const open = Effect.fnUntraced(function* <Config>(suite: SinkConformance<Config>) {
  const destination = suite.destination()
  const faulty = makeFaulty(destination.client)
  const config = yield* decodeConfig(suite)
  const connection = yield* suite.sink
    .open(config, { name: "conformance", baseUrl: undefined, share: undefined, insecure: false })
    .pipe(
      Effect.provideService(HttpClient.HttpClient, faulty.client),
      Effect.provideService(PluginState, memory()),
      Effect.mapError(unexpected("opening")),
    )
  const { objects } = suite.sink
  const spec = typeof objects === "function" ? objects(suite.object) : objects[suite.object]
  if (spec === undefined) return yield* fail(`the sink has no object ${suite.object}`)
  const options = yield* Schema.decodeUnknownEffect(spec.options)(suite.options ?? {}).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `options: ${error.message}` })),
  )
  const request = {
    key: suite.key,
    fields: Object.keys(rowOf(suite, "k", {}, true).fields),
    options,
    on_delete: "keep",
    expected: undefined,
  }
  const writer = yield* connection.writer(suite.object, request).pipe(Effect.mapError(unexpected("writer")))
  const bench: Bench<Config> = { suite, connection, writer, destination, faulty }
  return bench
})

const memory = () => {
  const values = new Map<string, string>()
  return {
    get: (key: string) => Effect.sync(() => Option.fromUndefinedOr(values.get(key))),
    set: (key: string, value: string) => Effect.sync(() => void values.set(key, value)),
  }
}

const decodeConfig = <Config>(suite: SinkConformance<Config>) =>
  Schema.decodeUnknownEffect(suite.sink.config)(suite.config).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `config: ${error.message}` })),
  )

const rowOf = <Config>(suite: SinkConformance<Config>, key: string, texts: Schema.JsonObject, all = false): Row => {
  const [first, second] = suite.texts
  const usual = all ? { [first]: `first ${key}`, [second]: `second ${key}` } : texts
  return { id: `id-${key}`, key, change: "upsert", fields: { [suite.key]: key, ...suite.fields?.(key), ...usual } }
}

const batchOf = (rows: ReadonlyArray<Row>): Batch => ({ id: "conformance-1", attempt: 1, rows })

const write = <Config>({ writer }: Bench<Config>, rows: ReadonlyArray<Row>) =>
  writer.write(batchOf(rows)).pipe(
    Effect.mapError(unexpected("write")),
    Effect.tap((outcomes) => oneEach(rows, outcomes)),
  )

const oneEach = (rows: ReadonlyArray<Row>, outcomes: ReadonlyArray<Outcome>) => {
  const wanted = rows.map((row) => row.id).sort()
  const named = outcomes.map((outcome) => outcome.id).sort()
  return expect(
    Equal.equals(wanted, named),
    `wrote ${wanted.length} rows and got ${named.length} outcomes: each row needs exactly one`,
  )
}

const allDelivered = (outcomes: ReadonlyArray<Outcome>) => {
  const other = outcomes.find((outcome) => outcome._tag !== "Delivered")
  return expect(other === undefined, `a good row was ${other?._tag}: ${JSON.stringify(other)}`)
}

/** Only where the destination has it under these names. */
const storedEquals = <Config>({ destination }: Bench<Config>, row: Row, name: string) => {
  const stored = destination.stored().get(row.key)
  const found = stored !== undefined && Object.hasOwn(stored, name) ? stored[name] : undefined
  const sent = Object.hasOwn(row.fields, name) ? row.fields[name] : undefined
  return expect(
    Equal.equals(found ?? null, sent ?? null),
    `${name} of row ${row.key} is stored as ${JSON.stringify(found)}, not as ${JSON.stringify(sent)}`,
  )
}

const fullBatch = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  const { rows, concurrency } = bench.writer.limits
  yield* expect(rows >= 1 && (concurrency ?? 1) >= 1, "limits must allow a row")
  const full = Array.from({ length: Math.min(rows, 500) }, (_, n) => rowOf(bench.suite, `k${n}`, {}, true))
  yield* allDelivered(yield* write(bench, full))
  yield* expect(bench.destination.stored().size === full.length, "not every delivered row is at the destination")
})

const inBatches = Effect.fnUntraced(function* <Config>(bench: Bench<Config>, rows: ReadonlyArray<Row>) {
  const size = bench.writer.limits.rows
  const outcomes: Array<Outcome> = []
  for (let at = 0; at < rows.length; at += size) outcomes.push(...(yield* write(bench, rows.slice(at, at + size))))
  return outcomes
})

const keepsFields = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  const [first, second] = bench.suite.texts
  const rows = [
    rowOf(bench.suite, "one", { [first]: "only the first" }),
    rowOf(bench.suite, "two", { [second]: "only the second" }),
    rowOf(bench.suite, "three", { [first]: "both", [second]: "of them" }),
  ]
  yield* allDelivered(yield* inBatches(bench, rows))
  for (const row of rows) {
    yield* storedEquals(bench, row, first)
    yield* storedEquals(bench, row, second)
  }
})

const TEXTS = ["", "Žofie 😀 e\u0301", 'quote " comma , line\nend', "x".repeat(200), "null", "0"]

const keepsText = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  const [first] = bench.suite.texts
  const rows = TEXTS.map((text, n) => rowOf(bench.suite, `t${n}`, { [first]: text }))
  const outcomes = yield* inBatches(bench, rows)
  for (const row of rows) {
    const outcome = outcomes.find((each) => each.id === row.id)
    // A destination may not take a text; then the sink says so and does not change it.
    if (outcome?._tag !== "Delivered" || outcome.dropped !== undefined) continue
    if (row.fields[first] !== "") yield* storedEquals(bench, row, first)
  }
})

const partialRefusal = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  if (bench.destination.refuse === undefined) return
  bench.destination.refuse("bad")
  const rows = ["good", "bad", "fine"].map((key) => rowOf(bench.suite, key, {}, true))
  const outcomes = yield* inBatches(bench, rows)
  const tags = rows.map((row) => outcomes.find((each) => each.id === row.id)?._tag)
  yield* expect(Equal.equals(tags, ["Delivered", "Rejected", "Delivered"]), `outcomes were ${tags.join(", ")}`)
  const rejected = outcomes.find((each) => each._tag === "Rejected")
  const values = Object.values(rows[1]?.fields ?? {}).filter((value) => typeof value === "string" && value.length > 3)
  yield* expect(
    rejected?._tag !== "Rejected" || !values.some((value) => rejected.message.includes(String(value))),
    "the message of a rejected row holds a value of the row",
  )
})

const twice = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  if (!bench.writer.repeatable) return
  const rows = [rowOf(bench.suite, "again", {}, true)]
  yield* allDelivered(yield* write(bench, rows))
  const before = [...bench.destination.stored()]
  yield* allDelivered(yield* write(bench, rows))
  yield* expect(Equal.equals(before, [...bench.destination.stored()]), "writing twice left something else than once")
})

/** A destination that keeps failing ends in one of these reasons, and never in a rejected row. */
const fails =
  (fault: Fault, reasons: ReadonlyArray<SinkReason["_tag"]>) =>
  <Config>(bench: Bench<Config>): Effect.Effect<void, ConformanceError> =>
    Effect.gen(function* () {
      bench.faulty.set(fault)
      const result = yield* Effect.exit(bench.writer.write(batchOf([rowOf(bench.suite, "k", {}, true)])))
      if (Exit.isSuccess(result)) {
        return yield* fail(`the sink answered ${JSON.stringify(result.value)} instead of failing`)
      }
      const error = Option.getOrUndefined(Exit.findErrorOption(result))
      if (error === undefined) return yield* fail("the sink died instead of failing with a SinkError")
      yield* expect(
        reasons.includes(error.reason._tag),
        `the reason is ${error.reason._tag}, not ${reasons.join(" or ")}`,
      )
    })

const interruption = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  bench.faulty.set({ kind: "silent" })
  // Detached, and not waited for: a write that cannot be interrupted must not hold the case up.
  const fiber = yield* Effect.forkDetach(bench.writer.write(batchOf([rowOf(bench.suite, "k", {}, true)])))
  yield* TestClock.adjust("1 second")
  yield* Effect.sync(() => fiber.interruptUnsafe())
  yield* TestClock.adjust("1 second")
  yield* expect(bench.faulty.abandoned() === 1, "the request was not given up when the write was interrupted")
})

const sameAccount = Effect.fnUntraced(function* <Config>(bench: Bench<Config>) {
  const first = yield* bench.connection.identify.pipe(Effect.mapError(unexpected("identify")))
  const second = yield* open(bench.suite).pipe(
    Effect.flatMap((other) => other.connection.identify.pipe(Effect.mapError(unexpected("identify")))),
  )
  yield* expect(first.account === second.account, "two connections with one config have two accounts")
  yield* expect(first.account !== "", "the account is empty")
  const shown = JSON.stringify([first, second])
  yield* expect(!secretsOf(bench.suite).some((secret) => shown.includes(secret)), "the identity shows a secret")
})

const SECRET_NAME = /secret|token|password|(^|_)key$/i

const secretsOf = <Config>({ config }: SinkConformance<Config>): ReadonlyArray<string> =>
  Object.entries(config).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && typeof value === "string" && value !== "" ? [value] : [],
  )

const described = <Config>({ sink }: SinkConformance<Config>) =>
  Effect.suspend(() => {
    const properties = Schema.toJsonSchemaDocument(sink.config).schema.properties ?? {}
    const bare = Object.entries(properties).filter(([, node]) => !hasDescription(node))
    return expect(bare.length === 0, `config fields without a description: ${bare.map(([name]) => name).join(", ")}`)
  })

const hasDescription = (node: unknown): boolean =>
  typeof node === "object" && node !== null && "description" in node && typeof node.description === "string"

const secretsHidden = Effect.fnUntraced(function* <Config>(suite: SinkConformance<Config>) {
  const config = yield* decodeConfig(suite)
  const fields = typeof config === "object" && config !== null ? Object.entries(config) : []
  const open = fields.filter(
    ([name, value]) => SECRET_NAME.test(name) && value !== undefined && !Redacted.isRedacted(value),
  )
  yield* expect(open.length === 0, `not Redacted: ${open.map(([name]) => name).join(", ")}`)
  const shown = JSON.stringify(config)
  yield* expect(!secretsOf(suite).some((secret) => shown.includes(secret)), "the config shows a secret as JSON")
})
