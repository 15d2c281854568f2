/** The source suites find what is wrong with a source: each mutant of a good source fails its case. */
import { assert, describe, it } from "@effect/vitest"
import {
  describe as describeField,
  Forbidden,
  Protocol,
  RateLimited,
  type Reader,
  type ScanRequest,
  type Source,
  SourceError,
  type SourceReason,
  type SourceRecord,
  Unauthorized,
  Unavailable,
} from "@sluice/core"
import { jsonClient, type SourceConformance, sourceConformance, sourcePipelineConformance } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { layer } from "../../cli/src/node/index.ts"

const Thing = Schema.Struct({ id: Schema.String, name: Schema.String })
const Things = Schema.Struct({ things: Schema.Array(Thing) })
const ALL = Array.from({ length: 35 }, (_, n) => ({ id: `t${String(n).padStart(2, "0")}`, name: `thing ${n}` }))
const SIZE = 10

/** `GET /<after>` has the ten things after that id, `GET /=<id>` that thing. */
const origin = () => {
  let writes = 0
  const client = jsonClient(({ method, path }) => {
    if (method !== "GET") writes += 1
    const at = decodeURIComponent(path.slice(1))
    const things = at.startsWith("=")
      ? ALL.filter(({ id }) => id === at.slice(1))
      : ALL.filter(({ id }) => id > at).slice(0, SIZE)
    return { status: 200, body: { things } }
  })
  return { client, keys: () => ALL.map(({ id }) => id), writes: () => writes }
}

const byStatus = (status: number, header: string | undefined): SourceReason => {
  const message = `HTTP ${status}`
  if (status === 401) return new Unauthorized({ message })
  if (status === 403) return new Forbidden({ message })
  if (status === 429) return new RateLimited({ message, retryAfterMillis: Number(header) * 1000 })
  return new Unavailable({ message, inDoubt: false })
}

const reasonOf = (error: HttpClientError | Schema.SchemaError): SourceReason => {
  if (error._tag === "SchemaError") return new Protocol({ message: "another shape" })
  const { response } = error
  return response === undefined || response.status < 300
    ? new Unavailable({ message: "no answer", inDoubt: false })
    : byStatus(response.status, response.headers["retry-after"])
}

const recordOf = ({ id, name }: typeof Thing.Type, { fields }: ScanRequest): SourceRecord => {
  const data = { id, name }
  const asked = Object.entries(data).filter(([field]) => fields === "all" || fields.includes(field))
  return { key: id, change: "upsert", data: Object.fromEntries(asked) }
}

interface Client {
  readonly get: (path: string) => Effect.Effect<ReadonlyArray<typeof Thing.Type>, SourceError>
  readonly post: Effect.Effect<void>
}

const goodReader = ({ get }: Client): Reader => ({
  identify: Effect.succeed({ account: "things", label: "things" }),
  estimate: () => Effect.succeed({ records: ALL.length, calls: 4, seconds: 1 }),
  findBy: ["key"],
  find: (request, { value }) => Effect.map(get(`=${value}`), (found) => found.map((thing) => recordOf(thing, request))),
  read: (request) =>
    Stream.paginate(String(Option.getOrElse(request.from, () => "")), (after) =>
      Effect.map(get(after), (things) => {
        const last = things.at(-1)?.id ?? after
        const page = { records: things.map((thing) => recordOf(thing, request)), position: last }
        return [[page], things.length < SIZE ? Option.none() : Option.some(last)] as const
      }),
    ),
})

const sourceWith = (reader: (client: Client) => Reader): Source => ({
  name: "things",
  config: Schema.Struct({ token: Schema.RedactedFromValue(Schema.String).pipe(describeField("Who")) }),
  streams: {
    things: { description: "Things", options: Schema.Struct({}), record: Thing, modes: ["full"], snapshot: true },
  },
  open: Effect.fnUntraced(function* () {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    return reader({
      get: (path) =>
        client.get(`https://example.com/${encodeURIComponent(path)}`).pipe(
          Effect.flatMap(HttpClientResponse.schemaBodyJson(Things)),
          Effect.map(({ things }) => things),
          Effect.mapError((error) => new SourceError({ reason: reasonOf(error) })),
        ),
      post: Effect.ignore(client.post("https://example.com/jobs")),
    })
  }),
})

const state = layer({ stateFile: ":memory:", env: {} })

const casesOf = (reader: (client: Client) => Reader) => {
  const suite: SourceConformance<unknown> = {
    source: sourceWith(reader),
    config: { token: "test-secret" },
    stream: "things",
    key: "id",
    fields: ["id"],
    origin,
  }
  return [...sourceConformance(suite), ...sourcePipelineConformance(suite, state)]
}

/** Titles of the cases that fail. */
const failures = (reader: (client: Client) => Reader) =>
  Effect.forEach(casesOf(reader), ({ title, effect }) =>
    Effect.match(effect, { onFailure: () => [title], onSuccess: () => [] }),
  ).pipe(Effect.map((found) => found.flat()))

type Read = Reader["read"]

/** The good reader with another way to read. */
const reading =
  (change: (read: Read, client: Client) => Read) =>
  (client: Client): Reader => {
    const good = goodReader(client)
    return { ...good, read: change(good.read, client) }
  }

const mutants: ReadonlyArray<readonly [title: string, caught: string, reader: (client: Client) => Reader]> = [
  [
    "stops before the last page",
    "a scan that ends has every key, once",
    reading((read) => (request) => Stream.take(read(request), 3)),
  ],
  [
    "hands a record over twice",
    "a scan that ends has every key, once",
    reading(
      (read) => (request) =>
        Stream.map(read(request), (page) => ({ ...page, records: [...page.records, ...page.records.slice(0, 1)] })),
    ),
  ],
  [
    "saves a position one record too far",
    "a scan from each position has exactly the rest",
    reading(
      (read) => (request) =>
        Stream.map(read(request), (page) => ({
          ...page,
          position: ALL[ALL.findIndex(({ id }) => id === page.position) + 1]?.id ?? page.position,
        })),
    ),
  ],
  [
    "ignores the position",
    "a scan from each position has exactly the rest",
    reading((read) => (request) => read({ ...request, from: Option.none() })),
  ],
  [
    "takes an outage for the end",
    "503 is Unavailable",
    reading((read) => (request) => Stream.catch(read(request), () => Stream.empty)),
  ],
  [
    "takes an odd answer for the end",
    "an answer of another shape is not taken for the end",
    reading(
      (read) => (request) =>
        Stream.catch(read(request), (error) => (error.reason._tag === "Protocol" ? Stream.empty : Stream.fail(error))),
    ),
  ],
  [
    "calls a passing fault a refusal",
    "500 in a scan: it recovers or fails as it should",
    reading(
      (read) => (request) =>
        Stream.mapError(read(request), () => new SourceError({ reason: new Unauthorized({ message: "no" }) })),
    ),
  ],
  [
    "hands everything over",
    "only the fields that were asked for are handed over, as they are",
    reading((read) => (request) => read({ ...request, fields: "all" })),
  ],
  [
    "starts a job for a preview",
    "rule 6: a preview reads, and starts nothing",
    reading(
      (read, { post }) =>
        (request) =>
          Stream.concat(Stream.fromEffectDrain(post), read(request)),
    ),
  ],
  [
    "has other keys in a scan for keys",
    "a scan for keys has the same keys",
    reading((read) => (request) => (request.purpose === "keys" ? Stream.take(read(request), 2) : read(request))),
  ],
  [
    "does not find what is there",
    "what is found by key is what the scan has",
    (client) => ({ ...goodReader(client), find: () => Effect.succeed([]) }),
  ],
  [
    "guesses",
    "rule 6: an estimate writes nothing and counts right",
    (client) => ({ ...goodReader(client), estimate: () => Effect.succeed({ records: 36, calls: 4, seconds: 1 }) }),
  ],
  [
    "shows a secret",
    "the account is the same each time",
    (client) => ({ ...goodReader(client), identify: Effect.succeed({ account: "test-secret", label: "" }) }),
  ],
  [
    "cannot be interrupted",
    "an interruption abandons the request",
    ({ get, post }) => goodReader({ get: (path) => Effect.uninterruptible(get(path)), post }),
  ],
  [
    "saves the end as its position",
    "in a pipeline: a run that is stopped loses nothing",
    reading((read) => (request) => Stream.map(read(request), (page) => ({ ...page, position: "t34" }))),
  ],
]

describe("source conformance", () => {
  it.effect("a good source passes every case", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failures(goodReader), [])
    }),
  )

  for (const [title, caught, reader] of mutants) {
    it.effect(`finds a source that ${title}`, () =>
      Effect.gen(function* () {
        const found = casesOf(reader).find((each) => each.title === caught)
        const error = yield* Effect.flip(found?.effect ?? Effect.succeed("no such case"))
        assert.strictEqual(error._tag, "ConformanceError")
      }),
    )
  }
})
