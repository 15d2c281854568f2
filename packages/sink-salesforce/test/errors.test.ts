/** The error table: each code of the vendor, with what it asks for. */
import { assert, describe, it } from "@effect/vitest"
import * as Headers from "effect/http/Headers"
import type { Json } from "effect/Schema"
import { classify, problemOf, readProblems, troubleOf, writeReason } from "../src/errors.ts"
import type { Handling } from "../src/errorTable.ts"

const trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"

const rows: ReadonlyArray<readonly [Handling, string, string?]> = [
  ["session", "INVALID_SESSION_ID", "Session expired or invalid"],
  ["credentials", "INVALID_SESSION_ID", "Connected app is not attached to Agent"],
  ["credentials", "INVALID_AUTH_HEADER"],
  ["login_rate", "LOGIN_RATE_EXCEEDED"],
  ["quota", "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."],
  ["crowded", "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."],
  ["crowded", "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."],
  ["quota", "ExceededQuota"],
  ["passing", "SERVER_UNAVAILABLE"],
  ["passing", "UNKNOWN_EXCEPTION"],
  ["passing", "QUERY_TIMEOUT"],
  ["passing", "Timeout"],
  ["maintenance", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"],
  ["maintenance", "API_CURRENTLY_DISABLED"],
  ["lock", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 001"],
  ["lock", "TooManyLockFailure"],
  ["lock", trigger, "first error: UNABLE_TO_LOCK_ROW, unable to obtain"],
  ["smaller", trigger, "System.LimitException: Apex CPU time limit exceeded"],
  ["smaller", trigger, "System.LimitException: Too many SOQL queries: 101"],
  ["smaller", "UNKNOWN_EXCEPTION", "Too many batch retries in the presence of Apex triggers and partial failures."],
  ["bystander", "ALL_OR_NONE_OPERATION_ROLLED_BACK"],
  ["bystander", "PROCESSING_HALTED"],
  ["bystander", "DUPLICATE_VALUE", "Duplicate external id specified: auth0|1"],
  ["duplicates", "DUPLICATES_DETECTED"],
  ["ambiguous", "DUPLICATE_EXTERNAL_ID"],
  ["converted", "CANNOT_UPDATE_CONVERTED_LEAD"],
  ["no_parent", "INVALID_FIELD", "Foreign key external ID: x not found for field Auth0_Org_Id__c in entity Account"],
  ["stale", "ENTITY_IS_DELETED"],
  ["stale", "NOT_FOUND", "The requested resource does not exist"],
  ["stale", "INVALID_CROSS_REFERENCE_KEY"],
  ["stale", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"],
  ["config", "NOT_FOUND", "Provided external ID field does not exist or is not accessible: X"],
  ["access", "INSUFFICIENT_ACCESS_OR_READONLY"],
  ["storage", "STORAGE_LIMIT_EXCEEDED"],
  ...[
    "DUPLICATE_VALUE",
    "REQUIRED_FIELD_MISSING",
    "STRING_TOO_LONG",
    "INVALID_EMAIL_ADDRESS",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "JSON_PARSER_ERROR",
    "MALFORMED_ID",
    "FIELD_FILTER_VALIDATION_EXCEPTION",
    "FIELD_INTEGRITY_EXCEPTION",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "INACTIVE_OWNER_OR_USER",
    "ENTITY_IS_LOCKED",
    trigger,
    "A_CODE_OF_NEXT_YEAR",
  ].map((code) => ["data", code] as const),
  ...[
    "INVALID_FIELD",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_TYPE",
    "INVALID_PERSON_ACCOUNT_OPERATION",
    "UNSUPPORTED_API_VERSION",
    "API_DISABLED_FOR_ORG",
    "ORG_LOCKED",
    "TRIAL_EXPIRED",
    "TXN_SECURITY_NO_ACCESS",
    "TXN_SECURITY_METERING_ERROR",
    "METHOD_NOT_ALLOWED",
    "InvalidBatch",
    "ClientInputError",
    "FeatureNotEnabled",
    "InvalidJob",
    "InvalidJobState",
    "InvalidUser",
  ].map((code) => ["config", code] as const),
]

const answer = (status: number, body?: Json, headers: Record<string, string> = {}) => ({
  status,
  headers: Headers.fromInput(headers),
  body,
})
const error = (errorCode: string, message = "") => [{ errorCode, message }]

const verdict = (...given: Parameters<typeof answer>): string => {
  const found = classify(answer(...given))
  return found._tag === "Fail" ? found.reason._tag : found._tag
}

describe("the error table", () => {
  for (const [handling, code, says = ""] of rows) {
    it(`${code}${says === "" ? "" : ` "${says.slice(0, 40)}"`} is ${handling}`, () => {
      const problem = problemOf(code, says, ["Email"])
      assert.strictEqual(problem.handling, handling)
      assert.strictEqual(problem.code, code)
      if (says !== "") assert.notInclude(problem.message, says)
    })
  }

  it("salesforce trap 2: a row's error is `statusCode`, a call's `errorCode`: both are read", () => {
    const codes = readProblems([{ statusCode: "STRING_TOO_LONG" }, { errorCode: "STRING_TOO_LONG" }]).map(
      ({ code }) => code,
    )
    assert.deepStrictEqual(codes, ["STRING_TOO_LONG", "STRING_TOO_LONG"])
  })

  it("a value that is taken names the record that has it, in each form of the answer, and nothing else of the text", () => {
    const says = "duplicate value found: Auth0_Id__c duplicates value on record with id: 003000000000002"
    const ids = (code: string, text: string) => problemOf(code, text).ids
    assert.deepStrictEqual(ids("DUPLICATE_VALUE", says), ["003000000000002"])
    assert.deepStrictEqual(ids("DUPLICATE_VALUE", `DUPLICATE_VALUE:${says}AAA:Auth0_Id__c --`), ["003000000000002AAA"])
    assert.deepStrictEqual(ids("DUPLICATE_VALUE", "Doppelter Wert gefunden: Datensatz mit ID: 003000000000002"), [
      "003000000000002",
    ])
    assert.deepStrictEqual(ids("DUPLICATE_VALUE", "Duplicate external id specified: abcdefghijklmno"), [])
    assert.deepStrictEqual(ids("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no: passport id: 003000000000002"), [])
  })

  it("a code that is none is not repeated: it could be anything", () => {
    assert.notInclude(JSON.stringify(problemOf("ada@example.com is bad", "ada")), "ada@")
  })
})

describe("a call's answer", () => {
  for (const [expected, status, body] of [
    ["Accept", 200, []],
    ["Accept", 401, error("INVALID_SESSION_ID", "Session expired or invalid")],
    ["Unauthorized", 401, {}],
    ["Unauthorized", 401, error("INVALID_AUTH_HEADER")],
    ["Forbidden", 403, {}],
    ["Forbidden", 403, error("TXN_SECURITY_NO_ACCESS")],
    ["Transient", 503, error("SERVER_UNAVAILABLE")],
    ["Transient", 500, error("UNKNOWN_EXCEPTION")],
    ["Transient", 502, undefined],
    ["Transient", 504, undefined],
    ["Transient", 406, undefined],
    ["Transient", 400, undefined],
    ["Throttled", 420, undefined],
    ["Throttled", 429, undefined],
    ["Misconfigured", 410, error("UNSUPPORTED_API_VERSION")],
    ["Refused", 405, error("METHOD_NOT_ALLOWED")],
    ["Refused", 415, undefined],
    ["RateLimited", 503, error("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE")],
    ["Accept", 400, error("MALFORMED_QUERY")],
    ["Accept", 404, error("NOT_FOUND")],
    ["Accept", 500, error("UNKNOWN_EXCEPTION", "Too many batch retries in the presence of Apex triggers")],
    ["Accept", 413, undefined],
    ["Accept", 414, undefined],
  ] as const) {
    it(`${status} ${body === undefined ? "without a body" : JSON.stringify(body).slice(0, 60)} is ${expected}`, () => {
      assert.strictEqual(verdict(status, body), expected)
    })
  }

  it("salesforce trap 28: the day's limit stops, the limit of calls at once is waited for", () => {
    assert.strictEqual(verdict(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")), "QuotaExhausted")
    const concurrent = error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
    assert.strictEqual(verdict(403, concurrent), "Throttled")
  })
})

describe("a write that failed as a whole", () => {
  for (const [expected, status, body] of [
    ["BatchRefused", 413, undefined],
    ["BatchRefused", 400, error("JSON_PARSER_ERROR")],
    ["BatchRefused", 400, error("A_CODE_OF_NEXT_YEAR")],
    ["Misconfigured", 400, error("INVALID_FIELD")],
    ["Misconfigured", 404, error("NOT_FOUND", "Provided external ID field does not exist")],
    ["Unavailable", 400, error("UNABLE_TO_LOCK_ROW")],
    ["Refused", 400, error("STORAGE_LIMIT_EXCEEDED")],
    ["Forbidden", 400, error("INSUFFICIENT_ACCESS_OR_READONLY")],
    ["QuotaExhausted", 400, error("ExceededQuota")],
  ] as const) {
    it(`${status} ${JSON.stringify(body) ?? ""} is ${expected}`, () => {
      assert.strictEqual(writeReason(troubleOf(answer(status, body)))._tag, expected)
    })
  }
})
