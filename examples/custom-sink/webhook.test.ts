/** The webhook sink keeps what the engine relies on. */
import { it } from "@effect/vitest"
import { jsonClient, sinkConformance } from "@sluice/core/testing"
import { Schema } from "effect"
import { sink } from "./webhook.ts"

const Row = Schema.Struct({ id: Schema.String, key: Schema.String, fields: Schema.Record(Schema.String, Schema.Json) })
const decode = Schema.decodeUnknownSync(Schema.Struct({ rows: Schema.Array(Row) }))

const destination = () => {
  const [stored, bad] = [new Map<string, Schema.JsonObject>(), new Set<string>()]
  const client = jsonClient(({ body }) => {
    const { false: good = [], true: refused = [] } = Object.groupBy(decode(body).rows, ({ key }) => `${bad.has(key)}`)
    for (const { key, fields } of good) stored.set(key, { ...stored.get(key), ...fields })
    return { status: 200, body: { rejected: refused.map(({ id }) => ({ id, code: "bad", message: "not wanted" })) } }
  })
  return { client, stored: () => stored, refuse: (key: string) => void bad.add(key) }
}

const config = { url: "https://hook.example.com/rows", token: "test-secret" }
const suite = { sink, config, object: "users", key: "id", texts: ["name", "company"], destination } as const
for (const { title, effect } of sinkConformance(suite)) it.effect(title, () => effect)
