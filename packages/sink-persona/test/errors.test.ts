/** What each answer of Persona means, by status and title. persona.md §6 */
import { assert, describe, it } from "@effect/vitest"
import type { Answer } from "@sluice/core"
import * as Headers from "effect/http/Headers"
import type { Json } from "effect/Schema"
import { classify, classifyPost, readLimit, troubleOf } from "../src/errors.ts"
import { error } from "./vendor.ts"

const answer = (status: number, body?: Json, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: Headers.fromInput(headers),
  body,
})

const verdictOf = (given: Answer): string => {
  const verdict = classify(given)
  return verdict._tag === "Fail" ? verdict.reason._tag : verdict._tag
}

const table: ReadonlyArray<
  readonly [status: number, title: string, details: string, verdict: string, trouble?: string]
> = [
  [200, "", "", "Accept"],
  [201, "", "", "Accept"],
  [400, "Bad Request", "data.attributes.birthdate must be a date", "Accept", "Rejected"],
  [400, "Bad Request", "meta.upsert-by is not a unique field", "Accept", "NoUpsert"],
  [401, "Must be authenticated to access this endpoint", "Token is invalid", "Unauthorized"],
  [403, "Forbidden", "Missing permission account.write", "Forbidden"],
  [404, "Record not found", "", "Accept", "Absent"],
  [408, "Request Timeout", "", "Transient"],
  [409, "Stale object error", "Please try again", "Accept", "Stale"],
  [409, "Record not unique", "", "Accept", "Taken"],
  [409, "Conflict", "Resource already exists as an active resource", "Accept", "Taken"],
  [409, "Conflict", "The account is already redacted", "Accept", "Redacted"],
  [409, "Conflict", "of another kind", "Accept", "Rejected"],
  [413, "", "", "Accept", "Rejected"],
  [422, "Record invalid", "company is too long", "Accept", "Rejected"],
  [429, "Rate limit exceeded", "", "Throttled"],
  [429, "Quota exceeded", "", "QuotaExhausted"],
  [500, "Internal Server Error", "", "Transient"],
  [502, "", "", "Transient"],
  [503, "", "", "Transient"],
  [504, "", "", "Transient"],
  [418, "", "", "Refused"],
]

describe("the table of answers", () => {
  for (const [status, title, details, verdict, trouble] of table) {
    it(`${status} ${title} ${details}`.trim(), () => {
      const given = answer(status, error(title, details))
      assert.strictEqual(verdictOf(given), verdict)
      if (trouble !== undefined) assert.strictEqual(troubleOf(given)._tag, trouble)
    })
  }

  it("persona trap 6: a 409 that nobody can read is asked again, for it may be the one that passes", () => {
    assert.strictEqual(troubleOf({ ...answer(409, {}), body: undefined })._tag, "Stale")
  })

  it("persona trap 18: 403 says which of its meanings it has", () => {
    const meaning = (details: string) => {
      const verdict = classify(answer(403, error("Forbidden", details)))
      return verdict._tag === "Fail" ? `${verdict.reason._tag} ${verdict.reason.message}` : ""
    }
    assert.include(meaning("IP address not permitted"), "IP address")
    assert.include(meaning("The environment is inactive"), "environment is not active")
    assert.include(meaning("Batch jobs are not enabled"), "lacks this feature")
    assert.include(meaning("Quota exceeded"), "QuotaExhausted")
    assert.include(meaning("no such permission"), "lacks the permission")
  })

  it("persona trap 17: a message has Persona's request id, and nothing of what the answer quotes", () => {
    const quoting = error("Record invalid", "ada@example.com is invalid", "/data/attributes/email-address")
    const trouble = troubleOf(answer(422, quoting, { "request-id": "req_123" }))
    assert.deepStrictEqual(trouble, {
      _tag: "Rejected",
      code: "http_422",
      message: "Persona: a value does not fit its field (422, req_123)",
      fields: ["email_address"],
    })
    const custom = troubleOf(answer(422, error("Record invalid", "x", "/data/attributes/fields/companyName")))
    assert.deepInclude(custom, { fields: ["fields.companyName"] })
  })

  it("D08: a failure of the service is left to who knows the idempotency key", () => {
    assert.strictEqual(classifyPost(answer(500))._tag, "Accept")
    assert.strictEqual(troubleOf(answer(500))._tag, "Failed")
    assert.strictEqual(classifyPost(answer(429))._tag, "Throttled")
    assert.strictEqual(classifyPost(answer(401))._tag, "Fail")
  })
})

describe("the rate limit", () => {
  it("is read from the headers, in seconds", () => {
    const headers = { "ratelimit-limit": "300", "ratelimit-remaining": "12", "ratelimit-reset": "31" }
    const { headers: given } = answer(200, undefined, headers)
    assert.deepStrictEqual(readLimit(given), { limit: 300, remaining: 12, resetAfterMillis: 31_000 })
    assert.isUndefined(readLimit(answer(200).headers))
    assert.deepStrictEqual(classify(answer(429, error("Rate limit exceeded"), headers)), {
      _tag: "Throttled",
      retryAfterMillis: 31_000,
    })
  })
})
