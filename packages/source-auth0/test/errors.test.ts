/** Every error shape of auth0.md §4 and §5, and what it becomes. */
import { assert, describe, it } from "@effect/vitest"
import type { Answer, Verdict } from "@sluice/core"
import * as Headers from "effect/http/Headers"
import type { Json } from "effect/Schema"
import { classify, classifyToken, readLimit } from "../src/errors.ts"

const answer = (status: number, body: Json | undefined, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: Headers.fromInput(headers),
  body,
})

const body = (statusCode: number, message: string, errorCode?: string): Json => ({
  statusCode,
  error: "Error",
  message,
  ...(errorCode === undefined ? {} : { errorCode }),
})

/** `Fail` by its reason, anything else by its tag. */
const outcome = (verdict: Verdict): string => (verdict._tag === "Fail" ? verdict.reason._tag : verdict._tag)

const paging = "You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3"

const management: ReadonlyArray<readonly [number, Json | undefined, string]> = [
  [200, { users: [] }, "Accept"],
  [400, body(400, paging, "invalid_paging"), "Refused"],
  [400, body(400, "Query validation error: 'x' on property q", "invalid_query_string"), "Misconfigured"],
  [400, body(400, "Query validation error: 'x' on property per_page (y).", "invalid_query_string"), "Refused"],
  [400, body(400, "Query validation error: 'x' on property fields"), "Refused"],
  [400, body(400, "The 'q' parameter is available only if you specify 'search_engine=v2|v3'"), "Misconfigured"],
  [400, body(400, "Payload validation error: 'x' on property y", "invalid_body"), "Refused"],
  [400, body(400, "Path validation error: 'x' on property id", "invalid_uri"), "Refused"],
  [400, body(400, "Not supported", "operation_not_supported"), "Refused"],
  [401, body(401, "Invalid token", "invalid_token"), "Expired"],
  [401, body(401, "Expired token received for JSON Web Token validation"), "Expired"],
  [401, body(401, "Bad audience: https://login.example.com/api/v2/"), "Unauthorized"],
  [403, body(403, "Insufficient scope, expected any of: read:users", "insufficient_scope"), "Forbidden"],
  [403, body(403, "Insufficient scope, expected any of: read:users"), "Forbidden"],
  [403, body(403, "This feature is not enabled", "insufficient_entitlement"), "Forbidden"],
  [403, undefined, "Forbidden"],
  [404, body(404, "The user does not exist.", "inexistent_user"), "Accept"],
  [404, body(404, "The user does not exist."), "Accept"],
  [404, body(404, "Not Found"), "Misconfigured"],
  [404, undefined, "Misconfigured"],
  [408, undefined, "Transient"],
  [409, body(409, "Conflict", "custom_domain_conflict"), "Refused"],
  [413, body(413, "Payload content length greater than maximum allowed"), "Refused"],
  [414, undefined, "Misconfigured"],
  [418, undefined, "Refused"],
  [429, body(429, "Global limit has been reached", "too_many_requests"), "Throttled"],
  [429, { error: "too_many_requests", error_description: "Rate limit exceeded." }, "Throttled"],
  [500, body(500, "An internal error occurred"), "Transient"],
  [501, undefined, "Refused"],
  [502, undefined, "Transient"],
  [503, body(503, "The query took too long"), "Transient"],
  [504, undefined, "Transient"],
  [522, undefined, "Transient"],
  [599, undefined, "Transient"],
]

const oauth = (error: string, error_description: string): Json => ({ error, error_description })

const token: ReadonlyArray<readonly [number, Json | undefined, string]> = [
  [200, { access_token: "test-token" }, "Accept"],
  [400, oauth("invalid_request", "Missing required parameter: grant_type"), "Refused"],
  [401, oauth("access_denied", "Unauthorized"), "Unauthorized"],
  [401, oauth("invalid_client", "Client authentication failed"), "Unauthorized"],
  [403, oauth("access_denied", "Service not enabled within domain: https://other.example.com/"), "Unauthorized"],
  [403, oauth("access_denied", 'Client is not authorized to access "https://acme.example.com/api/v2/".'), "Forbidden"],
  [403, oauth("unauthorized_client", "Grant type 'client_credentials' not allowed for the client."), "Forbidden"],
  [403, oauth("access_denied", "Unauthorized"), "Unauthorized"],
  [404, undefined, "Misconfigured"],
  [429, oauth("too_many_requests", "Client quota exceeded"), "QuotaExhausted"],
  [429, oauth("too_many_requests", "Global limit has been reached"), "Throttled"],
  [500, undefined, "Transient"],
  [503, undefined, "Transient"],
]

const name = (content: Json | undefined) => JSON.stringify(content)?.slice(0, 90) ?? "no body"

describe("Auth0's answers", () => {
  for (const [status, content, expected] of management) {
    it(`${status} ${name(content)} is ${expected}`, () => {
      assert.strictEqual(outcome(classify(answer(status, content))), expected)
    })
  }
  for (const [status, content, expected] of token) {
    it(`token: ${status} ${name(content)} is ${expected}`, () => {
      assert.strictEqual(outcome(classifyToken(answer(status, content))), expected)
    })
  }

  it("C15: a missing scope is named", () => {
    const verdict = classify(answer(403, body(403, "Insufficient scope, expected any of: read:users,read:roles")))
    assert.include(verdict._tag === "Fail" ? verdict.reason.message : "", "read:users, read:roles")
  })

  it("rule 9: no message repeats what Auth0 quotes from the request", () => {
    for (const status of [400, 401, 403, 404, 409, 429, 500]) {
      const verdict = classify(answer(status, body(status, "canary@example.com on property q", "canary@example.com")))
      assert.notInclude(JSON.stringify(verdict), "canary")
    }
  })

  it("auth0 trap 21: a 429 of a custom policy waits by Retry-After although the other headers look healthy", () => {
    const healthy = { "x-ratelimit-limit": "40", "x-ratelimit-remaining": "39", "x-ratelimit-reset": "1" }
    const verdict = classify(answer(429, undefined, { ...healthy, "retry-after": "7" }))
    assert.deepStrictEqual(verdict, { _tag: "Throttled", retryAfterMillis: 7000 })
  })

  it("a token quota that refills soon is waited for", () => {
    const quota = oauth("too_many_requests", "Client quota exceeded")
    assert.strictEqual(outcome(classifyToken(answer(429, quota, { "retry-after": "60" }))), "Throttled")
    assert.strictEqual(outcome(classifyToken(answer(429, quota, { "retry-after": "7200" }))), "QuotaExhausted")
  })

  it("B18: the reset second counts from Auth0's own Date, and a wrong clock costs a minute at most", () => {
    const headers = { "x-ratelimit-limit": "40", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795168803" }
    const date = new Date(1_795_168_800_000).toUTCString()
    assert.deepStrictEqual(readLimit(Headers.fromInput({ ...headers, date }), 0), {
      limit: 40,
      remaining: 0,
      resetAfterMillis: 3000,
    })
    assert.strictEqual(readLimit(Headers.fromInput(headers), 0)?.resetAfterMillis, 60_000)
    const past = { ...headers, "x-ratelimit-reset": "1795168000", date }
    assert.strictEqual(readLimit(Headers.fromInput(past), 0)?.resetAfterMillis, 1)
    assert.strictEqual(readLimit(Headers.fromInput({}), 0), undefined)
  })
})
