/** A sink under test with its writer open, and rows for it. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Outcome } from "../plugin/outcome.ts"
import type { Batch, Row } from "../plugin/record.ts"
import { PluginState } from "../plugin/services.ts"
import type { Connection, ObjectSpec, Sink, Writer } from "../plugin/sink.ts"
import { ConformanceError, expect, fail, given, unexpected } from "./case.ts"
import type { Destination, JsonAnswer } from "./destination.ts"
import { type Faulty, makeFaulty } from "./faulty.ts"

export interface SinkConformance<Config> {
  readonly sink: Sink<Config>
  /** Tells the suites of one plugin apart. */
  readonly name?: string
  /** As in a pipeline file. Every text in it that is a secret must be at least eight characters. */
  readonly config: { readonly [key: string]: Schema.Json }
  readonly object: string
  /** The route's `with:`. */
  readonly options?: { readonly [key: string]: Schema.Json }
  readonly key: string
  /** Two fields that take any text. */
  readonly texts: readonly [string, string]
  /** Fields of the live schema with another type or a list of values: they are filled rightly and wrongly. */
  readonly typed?: ReadonlyArray<string>
  /** The vendor has no empty text: "" clears, as null does. */
  readonly emptyClears?: boolean
  /** A field that takes any JSON. */
  readonly json?: string
  /** What a row needs beside the key and texts. */
  readonly fields?: (key: string) => Schema.JsonObject
  /** The value of the key field for a short name, where not any text will do: an e-mail address. */
  readonly keyFor?: (name: string) => string
  /** How the vendor says that it is too fast and to wait seven seconds. Absent: 429 with Retry-After. */
  readonly throttled?: JsonAnswer
  /** How the vendor says that an allowance is used up. Absent: it has none. */
  readonly exhausted?: JsonAnswer
  /** A new one for each case. */
  readonly destination: () => Destination | Effect.Effect<Destination>
}

export interface SinkBench<Config> {
  readonly suite: SinkConformance<Config>
  readonly connection: Connection
  readonly writer: Writer
  readonly destination: Destination
  readonly faulty: Faulty
}

export const throttledAnswer = <Config>({ throttled }: SinkConformance<Config>): JsonAnswer =>
  throttled ?? { status: 429, body: {}, headers: { "retry-after": "7" } }

export const specOf = <Config>({ sink, object }: SinkConformance<Config>): ObjectSpec | undefined => {
  const { objects } = sink
  return typeof objects === "function" ? objects(object) : Object.hasOwn(objects, object) ? objects[object] : undefined
}

/** The fields a route of this suite maps. */
export const fieldsOf = <Config>(suite: SinkConformance<Config>): ReadonlyArray<string> => [
  ...new Set([
    suite.key,
    ...Object.keys(suite.fields?.("k") ?? {}),
    ...suite.texts,
    ...(suite.typed ?? []),
    ...(suite.json === undefined ? [] : [suite.json]),
  ]),
]

export const openSink = Effect.fnUntraced(function* <Config>(suite: SinkConformance<Config>) {
  const destination = yield* given(suite.destination())
  const faulty = makeFaulty(destination.client)
  const config = yield* decode(suite.sink.config, suite.config, "config")
  const connection = yield* suite.sink
    .open(config, { name: "conformance", baseUrl: undefined, share: undefined, insecure: false })
    .pipe(
      Effect.provideService(HttpClient.HttpClient, faulty.client),
      Effect.provideService(PluginState, memoryState()),
      Effect.mapError(unexpected("opening")),
    )
  const spec = specOf(suite)
  if (spec === undefined) return yield* fail(`the sink has no object ${suite.object}`)
  const options = yield* decode(spec.options, suite.options ?? {}, "options")
  const request = { key: suite.key, fields: fieldsOf(suite), options, on_delete: "keep", expected: undefined }
  const writer = yield* connection.writer(suite.object, request).pipe(Effect.mapError(unexpected("writer")))
  const bench: SinkBench<Config> = { suite, connection, writer, destination, faulty }
  return bench
})

export const decode = <A>(schema: Schema.Codec<A, unknown>, value: unknown, what: string) =>
  Schema.decodeUnknownEffect(schema)(value).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `${what}: ${error.message}` })),
  )

export const memoryState = () => {
  const values = new Map<string, string>()
  return {
    get: (key: string) => Effect.sync(() => Option.fromUndefinedOr(values.get(key))),
    set: (key: string, value: string) => Effect.sync(() => void values.set(key, value)),
  }
}

export const keyOf = <Config>(suite: SinkConformance<Config>, name: string): string => suite.keyFor?.(name) ?? name

/** Part of every usual text, which must not be in a message. */
export const TEXT = "text-canary"

/** All a row has besides its texts, which are `values`; both texts where there are none. */
export const fieldsFor = <Config>(
  suite: SinkConformance<Config>,
  name: string,
  values?: Schema.JsonObject,
): Schema.JsonObject => {
  const [first, second] = suite.texts
  const key = keyOf(suite, name)
  const texts = values ?? { [first]: `${TEXT} ${name}`, [second]: `${TEXT} of ${name}` }
  return { ...suite.fields?.(key), ...texts, [suite.key]: key }
}

export const rowOf = <Config>(suite: SinkConformance<Config>, name: string, values?: Schema.JsonObject): Row => ({
  id: `id-${name}`,
  key: keyOf(suite, name),
  change: "upsert",
  fields: fieldsFor(suite, name, values),
})

/** Batch ids must differ where rows do: they make idempotency keys. */
export const batchOf = (rows: ReadonlyArray<Row>, id = "conformance-1"): Batch => ({ id, attempt: 1, rows })

export const write = <Config>({ writer }: SinkBench<Config>, rows: ReadonlyArray<Row>, id?: string) =>
  writer.write(batchOf(rows, id)).pipe(
    Effect.mapError(unexpected("write")),
    Effect.tap((outcomes) => oneEach(rows, outcomes)),
  )

/** Batches of at most what the writer takes. */
export const writeAll = Effect.fnUntraced(function* <Config>(bench: SinkBench<Config>, rows: ReadonlyArray<Row>) {
  const size = bench.writer.limits.rows
  const outcomes: Array<Outcome> = []
  for (let at = 0; at < rows.length; at += size) {
    outcomes.push(...(yield* write(bench, rows.slice(at, at + size), `conformance-${at}`)))
  }
  return outcomes
})

const oneEach = (rows: ReadonlyArray<Row>, outcomes: ReadonlyArray<Outcome>) => {
  const wanted = rows.map((row) => row.id).sort()
  const named = outcomes.map((outcome) => outcome.id).sort()
  return expect(
    Equal.equals(wanted, named),
    `wrote ${wanted.length} rows and got ${named.length} outcomes: each row needs exactly one`,
  )
}

export const allDelivered = (outcomes: ReadonlyArray<Outcome>) => {
  const other = outcomes.find((outcome) => outcome._tag !== "Delivered")
  return expect(other === undefined, `a good row was ${other?._tag}: ${JSON.stringify(other)}`)
}

/** What the destination holds of a row is what the row says, for this field. */
export const storedEquals = (destination: Destination, row: Pick<Row, "key" | "fields">, name: string) => {
  const found = storedValue(destination, row.key, name)
  const sent = Object.hasOwn(row.fields, name) ? row.fields[name] : undefined
  return expect(
    Equal.equals(found ?? null, sent ?? null),
    `${name} of row ${row.key} is stored as ${JSON.stringify(found)}, not as ${JSON.stringify(sent)}`,
  )
}

export const storedValue = (destination: Destination, key: string, name: string): Schema.Json | undefined => {
  const stored = destination.stored().get(key)
  return stored !== undefined && Object.hasOwn(stored, name) ? stored[name] : undefined
}

export const totalOf = (destination: Destination): number => destination.total?.() ?? destination.stored().size
