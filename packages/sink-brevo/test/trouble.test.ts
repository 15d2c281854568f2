/** Brevo's error table, row by row, and what a row goes through under it. */
import { assert, describe, it } from "@effect/vitest"
import { CurrentMeter, makeMeter, Outcome, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type { Json, JsonObject } from "effect/Schema"
import { classify, readLimit, troubleOf } from "../src/errors.ts"
import {
  attributes,
  brevo,
  connect,
  contact,
  onMovingClock,
  row,
  type Setup,
  services,
  unfinished,
  when,
  write,
} from "./vendor.ts"

const at = (id: number) => `/contacts/${id}?identifierType=contact_id`
const CANARY = "canary@example.com"

interface Case {
  readonly status: number
  readonly body?: JsonObject
  /** A verdict's tag, a reason's, or what it says of the row. */
  readonly means: string
}

const error = (code: string, message = `about ${CANARY}`): JsonObject => ({ code, message })

const cases: ReadonlyArray<Case> = [
  { status: 200, means: "Accept" },
  { status: 201, means: "Accept" },
  { status: 204, means: "Accept" },
  {
    status: 400,
    body: { ...error("duplicate_parameter"), metadata: { duplicate_identifiers: ["email"] } },
    means: "Conflict",
  },
  {
    status: 400,
    body: { ...error("invalid_parameter"), metadata: { duplicate_identifiers: ["SMS"] } },
    means: "Conflict",
  },
  { status: 400, body: error("duplicate_parameter", "email is already associated"), means: "Conflict" },
  { status: 400, body: error("invalid_parameter", "Invalid phone number"), means: "BadPhone" },
  { status: 400, body: error("invalid_parameter", "invalid date format"), means: "Rejected" },
  { status: 400, body: error("invalid_parameter", "Email is not valid"), means: "Rejected" },
  { status: 400, body: error("invalid_parameter", "listIds are invalid"), means: "BadLists" },
  { status: 400, body: error("invalid_parameter", "unlinkListIds: List ID does not exist"), means: "BadLists" },
  { status: 400, body: error("document_not_found", "List does not exist"), means: "BadLists" },
  { status: 400, body: error("invalid_parameter", "PLAN is not in the list of its options"), means: "Rejected" },
  { status: 400, body: error("invalid_parameter", "emailBlacklisted is invalid"), means: "Rejected" },
  { status: 400, body: error("missing_parameter", "email, ext_id or SMS is missing"), means: "Rejected" },
  { status: 400, body: error("out_of_range"), means: "Rejected" },
  { status: 400, body: error("bad_request"), means: "Rejected" },
  { status: 400, body: error("duplicate_request"), means: "Busy" },
  { status: 400, body: error("account_in_process"), means: "Busy" },
  { status: 400, body: error("invalid_parameter", "Contact already in list and/or does not exist"), means: "Busy" },
  {
    status: 400,
    body: error("invalid_parameter", "Contact already removed from list and/or does not exist"),
    means: "Busy",
  },
  // Cut short, or a gateway's page: it may stand for a conflict that means success.
  { status: 400, means: "Transient" },
  { status: 401, body: error("unauthorized", "Key not found"), means: "Unauthorized" },
  { status: 401, body: error("unauthorized", "unrecognised IP address"), means: "Unauthorized" },
  { status: 402, body: error("not_enough_credits"), means: "QuotaExhausted" },
  { status: 403, body: error("permission_denied"), means: "Forbidden" },
  { status: 403, body: error("account_under_validation"), means: "Forbidden" },
  { status: 404, body: error("document_not_found"), means: "Absent" },
  { status: 405, body: error("method_not_allowed"), means: "Refused" },
  { status: 406, body: error("not_acceptable"), means: "Refused" },
  { status: 413, means: "Rejected" },
  { status: 422, body: error("unprocessable_entity"), means: "Rejected" },
  { status: 425, body: error("too_early"), means: "Busy" },
  { status: 429, means: "Throttled" },
  { status: 408, means: "Transient" },
  { status: 500, means: "Transient" },
  { status: 501, means: "Refused" },
  { status: 502, means: "Transient" },
  { status: 503, means: "Transient" },
  { status: 504, means: "Transient" },
  { status: 524, means: "Transient" },
]

const meaning = ({ status, body }: Case) => {
  const answer = { status, headers: Headers.empty, body }
  const verdict = classify(answer)
  if (verdict._tag === "Fail") return { tag: verdict.reason._tag, text: JSON.stringify(verdict.reason) }
  if (verdict._tag !== "Accept" || status < 300) return { tag: verdict._tag, text: JSON.stringify(verdict) }
  const trouble = troubleOf(answer)
  return { tag: trouble._tag, text: JSON.stringify(trouble) }
}

describe("the error table", () => {
  for (const each of cases) {
    const code = String(each.body?.code ?? "")
    it(`${each.status} ${code}: ${each.means}`, () => {
      const { tag, text } = meaning(each)
      assert.strictEqual(tag, each.means)
      assert.notInclude(text, CANARY)
    })
  }

  it("brevo trap 10: a conflict is known by its metadata, whatever the code", () => {
    for (const code of ["duplicate_parameter", "invalid_parameter", "bad_request", "some new text"]) {
      const body = { code, message: "", metadata: { duplicate_identifiers: ["email", "SMS", "ext_id"] } }
      const trouble = troubleOf({ status: 400, headers: Headers.empty, body })
      assert.deepInclude(trouble, { _tag: "Conflict" })
      assert.sameMembers(trouble._tag === "Conflict" ? [...trouble.identifiers] : [], ["email", "SMS", "ext_id"])
    }
  })

  it("401 speaks of this machine's IP address, not only of the key", () => {
    const verdict = classify({ status: 401, headers: Headers.empty, body: error("unauthorized") })
    assert.include(verdict._tag === "Fail" ? verdict.reason.message : "", "egress IP address")
  })

  it("429 has no Retry-After: the wait is x-sib-ratelimit-reset, in seconds", () => {
    const headers = Headers.fromInput({ "x-sib-ratelimit-reset": "9", "x-sib-ratelimit-limit": "10" })
    assert.deepStrictEqual(classify({ status: 429, headers, body: undefined }), {
      _tag: "Throttled",
      retryAfterMillis: 9_000,
    })
  })

  it("brevo trap 19: the limit's headers are read on every answer, and an hourly figure is not taken for a second's", () => {
    const of = (limit: string) =>
      readLimit(
        Headers.fromInput({
          "x-sib-ratelimit-limit": limit,
          "x-sib-ratelimit-remaining": "3",
          "x-sib-ratelimit-reset": "1",
        }),
      )
    assert.deepStrictEqual(of("20"), { limit: 20, remaining: 3, resetAfterMillis: 1_000 })
    const hourly = { limit: 36_000, remaining: 3, resetAfterMillis: 1_000, windowMillis: 3_600_000 }
    assert.deepStrictEqual(of("36000"), hourly)
    // A limit that is none.
    assert.deepStrictEqual(of("1000000"), { limit: 1_000_000, remaining: 3, resetAfterMillis: 1_000 })
    assert.strictEqual(readLimit(Headers.fromInput({ "x-other": "1" })), undefined)
  })
})

const put = when(`PUT ${at(7)}`, 204)
const look = when(`GET ${at(7)}`, 200, contact(7))
const taken = (...duplicate_identifiers: ReadonlyArray<string>) =>
  ({ code: "invalid_parameter", message: `taken: ${CANARY}`, metadata: { duplicate_identifiers } }) satisfies Json
const reason = (failure: SinkError | { readonly _tag: string }) => ("reason" in failure ? failure.reason : failure)
const update = (fields: JsonObject, setup: Setup = {}) => write([row(fields, { remoteId: "7" })], setup)

describe("a row in trouble", () => {
  it.effect("brevo trap 9: an SMS number that another contact has is left out once, and reported as dropped", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look, when(`PUT ${at(7)}`, 400, taken("SMS")), put)
      const outcomes = yield* update({ FIRSTNAME: "Ada", SMS: "+33612345678" })
      assert.deepStrictEqual(sent[3]?.body, { attributes: { FIRSTNAME: "Ada" } })
      const dropped = [{ field: "SMS", code: "taken", message: "SMS belongs to another contact" }]
      assert.deepStrictEqual(outcomes, [
        Outcome.Delivered({ id: "auth0|1", effect: "updated", remoteId: "7", dropped }),
      ])
    }).pipe(services),
  )

  it.effect("brevo trap 9: an SMS number that Brevo refuses is left out once, and reported as dropped", () =>
    Effect.gen(function* () {
      const refusal = error("invalid_parameter", `Invalid phone number ${CANARY}`)
      const sent = brevo(attributes, when("POST /contacts", 400, refusal), when("POST /contacts", 201, { id: 7 }))
      const [outcome] = yield* write([row({ FIRSTNAME: "Ada", SMS: "+10000000000" })])
      assert.deepStrictEqual(sent[2]?.body, {
        ext_id: "auth0|1",
        attributes: { FIRSTNAME: "Ada" },
        updateEnabled: false,
      })
      assert.deepInclude(outcome, { effect: "created" })
      assert.include(JSON.stringify(outcome), '"field":"SMS"')
      assert.notInclude(JSON.stringify(outcome), CANARY)
    }).pipe(services),
  )

  it.effect("brevo trap 9: a malformed SMS number costs no call: it is left out before, and reported", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 201, { id: 7 }))
      const [outcome] = yield* write([row({ FIRSTNAME: "Ada", SMS: "06 12 34" })])
      assert.deepInclude(sent[1]?.body, { attributes: { FIRSTNAME: "Ada" } })
      assert.include(JSON.stringify(outcome), "malformed_phone")
    }).pipe(services),
  )

  it.effect("brevo trap 9: under on_identifier_conflict reject the row is a dead letter instead", () =>
    Effect.gen(function* () {
      brevo(attributes, look, when(`PUT ${at(7)}`, 400, taken("SMS")))
      const [outcome] = yield* update({ SMS: "+33612345678" }, { options: { on_identifier_conflict: "reject" } })
      assert.deepInclude(outcome, { _tag: "Rejected", code: "identifier_taken", fields: ["SMS"] })
    }).pipe(services),
  )

  it.effect(
    "brevo trap 11: a refusal of unknown meaning is a dead letter, never a success, and nothing is deleted",
    () =>
      Effect.gen(function* () {
        const sent = brevo(attributes, look, when(`PUT ${at(7)}`, 400, error("a new code")))
        const [outcome] = yield* update({ FIRSTNAME: "Ada", email: "ada@example.com" })
        assert.deepInclude(outcome, { _tag: "Rejected", code: "http_400" })
        assert.notInclude(JSON.stringify(outcome), CANARY)
        assert.deepStrictEqual(
          sent.filter(({ call }) => call.startsWith("DELETE")),
          [],
        )
      }).pipe(services),
  )

  it.effect("D04: 425 defers the row alone", () =>
    Effect.gen(function* () {
      brevo(attributes, when("POST /contacts", 425), when("POST /contacts", 201, { id: 8 }))
      const rows = ["a", "b"].map((id) => ({ id, key: id, change: "upsert" as const, fields: { ext_id: id } }))
      const outcomes = yield* write(rows)
      assert.sameMembers(
        outcomes.map(({ _tag }) => _tag),
        ["Deferred", "Delivered"],
      )
    }).pipe(services),
  )

  it.effect("D04: a contact that is busy when it is looked at is neither made again nor rejected", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when(`GET ${at(7)}`, 425))
      const [known] = yield* update({ email: "new@example.com" })
      assert.deepInclude(known, { _tag: "Deferred" })
      assert.strictEqual(sent.length, 2)
      const byKey = "GET /contacts/auth0%7C1?identifierType=ext_id"
      brevo(attributes, when("POST /contacts", 400, taken("ext_id")), when(byKey, 400, error("account_in_process")))
      const [unknown] = yield* write([row({ FIRSTNAME: "Ada" })])
      assert.deepInclude(unknown, { _tag: "Deferred" })
    }).pipe(services),
  )

  it.effect("a 404 on a new contact stops the route after one call: it is no answer about a row", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 404, error("document_not_found")))
      const failure = yield* Effect.flip(write([row({ FIRSTNAME: "Ada" })]))
      assert.deepInclude(reason(failure), { _tag: "Misconfigured" })
      assert.strictEqual(sent.length, 2)
    }).pipe(services),
  )

  it.effect("D01: of a batch, a refused row is named and the others are delivered", () =>
    Effect.gen(function* () {
      const refusal = error("invalid_parameter", "Email is not valid")
      brevo(
        attributes,
        ...[201, 400, 201].map((status) => when("POST /contacts", status, status === 201 ? { id: 1 } : refusal)),
      )
      const rows = ["a", "b", "c"].map((id) => ({ id, key: id, change: "upsert" as const, fields: { ext_id: id } }))
      const outcomes = yield* write(rows)
      assert.deepStrictEqual(outcomes.map(({ _tag }) => _tag).sort(), ["Delivered", "Delivered", "Rejected"])
      assert.deepStrictEqual(
        outcomes.map(({ id }) => id),
        ["a", "b", "c"],
      )
    }).pipe(services),
  )

  it.effect("a list that does not exist stops the route and names the option", () =>
    Effect.gen(function* () {
      brevo(attributes, when("POST /contacts", 400, error("invalid_parameter", "listIds: 77 does not exist")))
      const failure = yield* Effect.flip(write([row({ listIds: [77] })], { options: { lists: [77] } }))
      const found: object = reason(failure)
      assert.deepInclude(found, { _tag: "Misconfigured", path: ["with", "lists"] })
    }).pipe(services),
  )

  it.effect("D10: used-up credits stop at once, and what was settled before is handed over", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("POST /contacts", 201, { id: 1 }),
        when("POST /contacts", 402, error("not_enough_credits")),
      )
      const rows = ["a", "b"].map((id) => ({ id, key: id, change: "upsert" as const, fields: { ext_id: id } }))
      const failure = yield* Effect.flip(write(rows))
      assert.deepInclude(reason(failure), { _tag: "QuotaExhausted" })
      assert.strictEqual("settled" in failure ? failure.settled?.length : 0, 1)
      assert.strictEqual(sent.length, 3)
    }).pipe(services),
  )

  it.effect("D09: an outage is no poison: no row is rejected, and no row is begun after it", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, ...Array.from({ length: 60 }, () => when("POST /contacts", 503)))
      const rows = Array.from({ length: 20 }, (_, index) =>
        row({ ext_id: `${index}` }, { id: `${index}`, key: `${index}` }),
      )
      const failure = yield* Effect.flip(onMovingClock(write(rows, { config: { tier: "extended" } })))
      assert.deepInclude(reason(failure), { _tag: "Unavailable" })
      assert.isUndefined("settled" in failure ? failure.settled : undefined)
      const begun = new Set(sent.slice(1).map(({ body }) => JSON.stringify(body)))
      assert.isAtMost(begun.size, 8)
    }).pipe(unfinished),
  )

  it.effect("brevo trap 23, A04: a write whose answer was lost is sent again, and makes one contact", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("POST /contacts", 502),
        when("POST /contacts", 400, taken("ext_id")),
        when(
          "GET /contacts/auth0%7C1?identifierType=ext_id",
          200,
          contact(7, { attributes: { EXT_ID: "auth0|1", FIRSTNAME: "Ada" } }),
        ),
      )
      const outcomes = yield* onMovingClock(write([row({ FIRSTNAME: "Ada" })]))
      assert.deepStrictEqual(outcomes, [Outcome.Delivered({ id: "auth0|1", effect: "unchanged", remoteId: "7" })])
      assert.deepStrictEqual(sent[1], sent[2])
    }).pipe(services),
  )

  it.effect("429 is waited out by Brevo's own header and is no failure of the row", () =>
    Effect.gen(function* () {
      const wait = { "x-sib-ratelimit-reset": "9", "x-sib-ratelimit-limit": "10", "x-sib-ratelimit-remaining": "0" }
      brevo(attributes, when("POST /contacts", 429, error("too_many"), wait), when("POST /contacts", 201, { id: 7 }))
      const meter = makeMeter()
      const writing = Effect.provideService(write([row({ FIRSTNAME: "Ada" })]), CurrentMeter, meter)
      const [outcome] = yield* onMovingClock(writing)
      assert.deepInclude(outcome, { effect: "created" })
      assert.isAtLeast(meter.waitedMillis, 9_000)
    }).pipe(services),
  )

  it.effect("401 ends the run with the hint", () =>
    Effect.gen(function* () {
      brevo(when("GET /account", 401, error("unauthorized", "Key not found")))
      const failure = yield* Effect.flip(Effect.flatMap(connect(), ({ identify }) => identify))
      assert.deepInclude(reason(failure), { _tag: "Unauthorized" })
      assert.notInclude(JSON.stringify(failure), "test-secret")
    }).pipe(services),
  )
})
