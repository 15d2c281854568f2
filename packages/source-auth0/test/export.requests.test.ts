/** The exact requests around an export, and what is made of answers that the sandbox does not give. */
import { gzipSync } from "node:zlib"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, type ScanRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import nock from "nock"
import { source } from "../src/index.ts"
import type { UserOptions } from "../src/options.ts"
import { endpoint, noState, request, userOptions } from "./tenant.ts"

const host = "https://acme.example.com"
const files = "https://user-exports.auth0.com"
const id = "job_iSjvljNtsTMmSpRW"
const job = { type: "users_export", format: "json", created_at: "2026-01-25T17:48:15.325Z", id }
const query = "?Expires=1&Key-Pair-Id=K&Signature=test-signature"
const completed = { ...job, status: "completed", location: `${files}/${id}/acme.json.gz${query}` }

const users = ["a", "b"].map((name) => ({
  user_id: `auth0|${name}`,
  created_at: "2026-01-01T00:00:00.001Z",
  updated_at: "2026-02-01T00:00:00.000Z",
  email: `${name}@example.com`,
}))
const lines = users.map((user) => `${JSON.stringify(user)}\n`).join("")

beforeEach(() => {
  nock.disableNetConnect()
})
afterEach(() => {
  nock.cleanAll()
  nock.enableNetConnect()
})

const api = () => nock(host, { reqheaders: { authorization: "Bearer test-token" } })
const file = (reply: string | Buffer, headers = {}) =>
  nock(files, { badheaders: ["authorization"] })
    .get(`/${id}/acme.json.gz${query}`)
    .reply(200, reply, headers)

/** A search that counts. */
const counted = (q: string, total: number, over: Record<string, string> = {}) =>
  api()
    .get("/api/v2/users")
    .query({
      q,
      search_engine: "v3",
      sort: "created_at:1",
      page: "0",
      per_page: "1",
      include_totals: "true",
      fields: "user_id",
      include_fields: "true",
      ...over,
    })
    .reply(200, { start: 0, limit: 1, length: 1, users: users.slice(0, 1), total })
const upTo = `created_at:[* TO ${job.created_at}]`

interface Config {
  readonly export_hosts?: ReadonlyArray<string>
}

const scan = (over: Partial<ScanRequest<UserOptions>>, config: Config = {}) =>
  Effect.gen(function* () {
    const reader = yield* source.open(
      { domain: "acme.example.com", token: Redacted.make("test-token"), plan: "private_cloud_10000", ...config },
      endpoint,
    )
    const asked = request({ options: userOptions({ read: "export" }), ...over })
    const pages = yield* Stream.runCollect(reader.read(asked))
    assert.deepStrictEqual(nock.pendingMocks(), [])
    return { pages, records: pages.flatMap(({ records }) => records) }
  }).pipe(
    Effect.scoped,
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    Effect.provide(noState),
  )

/** From a job that a run before had begun. */
const resumed = (lines = 0): Partial<ScanRequest<UserOptions>> => ({
  from: Option.some({ version: 1, phase: "export", job: id, lines, counted: lines }),
})

const found = () => api().get(`/api/v2/jobs/${id}`).reply(200, completed)

describe("requests of an export", () => {
  it.effect(
    "auth0 trap 18: the job lists its fields and sets no limit; the file gets no token; its end is a position",
    () =>
      Effect.gen(function* () {
        counted("NOT blocked:true AND updated_at:[* TO *]", 2, {
          sort: "updated_at:-1",
          fields: "user_id,updated_at",
        })
        api()
          .post("/api/v2/jobs/users-exports", {
            format: "json",
            fields: ["user_id", "created_at", "updated_at", "email", "blocked"].map((name) => ({ name })),
          })
          .reply(200, completed)
        file(gzipSync(lines))
        counted(upTo, 2)
        const options = userOptions({ read: "export", active_only: true })
        const { pages } = yield* scan({ options, sync: "incremental" })
        const at = { version: 1, phase: "export", job: id }
        const records = users.map((data) => ({
          key: data.user_id,
          change: "upsert" as const,
          version: data.updated_at,
          data,
        }))
        assert.deepStrictEqual(pages, [
          { records: [], position: { ...at, lines: 0, counted: 0 } },
          { records, position: { ...at, lines: 2, counted: 2 } },
          {
            records: [],
            position: { version: 1, phase: "end", sync: "incremental", next: "2026-01-25T17:38:15.325Z" },
          },
        ])
      }),
  )

  it.effect("a job found again is looked at once, and the lines before the position are passed over", () =>
    Effect.gen(function* () {
      found()
      file(gzipSync(lines))
      counted(upTo, 2)
      const { records } = yield* scan(resumed(1))
      assert.deepStrictEqual(
        records.map(({ key }) => key),
        ["auth0|b"],
      )
    }),
  )

  it.effect("a user who comes again and newer is handed over again, and counts once", () =>
    Effect.gen(function* () {
      const [user] = users
      found()
      file(
        gzipSync(`${JSON.stringify(user)}\n${JSON.stringify({ ...user, updated_at: "2026-03-01T00:00:00.000Z" })}\n`),
      )
      counted(upTo, 1)
      const { pages, records } = yield* scan(resumed())
      assert.lengthOf(records, 2)
      assert.deepInclude(pages[0]?.position, { lines: 2, counted: 1 })
    }),
  )

  it.effect("a last line without an end is whole; large integers keep their digits; empty lines are none", () =>
    Effect.gen(function* () {
      found()
      file(gzipSync(`\n{"user_id":"auth0|a","email":12345678901234567890}\r\n\n{"user_id":"auth0|b"}`))
      counted(upTo, 0)
      const { records } = yield* scan(resumed())
      assert.deepStrictEqual(
        records.map(({ data }) => data),
        [{ user_id: "auth0|a", email: "12345678901234567890" }, { user_id: "auth0|b" }],
      )
    }),
  )

  it.effect("auth0 trap 18: a file that the transport unpacks, or that is no gzip, is refused: it could be cut", () =>
    Effect.gen(function* () {
      for (const headers of [{ "content-encoding": "gzip" }, {}]) {
        found()
        file("content-encoding" in headers ? gzipSync(lines) : lines, headers)
        const error = yield* Effect.flip(scan(resumed()))
        assert.strictEqual(error.reason._tag, "Unavailable")
        assert.include(error.message, "cut or is no gzip")
      }
    }),
  )

  it.effect("C20: lines that are no user, no JSON or no text end the scan without what they say", () =>
    Effect.gen(function* () {
      for (const broken of ['{"email":"secret"}\n', "[1]\n", '{"user_id":""}\n', '{"user_id":"secret\n', "null\n"]) {
        found()
        file(gzipSync(lines + broken))
        const error = yield* Effect.flip(scan(resumed()))
        assert.strictEqual(error.reason._tag, "Protocol")
        assert.match(error.message, /line 3 of the export is (no user|broken)\.$/)
      }
      found()
      file(gzipSync(Buffer.concat([Buffer.from(lines), Buffer.of(0x22, 0xff, 0x22)])))
      const error = yield* Effect.flip(scan(resumed()))
      assert.include(error.message, "no text")
    }),
  )

  it.effect("S09: no file is read from a host like Auth0's, by http, with a user name, or by a redirect", () =>
    Effect.gen(function* () {
      const elsewhere = [
        "https://user-exports.auth0.com.example.com/x",
        "https://evil-user-exports.auth0.com/x",
        "https://user-exports.auth0.com:8443/x",
        "https://user-exports.auth0.com@example.com/x",
        "https://user:pass@user-exports.auth0.com/x",
        "http://user-exports.auth0.com/x",
        "http://169.254.169.254/x",
        "https://[::1]/x",
      ]
      for (const location of elsewhere) {
        api()
          .get(`/api/v2/jobs/${id}`)
          .reply(200, { ...completed, location })
        assert.strictEqual((yield* Effect.flip(scan(resumed()))).reason._tag, "Misconfigured")
      }
      found()
      nock(files).get(`/${id}/acme.json.gz${query}`).reply(302, "", { location: "https://example.com/x" })
      assert.strictEqual((yield* Effect.flip(scan(resumed()))).reason._tag, "Misconfigured")
    }),
  )

  it.effect("a private cloud's own host is one that the file names", () =>
    Effect.gen(function* () {
      api()
        .get(`/api/v2/jobs/${id}`)
        .reply(200, { ...completed, location: "https://files.example.com/x" })
      nock("https://files.example.com", { badheaders: ["authorization"] })
        .get("/x")
        .reply(200, gzipSync(lines))
      counted(upTo, 2)
      assert.strictEqual((yield* scan(resumed(), { export_hosts: ["files.example.com"] })).records.length, 2)
    }),
  )

  it.effect("auth0 trap 22: a job whose answer was lost is not made again by the call", () =>
    Effect.gen(function* () {
      counted("created_at:[* TO *]", 2, { per_page: "100", fields: "user_id,created_at,updated_at,email" })
      api().post("/api/v2/jobs/users-exports").reply(503)
      const error = yield* Effect.flip(scan({}))
      assert.deepInclude(error.reason, { _tag: "Unavailable", inDoubt: true })
    }),
  )

  it.effect("a job without a file, or of another id, is not as described", () =>
    Effect.gen(function* () {
      const { location: _, ...unplaced } = completed
      for (const answer of [unplaced, { ...completed, id: "job_another" }]) {
        api().get(`/api/v2/jobs/${id}`).reply(200, answer)
        assert.strictEqual((yield* Effect.flip(scan(resumed()))).reason._tag, "Protocol")
      }
    }),
  )
})
