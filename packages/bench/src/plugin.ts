/** A source and a sink for the other side, made as those of vendors are: one API with its limiter, retries and checks. */
import {
  type Answer,
  type ApiOptions,
  describe,
  type LimitState,
  makeApi,
  Outcome,
  type Reader,
  type Sink,
  SinkError,
  type Source,
  SourceError,
  type SourceRecord,
  type Verdict,
  type Writer,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Headers } from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const Config = Schema.Struct({ batch: Schema.Int.pipe(describe("Rows in a batch.")) })
type Config = typeof Config.Type

interface User extends Schema.JsonObject {
  readonly user_id: string
  readonly updated_at: string
}

const isUser = (value: unknown): value is User =>
  value !== null &&
  typeof value === "object" &&
  "user_id" in value &&
  typeof value.user_id === "string" &&
  "updated_at" in value &&
  typeof value.updated_at === "string"

const Found = Schema.Struct({ users: Schema.Array(Schema.declare(isUser)), total: Schema.Int })
const Taken = Schema.Struct({ taken: Schema.Int })
const decodeFound = Schema.decodeUnknownEffect(Found)
const decodeTaken = Schema.decodeUnknownEffect(Taken)
const decodePosition = Schema.decodeUnknownSync(Schema.Int)

const PAGE = 100

const classify = ({ status }: Answer): Verdict =>
  status === 200 ? { _tag: "Accept" } : { _tag: "Transient", applied: false, message: `HTTP ${status}` }

const readLimit = (headers: Headers): LimitState => ({
  limit: Number(headers["x-ratelimit-limit"]),
  remaining: Number(headers["x-ratelimit-remaining"]),
})

const optionsFor = (account: string, baseUrl: string | undefined): ApiOptions => ({
  baseUrl: baseUrl ?? "",
  insecure: false,
  share: 1,
  limits: { calls: { limit: 1_000_000, windowMillis: 1_000 } },
  account,
  readLimit,
  authorize: Effect.succeed,
  classify,
})

const identify = Effect.succeed({ account: "bench", label: "bench" })

const recordOf = (user: User): SourceRecord => ({
  key: user.user_id,
  change: "upsert",
  version: user.updated_at,
  data: user,
})

export const source: Source<Config> = {
  name: "bench",
  config: Config,
  streams: {
    users: {
      description: "Users, a hundred a page.",
      options: Schema.Struct({}),
      record: Schema.JsonObject,
      modes: ["full", "incremental"],
      snapshot: true,
    },
  },
  open: Effect.fnUntraced(
    function* (_, endpoint) {
      const api = yield* makeApi(optionsFor("bench source", endpoint.baseUrl))
      const page = Effect.fnUntraced(function* (after: number) {
        const { total, users } = yield* api.call({
          name: "bench.users",
          bucket: "calls",
          request: HttpClientRequest.get("/users", { urlParams: { after: String(after), size: String(PAGE) } }),
          repeatable: true,
          decode: ({ body }) => decodeFound(body),
        })
        const next = after + users.length
        return [
          [{ records: users.map(recordOf), position: next }],
          next >= total ? Option.none<number>() : Option.some(next),
        ] as const
      })
      const reader: Reader = {
        identify,
        read: ({ from }) =>
          Stream.paginate(Option.match(from, { onNone: () => 0, onSome: decodePosition }), page).pipe(
            Stream.mapError((reason) => new SourceError({ reason })),
          ),
      }
      return reader
    },
    Effect.mapError((reason) => new SourceError({ reason })),
  ),
}

export const sink: Sink<Config> = {
  name: "bench",
  config: Config,
  objects: {
    contacts: { description: "Rows, many in a call.", options: Schema.Struct({}), deletes: [], key: "ext_id" },
  },
  open: Effect.fnUntraced(
    function* ({ batch }, endpoint) {
      const api = yield* makeApi(optionsFor("bench sink", endpoint.baseUrl))
      const write: Writer["write"] = ({ rows }) =>
        api
          .call({
            name: "bench.rows",
            bucket: "calls",
            request: HttpClientRequest.bodyJsonUnsafe(
              HttpClientRequest.post("/rows"),
              rows.map((row) => row.fields),
            ),
            repeatable: true,
            decode: ({ body }) => decodeTaken(body),
          })
          .pipe(
            Effect.map(() => rows.map(({ id }) => Outcome.Delivered({ id, effect: "updated" }))),
            Effect.mapError((reason) => new SinkError({ reason })),
          )
      const writer: Writer = { limits: { rows: batch }, repeatable: true, write }
      return { identify, writer: () => Effect.succeed(writer) }
    },
    Effect.mapError((reason) => new SinkError({ reason })),
  ),
}
