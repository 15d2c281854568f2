/** The exact requests that Auth0 gets. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, type ScanRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import nock from "nock"
import { source } from "../src/index.ts"
import type { UserOptions } from "../src/options.ts"
import { endpoint, noState, request, userOptions } from "./tenant.ts"

const host = "https://acme.example.com"

beforeEach(() => {
  nock.disableNetConnect()
})
afterEach(() => {
  nock.cleanAll()
  nock.enableNetConnect()
})

const open = source
  .open(
    {
      domain: "acme.example.com",
      client_id: "test-client",
      client_secret: Redacted.make("test-secret"),
      plan: "private_cloud_10000",
    },
    endpoint,
  )
  .pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    Effect.provide(noState),
  )

const tokens = () =>
  nock(host)
    .post("/oauth/token", {
      grant_type: "client_credentials",
      client_id: "test-client",
      client_secret: "test-secret",
      audience: `${host}/api/v2/`,
    })
    .reply(200, { access_token: "test-token", scope: "read:users", expires_in: 86_400, token_type: "Bearer" })

const api = () => nock(host, { reqheaders: { authorization: "Bearer test-token" } })

const searched = (q: string, over: Record<string, string> = {}) => ({
  q,
  search_engine: "v3",
  sort: "created_at:1",
  page: "0",
  per_page: "100",
  include_totals: "true",
  fields: "user_id,created_at,updated_at,email",
  include_fields: "true",
  ...over,
})

const found = (users: ReadonlyArray<Json>, total = users.length, limit = 100) => ({
  start: 0,
  limit,
  length: users.length,
  users,
  total,
})

const read = (over: Partial<ScanRequest<UserOptions>> = {}) =>
  Effect.gen(function* () {
    tokens()
    const reader = yield* open
    const pages = yield* Stream.runCollect(reader.read(request(over)))
    assert.deepStrictEqual(nock.pendingMocks(), [])
    return { records: pages.flatMap(({ records }) => records), last: pages.at(-1)?.position }
  }).pipe(Effect.scoped)

const ada = {
  user_id: "auth0|1",
  created_at: "2026-01-01T00:00:00.001Z",
  updated_at: "2026-02-01T00:00:00.000Z",
  email: "ada@example.com",
}

describe("requests", () => {
  it.effect("a full scan: one search from the beginning, one for users without a time", () =>
    Effect.gen(function* () {
      api()
        .get("/api/v2/users")
        .query(searched("created_at:[* TO *]"))
        .reply(200, found([ada]))
      api().get("/api/v2/users").query(searched("NOT _exists_:created_at")).reply(200, found([]))
      const { records, last } = yield* read()
      assert.deepStrictEqual(records, [{ key: "auth0|1", change: "upsert", version: ada.updated_at, data: ada }])
      assert.deepStrictEqual(last, { version: 1, phase: "end", sync: "full" })
    }),
  )

  it.effect(
    "auth0 trap 7: an incremental scan looks ahead, reads from its position on, and ends the overlap before the newest",
    () =>
      Effect.gen(function* () {
        const from = "2026-01-31T00:00:00.000Z"
        const ahead = { sort: "updated_at:-1", per_page: "1", fields: "user_id,updated_at" }
        const sorted = { sort: "updated_at:1" }
        api()
          .get("/api/v2/users")
          .query(searched(`updated_at:[${from} TO *]`, ahead))
          .reply(200, found([ada], 1, 1))
        api()
          .get("/api/v2/users")
          .query(searched(`updated_at:[${from} TO *]`, sorted))
          .reply(200, found([ada]))
        api().get("/api/v2/users").query(searched("NOT _exists_:updated_at", sorted)).reply(200, found([]))
        const { last } = yield* read({
          sync: "incremental",
          options: userOptions({ overlap: "1 hour" }),
          from: Option.some({ version: 1, phase: "end", sync: "incremental", next: from }),
        })
        const next = "2026-01-31T23:00:00.000Z"
        assert.deepStrictEqual(last, { version: 1, phase: "end", sync: "incremental", next })
      }),
  )

  it.effect("nothing new costs two searches and keeps the position", () =>
    Effect.gen(function* () {
      const next = "2026-01-31T00:00:00.000Z"
      const ahead = { sort: "updated_at:-1", per_page: "1", fields: "user_id,updated_at" }
      api()
        .get("/api/v2/users")
        .query(searched(`updated_at:[${next} TO *]`, ahead))
        .reply(200, found([], 0, 1))
      api()
        .get("/api/v2/users")
        .query(searched("NOT _exists_:updated_at", { sort: "updated_at:1" }))
        .reply(200, found([]))
      const end = { version: 1, phase: "end", sync: "incremental", next }
      const { records, last } = yield* read({ sync: "incremental", from: Option.some(end) })
      assert.deepStrictEqual([records, last], [[], end])
    }),
  )

  it.effect("--since starts an incremental scan without a position there", () =>
    Effect.gen(function* () {
      const since = "2026-01-31T00:00:00.000Z"
      const ahead = { sort: "updated_at:-1", per_page: "1", fields: "user_id,updated_at" }
      api()
        .get("/api/v2/users")
        .query(searched(`updated_at:[${since} TO *]`, ahead))
        .reply(200, found([], 0, 1))
      api()
        .get("/api/v2/users")
        .query(searched("NOT _exists_:updated_at", { sort: "updated_at:1" }))
        .reply(200, found([]))
      yield* read({ sync: "incremental", since: Option.some("2026-01-31") })
    }),
  )

  it.effect(
    "auth0 trap 10, 14: the filters are one search, escaped, and active means not blocked rather than blocked:false",
    () =>
      Effect.gen(function* () {
        const filters =
          '(app_metadata.plan:"pro" OR nickname:x) AND identities.connection:"a\\"b\\\\c" AND NOT blocked:true AND email_verified:true'
        api()
          .get("/api/v2/users")
          .query(searched(`${filters} AND created_at:[* TO *]`))
          .reply(200, found([]))
        api()
          .get("/api/v2/users")
          .query(searched(`${filters} AND NOT _exists_:created_at`))
          .reply(200, found([]))
        const options = userOptions({
          query: 'app_metadata.plan:"pro" OR nickname:x',
          connection: 'a"b\\c',
          active_only: true,
          verified_only: true,
        })
        yield* read({ options })
      }),
  )

  it.effect("only what the mapping reads is asked for; keys ask for less, all for everything", () =>
    Effect.gen(function* () {
      const scans = [
        [{ fields: ["email", "user_metadata"] }, "user_id,created_at,updated_at,email,user_metadata"],
        [{ purpose: "keys", fields: ["email"] }, "user_id,created_at,updated_at"],
      ] as const
      for (const [over, fields] of scans) {
        api().get("/api/v2/users").query(searched("created_at:[* TO *]", { fields })).reply(200, found([]))
        api().get("/api/v2/users").query(searched("NOT _exists_:created_at", { fields })).reply(200, found([]))
        yield* read(over)
      }
      const { fields: _, include_fields: __, ...all } = searched("created_at:[* TO *]")
      api().get("/api/v2/users").query(all).reply(200, found([]))
      api()
        .get("/api/v2/users")
        .query({ ...all, q: "NOT _exists_:created_at" })
        .reply(200, found([]))
      yield* read({ fields: "all" })
    }),
  )

  it.effect("auth0 trap 13: a user is found by its encoded id, and a 404 that says so means there is none", () =>
    Effect.gen(function* () {
      tokens()
      const reader = yield* open
      const find = (value: string, field = "user_id") =>
        reader.find?.(request(), { field, value }) ?? Effect.die("no find")
      const fields = "user_id,created_at,updated_at,email,blocked,email_verified,identities"
      const query = { fields, include_fields: "true" }
      api()
        .get("/api/v2/users/auth0%7C1")
        .query(query)
        .reply(200, { ...ada, blocked: false })
      assert.deepStrictEqual(yield* find("auth0|1"), [
        { key: "auth0|1", change: "upsert", version: ada.updated_at, data: ada },
      ])
      api().get("/api/v2/users/auth0%7C2").query(query).reply(404, {
        statusCode: 404,
        error: "Not Found",
        message: "The user does not exist.",
        errorCode: "inexistent_user",
      })
      assert.deepStrictEqual(yield* find("auth0|2", "key"), [])
      api().get("/api/v2/users/auth0%7C3").query(query).reply(404, "<html>")
      assert.strictEqual((yield* Effect.flip(find("auth0|3"))).reason._tag, "Misconfigured")
      for (const nobody of ["", ".", "..", "\ud800"]) assert.deepStrictEqual(yield* find(nobody), [])
    }).pipe(Effect.scoped),
  )

  it.effect("C22: an answer about another user than the one asked for is refused", () =>
    Effect.gen(function* () {
      tokens()
      const reader = yield* open
      api().get("/api/v2/users/auth0%7C9").query(true).reply(200, ada)
      api()
        .get("/api/v2/users/auth0%7C9")
        .query(true)
        .reply(200, { ...ada, user_id: "auth0|9" })
      const fiber = reader.find?.(request(), { field: "user_id", value: "auth0|9" }) ?? Effect.die("no find")
      const records = yield* fiber
      assert.deepStrictEqual(
        records.map(({ key }) => key),
        ["auth0|9"],
      )
    }).pipe(Effect.scoped, Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 })),
  )

  it.effect("auth0 trap 12: by e-mail several users may come, in both spellings, each once", () =>
    Effect.gen(function* () {
      tokens()
      const reader = yield* open
      const other = { ...ada, user_id: "google-oauth2|2", email: "Ada@example.com" }
      api()
        .get("/api/v2/users-by-email")
        .query((query) => query.email === "Ada@example.com")
        .reply(200, [other])
      api()
        .get("/api/v2/users-by-email")
        .query((query) => query.email === "ada@example.com")
        .reply(200, [ada, other])
      const find = reader.find?.(request(), { field: "email", value: "Ada@example.com" }) ?? Effect.die("no find")
      assert.deepStrictEqual(
        (yield* find).map(({ key }) => key),
        ["google-oauth2|2", "auth0|1"],
      )
    }).pipe(Effect.scoped),
  )

  it.effect("an estimate is one search", () =>
    Effect.gen(function* () {
      tokens()
      const reader = yield* open
      api()
        .get("/api/v2/users")
        .query(searched("created_at:[* TO *]", { per_page: "1", fields: "user_id" }))
        .reply(200, found([ada], 25_000, 1))
      const estimate =
        reader.estimate?.(request({ options: userOptions({ read: "search" }) })) ?? Effect.die("no estimate")
      assert.deepInclude(yield* estimate, { records: 25_000, calls: 255 })
    }).pipe(Effect.scoped),
  )
})
