/** Persona as a script: each call with its answer, everything else fails. Also a sink opened on it, and rows. */
import { assert } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, PluginState, type Row, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import type { Json, JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import nock from "nock"
import { AccountOptions, CaseOptions, PersonaConfig, sink } from "../src/index.ts"

export interface Sent {
  readonly call: string
  readonly query: { readonly [name: string]: string }
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body?: unknown
}

export interface Script {
  readonly call: string
  readonly status: number
  readonly body?: Json
  readonly headers?: Record<string, string>
  /** The connection breaks before an answer. */
  readonly cut?: boolean
}

export const when = (call: string, status: number, body?: Json, headers: Record<string, string> = {}): Script => ({
  call,
  status,
  headers,
  ...(body === undefined ? {} : { body }),
})

export const silence = (call: string): Script => ({ call, status: 0, cut: true })

export const environment = { "persona-environment-id": "env_1", "persona-organization-id": "org_1" }

/** Without those that a script takes off. */
const named = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""))

/** Answers each call once, and fails any other. What was sent is in the returned list. */
export const persona = (...scripts: ReadonlyArray<Script>): Array<Sent> => {
  nock.cleanAll()
  nock.disableNetConnect()
  const sent: Array<Sent> = []
  for (const { call, status, body, headers, cut } of scripts) {
    const [method = "", path = ""] = call.split(" ")
    const noted = async (request: Request) => {
      const received = await request.text()
      const query = Object.fromEntries(new URL(request.url).searchParams)
      const given = Object.fromEntries(request.headers)
      sent.push({ call, query, headers: given, ...(received === "" ? {} : { body: JSON.parse(received) }) })
    }
    const interceptor = nock("https://api.withpersona.com").intercept(`/api/v1${path}`, method).query(true)
    if (cut === true) interceptor.replyWithError(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }))
    else {
      interceptor.reply(async (request: Request) => {
        await noted(request)
        return [status, body === undefined ? "" : JSON.stringify(body), named({ ...environment, ...headers })]
      })
    }
  }
  return sent
}

export const known = when("GET /rate-limits", 200, { data: [] })

export const error = (title: string, details = "", pointer?: string): JsonObject => ({
  errors: [{ title, details, ...(pointer === undefined ? {} : { source: { pointer } }) }],
})

/** An account as the API gives it. */
export const account = (id: string, attributes: JsonObject = {}, type = "acttp_1"): JsonObject => ({
  type: "account",
  id,
  attributes: { "reference-id": "auth0|1", "redacted-at": null, tags: [], ...attributes },
  relationships: { "account-type": { data: { type: "account-type", id: type } } },
})

export const found = (...accounts: ReadonlyArray<JsonObject>) => when("GET /accounts", 200, { data: accounts })

export const row = (fields: JsonObject, given: Partial<Row> = {}): Row => ({
  id: "auth0|1",
  key: "auth0|1",
  change: "upsert",
  fields: { reference_id: "auth0|1", ...fields },
  ...given,
})

export const memory = Effect.provideService(
  PluginState,
  PluginState.of({ get: () => Effect.succeed(Option.none()), set: () => Effect.void }),
)

/** What the sink needs; the test ends with every scripted call made. */
export const services = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(effect, () => Effect.sync(() => assert.deepStrictEqual(nock.pendingMocks(), []))).pipe(
    Effect.provideService(CurrentLimiters, makeLimiters()),
    memory,
    Effect.provide(FetchHttpClient.layer),
  )

export interface Setup extends Partial<Omit<WriterRequest, "options">> {
  readonly object?: "accounts" | "cases"
  readonly options?: JsonObject
  readonly config?: JsonObject
  readonly share?: number
}

export const KEY = "persona_sandbox_test"

export const connect = Effect.fnUntraced(function* (config: JsonObject = {}, share?: number) {
  const decoded = yield* Schema.decodeUnknownEffect(PersonaConfig)({ api_key: KEY, ...config }).pipe(Effect.orDie)
  return yield* sink.open(decoded, { name: "persona", baseUrl: undefined, share, insecure: false })
})

export const open = Effect.fnUntraced(function* (setup: Setup = {}) {
  const { object = "accounts" } = setup
  const connection = yield* connect(setup.config, setup.share)
  const schema = object === "accounts" ? AccountOptions : CaseOptions
  const options = yield* Schema.decodeUnknownEffect(schema)(setup.options ?? {}).pipe(Effect.orDie)
  return yield* connection.writer(object, {
    key: setup.key ?? (object === "accounts" ? "reference_id" : "case_key"),
    fields: setup.fields ?? ["reference_id", "name_first"],
    options,
    on_delete: setup.on_delete ?? "keep",
    expected: undefined,
  })
})

/** Writes rows in one batch; the mapped fields are those of the rows unless said otherwise. */
export const write = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  setup: Setup = {},
  batch = { id: "batch-1", attempt: 1 },
) {
  const fields = setup.fields ?? [...new Set(rows.flatMap((each) => Object.keys(each.fields)))]
  const writer = yield* open({ ...setup, fields })
  return yield* writer.write({ ...batch, rows })
})

const tick = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets the test's clock run while real answers come in. */
export const onMovingClock = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(tick, TestClock.adjust("1 second"))))
