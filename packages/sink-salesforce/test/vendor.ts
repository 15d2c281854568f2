/** A scripted Salesforce for tests: expects calls in order, records them exactly, and opens the shipped sink on them. */
import { assert } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, type Outcome, PluginState, type Row, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import type { Json, JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import nock from "nock"
import { ObjectOptions, SalesforceConfig, sink } from "../src/index.ts"
import { described } from "./org.ts"

export const HOST = "https://acme.my.salesforce.com"
export const DATA = "/services/data/v67.0"

export interface Sent {
  readonly call: string
  readonly host: string
  readonly headers: { readonly [name: string]: string }
  readonly text: string
  readonly body?: { readonly [name: string]: Json }
}

export interface Script {
  readonly call: string
  readonly status: number
  readonly body?: Json | string
  readonly headers?: Record<string, string>
  readonly host?: string
}

export const UPSERT = "PATCH /composite/sobjects/Contact/Auth0_Id__c"
export const UPDATE = "PATCH /composite/sobjects"

/** `call` without a leading `/services` is below the data root. */
export const when = (call: string, status: number, body?: Json | string, given: Partial<Script> = {}): Script => {
  const [method = "", path = ""] = call.split(" ")
  const whole = path.startsWith("/services") ? path : `${DATA}${path}`
  return { call: `${method} ${whole}`, status, ...(body === undefined ? {} : { body }), ...given }
}

const parsed = (text: string) => (text.startsWith("{") ? { body: JSON.parse(text) } : {})

/** Answers each call once, and fails any other. What was sent is in the returned list. */
export const salesforce = (...scripts: ReadonlyArray<Script>): Array<Sent> => {
  nock.cleanAll()
  nock.disableNetConnect()
  const sent: Array<Sent> = []
  for (const { call, status, body, headers, host = HOST } of scripts) {
    const [method = "", path = ""] = call.split(" ")
    nock(host)
      .intercept(path, method)
      .reply(async (request: Request) => {
        const text = await request.text()
        sent.push({ call, host, headers: Object.fromEntries(request.headers), text, ...parsed(text) })
        const answer = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body)
        return [status, answer, headers ?? {}]
      })
  }
  return sent
}

export const ORGANIZATION = "00D000000000001AAA"

export const token = (given: JsonObject = {}): JsonObject => ({
  access_token: "test-session",
  instance_url: HOST,
  id: `https://login.salesforce.com/id/${ORGANIZATION}/005000000000001AAA`,
  token_type: "Bearer",
  issued_at: "1795800000000",
  signature: "test",
  ...given,
})

export const signIn = (given: JsonObject = {}): Script => when("POST /services/oauth2/token", 200, token(given))
export const versions = when("GET /services/data/", 200, [
  { version: "66.0" },
  { version: "67.0" },
  { version: "68.0" },
])
export const describes = (name: string, change: Parameters<typeof described>[1] = {}): Script =>
  when(`GET /sobjects/${name}/describe`, 200, described(name, change))

/** What comes before the first write to an object. */
export const opening = (name: string, change: Parameters<typeof described>[1] = {}): ReadonlyArray<Script> => [
  signIn(),
  versions,
  describes(name, change),
]

export const created = (id: string): JsonObject => ({ id, success: true, errors: [], created: true })
export const updated = (id: string): JsonObject => ({ id, success: true, errors: [], created: false })
export const failed = (statusCode: string, message = "", fields: ReadonlyArray<string> = []): JsonObject => ({
  success: false,
  created: false,
  errors: [{ statusCode, message, fields: [...fields] }],
})

export const row = (n: number, fields: JsonObject = {}, given: Partial<Row> = {}): Row => ({
  id: `auth0|${n}`,
  key: `auth0|${n}`,
  change: "upsert",
  fields: { Auth0_Id__c: `auth0|${n}`, LastName: `Name ${n}`, ...fields },
  ...given,
})

export const tags = (outcomes: ReadonlyArray<Outcome>) => outcomes.map(({ _tag }) => _tag)

export const memory = () => {
  const values = new Map<string, string>()
  const service = PluginState.of({
    get: (key) => Effect.sync(() => Option.fromUndefinedOr(values.get(key))),
    set: (key, value) => Effect.sync(() => void values.set(key, value)),
  })
  return { values, service }
}

/** What the sink needs; the test ends with every scripted call made. */
export const services = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  unfinished(Effect.tap(effect, () => Effect.sync(() => assert.deepStrictEqual(nock.pendingMocks(), []))))

/** The same where not every scripted call has to come. */
export const unfinished = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provideService(CurrentLimiters, makeLimiters()),
    Effect.provideService(PluginState, memory().service),
    Effect.provide(FetchHttpClient.layer),
  )

export interface Setup extends Partial<Omit<WriterRequest, "options">> {
  readonly object?: string
  readonly options?: JsonObject
  readonly config?: JsonObject
  readonly share?: number
}

export const connect = Effect.fnUntraced(function* (config: JsonObject = {}, share?: number) {
  const credentials = { login_url: HOST, client_id: "test-client", client_secret: "test-secret", ...config }
  const decoded = yield* Schema.decodeUnknownEffect(SalesforceConfig)(credentials)
  return yield* sink.open(decoded, { name: "crm", baseUrl: undefined, share, insecure: false })
})

export const open = Effect.fnUntraced(function* (setup: Setup = {}) {
  const connection = yield* connect(setup.config, setup.share)
  const options = yield* Schema.decodeUnknownEffect(ObjectOptions)({ match: [], path: "collections", ...setup.options })
  return yield* connection.writer(setup.object ?? "Contact", {
    key: setup.key ?? "Auth0_Id__c",
    fields: setup.fields ?? ["Auth0_Id__c", "LastName", "Email"],
    options,
    on_delete: setup.on_delete ?? "keep",
    expected: undefined,
  })
})

/** Writes rows in one batch; the mapped fields are those of the rows unless said otherwise. */
export const write = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>, setup: Setup = {}) {
  const fields = setup.fields ?? [...new Set(rows.flatMap((each) => Object.keys(each.fields)))]
  const writer = yield* open({ ...setup, fields })
  return yield* writer.write({ id: "batch-1", attempt: 1, rows })
})

const tick = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets the test's clock run while real answers come in. */
export const onMovingClock = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(tick, TestClock.adjust("1 second"))))
