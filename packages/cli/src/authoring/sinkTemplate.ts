/** The files of a new sink: it posts batches as JSON, and its test has a receiver to post to. */
import type { NewFile } from "./newFiles.ts"

export const sinkFiles = (name: string): ReadonlyArray<NewFile> => [
  { file: `${name}.ts`, text: sink(name) },
  { file: `${name}.test.ts`, text: test(name) },
]

const sink = (
  name: string,
) => `/** Posts each batch as JSON. The answer names the rows it refuses; all others count as accepted. */
import { describe, Outcome, Sink } from "@sluice/core"
import { Effect, Redacted, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

const Refusal = Schema.Struct({ id: Schema.String, code: Schema.String, message: Schema.String })
const decodeAnswer = HttpClientResponse.schemaBodyJson(Schema.Struct({ rejected: Schema.Array(Refusal) }))

export const sink = Sink.simple({
  name: "${name}",
  config: Schema.Struct({
    url: Schema.String.pipe(describe("Where batches are posted, such as http://127.0.0.1:4020/rows")),
    token: Schema.RedactedFromValue(Schema.String).pipe(describe("Sent as a bearer token, such as test-token")),
  }),
  limits: { rows: 100 },
  repeatable: true, // only if the receiver keeps one row per key: a lost answer is then sent again
  write: Effect.fn("${name}.write")(function* (batch, config, { object, key }) {
    const request = HttpClientRequest.post(config.url).pipe(
      HttpClientRequest.bearerToken(Redacted.value(config.token)),
      HttpClientRequest.bodyJsonUnsafe({ object, key, rows: batch.rows }),
    )
    const { rejected } = yield* HttpClient.execute(request).pipe(Effect.flatMap(decodeAnswer))
    const refusals = new Map(rejected.map((row) => [row.id, Outcome.Rejected(row)]))
    return batch.rows.map(({ id }) => refusals.get(id) ?? Outcome.Delivered({ id, effect: "accepted" }))
  }),
})
`

const test = (name: string) => `/** The ${name} sink keeps what the engine relies on. */
import { it } from "@effect/vitest"
import { jsonClient, sinkConformance } from "@sluice/core/testing"
import { Schema } from "effect"
import { sink } from "./${name}.ts"

const Row = Schema.Struct({ id: Schema.String, key: Schema.String, fields: Schema.Record(Schema.String, Schema.Json) })
const decode = Schema.decodeUnknownSync(Schema.Struct({ rows: Schema.Array(Row) }))

/** A receiver as the sink expects one: it keeps one row per key, and refuses those it is told to. */
const destination = () => {
  const stored = new Map<string, Schema.JsonObject>()
  const bad = new Set<string>()
  const client = jsonClient(({ body }) => {
    const { rows } = decode(body)
    for (const { key, fields } of rows) if (!bad.has(key)) stored.set(key, { ...stored.get(key), ...fields })
    const refused = rows.filter(({ key }) => bad.has(key))
    return { status: 200, body: { rejected: refused.map(({ id }) => ({ id, code: "bad", message: "not wanted" })) } }
  })
  return { client, stored: () => stored, refuse: (key: string) => void bad.add(key) }
}

const config = { url: "https://${name}.example.com/rows", token: "test-secret" }
const suite = { sink, config, object: "users", key: "id", texts: ["email", "name"], destination } as const
for (const { title, effect } of sinkConformance(suite)) it.effect(title, () => effect)
`
