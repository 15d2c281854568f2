/** The files of a new source: it reads pages of JSON by a cursor, and its test has an API to read from. */
import type { NewFile } from "./newFiles.ts"

export const sourceFiles = (name: string): ReadonlyArray<NewFile> => [
  { file: `${name}.ts`, text: source(name) },
  { file: `${name}.test.ts`, text: test(name) },
]

const source = (
  name: string,
) => `/** Reads people page by page: GET /people?cursor=… answers { items, next }, and next is null on the last page. */
import { describe, makeApi, type Page, type ScanRequest, type Source, SourceError, verdictByStatus } from "@sluice/core"
import { Effect, Option, Redacted, Schema, Stream } from "effect"
import { HttpClientRequest } from "effect/http"

const Config = Schema.Struct({
  url: Schema.String.pipe(describe("The API's address, such as http://127.0.0.1:4030")),
  token: Schema.RedactedFromValue(Schema.String).pipe(describe("Sent as a bearer token, such as test-token")),
})

/** What a mapping can read. Other fields pass as well. */
const Person = Schema.Struct({
  id: Schema.String,
  email: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
})

const Item = Schema.StructWithRest(Schema.Struct({ id: Schema.String }), [Schema.Record(Schema.String, Schema.Json)])
const Answer = Schema.Struct({ items: Schema.Array(Item), next: Schema.NullOr(Schema.String) })
const decodeAnswer = Schema.decodeUnknownEffect(Answer)

/** Where to go on: the next page's cursor, "" for the first page; null when all were read. */
const decodeCursor = Schema.decodeUnknownOption(Schema.NullOr(Schema.String))

const pick = (item: Schema.JsonObject, fields: ReadonlyArray<string> | "all"): Schema.JsonObject =>
  fields === "all" ? item : Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name)))

export const source: Source<typeof Config.Type> = {
  name: "${name}",
  config: Config,
  streams: {
    people: {
      description: "Everyone there is.",
      options: Schema.Struct({}),
      record: Person,
      modes: ["full"],
      snapshot: true, // a full scan has everyone, so who is absent was deleted
    },
  },
  open: Effect.fnUntraced(
    function* (config, endpoint) {
      const api = yield* makeApi({
        baseUrl: endpoint.baseUrl ?? config.url,
        insecure: endpoint.insecure,
        share: endpoint.share ?? 1,
        limits: { calls: { limit: 10, windowMillis: 1000 } },
        account: config.url,
        readLimit: () => undefined, // or what the answers' headers say is left
        authorize: (request) => Effect.succeed(HttpClientRequest.bearerToken(request, Redacted.value(config.token))),
        classify: verdictByStatus("${name}"),
      })
      const list = (cursor: string) =>
        api.call({
          name: "people.list",
          bucket: "calls",
          request: HttpClientRequest.get("/people", { urlParams: cursor === "" ? {} : { cursor } }),
          repeatable: true,
          decode: ({ body }) => decodeAnswer(body),
        })
      const failed = Effect.mapError((reason: Effect.Error<ReturnType<typeof list>>) => new SourceError({ reason }))
      return {
        // Asks, so that \`check --connect\` finds a wrong token.
        identify: list("").pipe(Effect.as({ account: config.url, label: new URL(config.url).host }), failed),
        read: ({ from, fields }: ScanRequest) => {
          const start = Option.getOrElse(Option.flatMap(from, decodeCursor), () => "")
          if (start === null) return Stream.empty
          return Stream.paginate(start, (cursor) =>
            Effect.map(failed(list(cursor)), ({ items, next }) => {
              const page: Page = {
                records: items.map((item) => ({ key: item.id, change: "upsert", data: pick(item, fields) })),
                position: next,
              }
              return [[page], Option.fromNullOr(next)]
            }),
          )
        },
      }
    },
    Effect.mapError((error) => (error instanceof SourceError ? error : new SourceError({ reason: error }))),
  ),
}
`

const test = (name: string) => `/** The ${name} source keeps what the engine relies on. */
import { it } from "@effect/vitest"
import { jsonClient, sourceConformance } from "@sluice/core/testing"
import { source } from "./${name}.ts"

const people = Array.from({ length: 50 }, (_, at) => ({
  id: \`p\${at}\`,
  email: \`person\${at}@example.com\`,
  name: \`Person \${at}\`,
}))
const PER_PAGE = 10

/** An API as the source expects one. */
const origin = () => ({
  client: jsonClient(({ query }) => {
    const start = Number(query.cursor ?? 0)
    const end = start + PER_PAGE
    return { status: 200, body: { items: people.slice(start, end), next: end < people.length ? String(end) : null } }
  }),
  keys: () => people.map(({ id }) => id),
  writes: () => 0,
})

const config = { url: "https://${name}.example.com", token: "test-secret" }
const suite = { source, config, stream: "people", key: "id", fields: ["id", "email"], origin } as const
for (const { title, effect } of sourceConformance(suite)) it.effect(title, () => effect)
`
