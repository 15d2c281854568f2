/** A scripted Brevo for tests: expects calls in order, records them exactly, and opens the shipped sink on them. */

import { assert } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, PluginState, type Row, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import type { Json, JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import nock from "nock"
import { BrevoConfig, ContactOptions, sink } from "../src/index.ts"

export interface Sent {
  readonly call: string
  readonly body?: unknown
}

export interface Script {
  readonly call: string
  readonly status: number
  readonly body?: Json
  readonly headers?: Record<string, string>
}

export const when = (call: string, status: number, body?: Json, headers: Record<string, string> = {}): Script => ({
  call,
  status,
  headers,
  ...(body === undefined ? {} : { body }),
})

/** Answers each call once, and fails any other. What was sent is in the returned list. */
export const brevo = (...scripts: ReadonlyArray<Script>): Array<Sent> => {
  nock.cleanAll()
  nock.disableNetConnect()
  const sent: Array<Sent> = []
  for (const { call, status, body, headers } of scripts) {
    const [method = "", path = ""] = call.split(" ")
    nock("https://api.brevo.com")
      .intercept(`/v3${path}`, method)
      .reply(async (request: Request) => {
        const received = await request.text()
        sent.push({ call, ...(received === "" ? {} : { body: JSON.parse(received) }) })
        return [status, body === undefined ? "" : JSON.stringify(body), headers ?? {}]
      })
  }
  return sent
}

export const attributes = when("GET /contacts/attributes", 200, {
  attributes: [
    { name: "FIRSTNAME", category: "normal", type: "text" },
    { name: "COMPANY", category: "normal", type: "text" },
    { name: "SMS", category: "normal", type: "text" },
    { name: "WHATSAPP", category: "normal", type: "text" },
    { name: "SIGNUP_DATE", category: "normal", type: "date" },
    { name: "LOGIN_COUNT", category: "normal", type: "float" },
    { name: "EMAIL_VERIFIED", category: "normal", type: "boolean" },
    {
      name: "PLAN",
      category: "category",
      type: "category",
      enumeration: [
        { value: 1, label: "free", valueStr: "1" },
        { value: 0, label: "pro", valueStr: "p" },
      ],
    },
    { name: "TOPICS", category: "normal", type: "multiple-choice", multiCategoryOptions: ["news", "offers"] },
    { name: "LAST_ORDER", category: "transactional", type: "text" },
    { name: "BLACKLIST", category: "global", calculatedValue: "COUNT[BLACKLISTED,BLACKLISTED,<,NOW()]" },
    { name: "EMAIL", category: "normal", type: "text" },
  ],
})

/** A contact as `GET /contacts/{id}` gives it. */
export const contact = (id: number, given: JsonObject = {}): JsonObject => ({
  id,
  email: "ada@example.com",
  emailBlacklisted: false,
  smsBlacklisted: false,
  createdAt: "2026-01-02T03:04:05.000Z",
  modifiedAt: "2026-01-02T03:04:05.000Z",
  listIds: [],
  listUnsubscribed: null,
  attributes: { EXT_ID: "auth0|1" },
  ...given,
})

export const row = (fields: JsonObject, given: Partial<Row> = {}): Row => ({
  id: "auth0|1",
  key: "auth0|1",
  change: "upsert",
  fields: { ext_id: "auth0|1", ...fields },
  ...given,
})

export const memory = Effect.provideService(
  PluginState,
  PluginState.of({ get: () => Effect.succeed(Option.none()), set: () => Effect.void }),
)

/** What the sink needs; the test ends with every scripted call made. */
export const services = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  unfinished(Effect.tap(effect, () => Effect.sync(() => assert.deepStrictEqual(nock.pendingMocks(), []))))

/** The same where not every scripted call has to come. */
export const unfinished = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provideService(CurrentLimiters, makeLimiters()), memory, Effect.provide(FetchHttpClient.layer))

export interface Setup extends Partial<Omit<WriterRequest, "options">> {
  readonly options?: JsonObject
  readonly config?: JsonObject
  readonly share?: number
}

export const connect = Effect.fnUntraced(function* (config: JsonObject = {}, share = 1) {
  const decoded = yield* Schema.decodeUnknownEffect(BrevoConfig)({ api_key: "test-secret", ...config })
  return yield* sink.open(decoded, { name: "brevo", baseUrl: undefined, share, insecure: false })
})

export const open = Effect.fnUntraced(function* (setup: Setup = {}) {
  const connection = yield* connect(setup.config, setup.share)
  const options = yield* Schema.decodeUnknownEffect(ContactOptions)(setup.options ?? {})
  return yield* connection.writer("contacts", {
    key: setup.key ?? "ext_id",
    fields: setup.fields ?? ["ext_id", "email", "FIRSTNAME"],
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
