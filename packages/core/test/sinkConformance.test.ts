/** The conformance suite finds what is wrong with a sink: each mutant of a good sink fails its case. */
import { assert, describe, it } from "@effect/vitest"
import { describe as describeField, Outcome, type SimpleSink, Sink } from "@sluice/core"
import { jsonClient, sinkConformance } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"

const Config = Schema.Struct({
  url: Schema.String.pipe(describeField("Where")),
  token: Schema.RedactedFromValue(Schema.String).pipe(describeField("Who")),
})
type Config = typeof Config.Type

const Rows = Schema.Array(
  Schema.Struct({ id: Schema.String, key: Schema.String, fields: Schema.Record(Schema.String, Schema.Json) }),
)
const decodeRows = Schema.decodeUnknownSync(Rows)
const Refused = Schema.Struct({ refused: Schema.Array(Schema.String) })

const post = (rows: Schema.Json) =>
  HttpClientRequest.post("https://example.com/rows").pipe(HttpClientRequest.bodyJsonUnsafe(rows), HttpClient.execute)

const good: SimpleSink<Config> = {
  name: "good",
  config: Config,
  repeatable: true,
  limits: { rows: 10 },
  write: Effect.fnUntraced(function* (batch) {
    const sent = batch.rows.map(({ id, key, fields }) => ({ id, key, fields }))
    const { refused } = yield* post(sent).pipe(Effect.flatMap(HttpClientResponse.schemaBodyJson(Refused)))
    return batch.rows.map(({ id }) =>
      refused.includes(id)
        ? Outcome.Rejected({ id, code: "bad", message: "refused" })
        : Outcome.Delivered({ id, effect: "updated" }),
    )
  }),
}

const destination = () => {
  const stored = new Map<string, Schema.JsonObject>()
  const bad = new Set<string>()
  const client = jsonClient(({ body }) => {
    const rows = decodeRows(body)
    for (const { key, fields } of rows) if (!bad.has(key)) stored.set(key, { ...stored.get(key), ...fields })
    return { status: 200, body: { refused: rows.filter(({ key }) => bad.has(key)).map(({ id }) => id) } }
  })
  return { client, stored: () => stored, refuse: (key: string) => void bad.add(key) }
}

const failures = (sink: SimpleSink<Config>) => {
  const cases = sinkConformance({
    sink: Sink.simple(sink),
    config: { url: "https://example.com/rows", token: "test-secret" },
    object: "things",
    key: "id",
    texts: ["name", "company"],
    destination,
  })
  return Effect.forEach(cases, ({ title, effect }) =>
    Effect.match(effect, { onFailure: () => [title], onSuccess: () => [] }),
  ).pipe(Effect.map((found) => found.flat()))
}

const delivered = (rows: ReadonlyArray<{ readonly id: string }>) =>
  rows.map(({ id }) => Outcome.Delivered({ id, effect: "updated" }))

const mutants: ReadonlyArray<readonly [title: string, caught: string, mutant: Partial<SimpleSink<Config>>]> = [
  [
    "a lost outcome",
    "a full batch has one outcome for each row",
    { write: (batch, ...rest) => Effect.map(good.write(batch, ...rest), (outcomes) => outcomes.slice(1)) },
  ],
  [
    "columns of the first row",
    "rows with different fields keep their own",
    {
      write: (batch, ...rest) => {
        const columns = Object.keys(batch.rows[0]?.fields ?? {})
        const rows = batch.rows.map((row) => ({
          ...row,
          fields: Object.fromEntries(
            columns.flatMap((name) => (name in row.fields ? [[name, row.fields[name] ?? null]] : [])),
          ),
        }))
        return good.write({ ...batch, rows }, ...rest)
      },
    },
  ],
  [
    "text that is cut",
    "odd text arrives as it is, or is refused",
    {
      write: (batch, ...rest) => {
        const short = (value: Schema.Json) => (typeof value === "string" ? value.slice(0, 100) : value)
        const rows = batch.rows.map((row) => ({
          ...row,
          fields: Object.fromEntries(Object.entries(row.fields).map(([name, value]) => [name, short(value)])),
        }))
        return good.write({ ...batch, rows }, ...rest)
      },
    },
  ],
  [
    "a swallowed refusal",
    "D01: a refused row does not take the others with it",
    { write: (batch, ...rest) => Effect.map(good.write(batch, ...rest), () => delivered(batch.rows)) },
  ],
  [
    "a swallowed failure",
    "503 is Unavailable",
    {
      write: (batch, ...rest) => Effect.catch(good.write(batch, ...rest), () => Effect.succeed(delivered(batch.rows))),
    },
  ],
  [
    "an answer that nobody reads",
    "an answer that is no JSON is not taken for success",
    { write: (batch) => Effect.as(post([]), delivered(batch.rows)) },
  ],
  [
    "a write that outlives its interruption",
    "an interruption abandons the request",
    { write: (batch, ...rest) => Effect.uninterruptible(good.write(batch, ...rest)) },
  ],
  ["a secret in the account", "the account is the same each time", { account: () => "account test-secret" }],
]

describe("sink conformance", () => {
  it.effect("a good sink passes every case", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failures(good), [])
    }),
  )

  for (const [title, caught, mutant] of mutants) {
    it.effect(`finds ${title}`, () =>
      Effect.gen(function* () {
        assert.include(yield* failures({ ...good, ...mutant }), caught)
      }),
    )
  }
})
