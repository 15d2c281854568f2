/** Writing rows by Collections: exact requests, and what every answer for a row leads to. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import {
  created,
  describes,
  failed,
  onMovingClock,
  open,
  opening,
  row,
  type Script,
  salesforce,
  services,
  tags,
  UPSERT,
  updated,
  when,
  write,
} from "./vendor.ts"

const ID = "003000000000001AAA"
const OTHER = "003000000000002AAA"

/** The one row of a batch, and what Salesforce answers to it. */
const answered = (fields: JsonObject, result: JsonObject, more: ReadonlyArray<Script> = []) =>
  Effect.gen(function* () {
    const sent = salesforce(...opening("Contact"), when(UPSERT, 200, [result]), ...more)
    const [outcome] = yield* write([row(1, fields)])
    return { outcome, sent }
  })

const failure = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
  Effect.flip(effect).pipe(Effect.map((error) => (error instanceof SinkError ? error : undefined)))

describe("a batch", () => {
  it.effect("salesforce trap 24, 40: goes by key in one call, without assignment rules, under our name", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(UPSERT, 200, [created(ID), updated(OTHER)]))
      const outcomes = yield* write([row(1, { Email: "ada@example.com" }), row(2)])
      assert.deepStrictEqual(outcomes, [
        { _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: ID },
        { _tag: "Delivered", id: "auth0|2", effect: "updated", remoteId: OTHER },
      ])
      const call = sent.at(-1)
      assert.deepStrictEqual(call?.body, {
        allOrNone: false,
        records: [
          { attributes: { type: "Contact" }, Auth0_Id__c: "auth0|1", LastName: "Name 1", Email: "ada@example.com" },
          { attributes: { type: "Contact" }, Auth0_Id__c: "auth0|2", LastName: "Name 2" },
        ],
      })
      assert.deepInclude(call?.headers, {
        "content-type": "application/json; charset=UTF-8",
        "sforce-auto-assign": "FALSE",
        "sforce-call-options": "client=sluice",
        "sforce-duplicate-rule-header": "allowSave=false; includeRecordDetails=true; runAsCurrentUser=true",
        authorization: "Bearer test-session",
      })
    }).pipe(services),
  )

  it.effect("`attributes` stand first in every record, or Salesforce takes it for none", () =>
    Effect.gen(function* () {
      const { sent } = yield* answered({}, created(ID))
      assert.include(sent.at(-1)?.text, '"records":[{"attributes":{"type":"Contact"}')
    }).pipe(services),
  )

  it.effect("absent stays away, null clears, a value sets", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(UPSERT, 200, [created(ID), updated(OTHER)]))
      yield* write([
        row(1, { Description: null, Topics__c: ["news", "offers"], HasOptedOutOfEmail: false }),
        row(2, { Description: "" }),
      ])
      const [first, second] = JSON.parse(sent.at(-1)?.text ?? "").records
      assert.deepInclude(first, { Description: null, Topics__c: "news;offers", HasOptedOutOfEmail: false })
      assert.strictEqual(second.Description, "")
      assert.notProperty(second, "Topics__c")
    }).pipe(services),
  )

  it.effect("salesforce trap 15, 16: keys are in bodies, never in addresses: any text can be one", () =>
    Effect.gen(function* () {
      const keys = ["auth0|a#b", "a/b", "a?x=1", "%41", "x@y.inc", "o'brien\\"]
      const sent = salesforce(
        ...opening("Contact"),
        when(
          UPSERT,
          200,
          keys.map((_, n) => created(`00300000000000${n}AAA`)),
        ),
      )
      const rows = keys.map((key, n) => ({ ...row(n), key, fields: { Auth0_Id__c: key, LastName: "A" } }))
      yield* write(rows)
      const records: ReadonlyArray<JsonObject> = JSON.parse(sent.at(-1)?.text ?? "").records
      assert.deepStrictEqual(
        records.map((record) => record.Auth0_Id__c),
        keys,
      )
    }).pipe(services),
  )

  it.effect("a parent is named by its own key, with its object where there are several", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Task"),
        describes("Contact"),
        describes("Account"),
        when("PATCH /composite/sobjects/Task/Auth0_Log_Id__c", 200, [
          created("00T000000000001AAA"),
          created("00T000000000002AAA"),
        ]),
      )
      const task = (id: string, who: string | null) => ({
        ...row(1),
        id,
        key: id,
        fields: {
          Auth0_Log_Id__c: id,
          Subject: "Login",
          "Contact:Who.Auth0_Id__c": who,
          "Account:What.Auth0_Org_Id__c": "org_1",
        },
      })
      yield* write([task("log-1", "auth0|1"), task("log-2", null)], { object: "Task", key: "Auth0_Log_Id__c" })
      const [first, second] = JSON.parse(sent.at(-1)?.text ?? "").records
      assert.deepStrictEqual(first.Who, { attributes: { type: "Contact" }, Auth0_Id__c: "auth0|1" })
      assert.deepStrictEqual(first.What, { attributes: { type: "Account" }, Auth0_Org_Id__c: "org_1" })
      assert.deepStrictEqual([second.WhoId, second.Who], [null, undefined])
    }).pipe(services),
  )

  it.effect(
    "of two ways to name a parent one is used: null in the other clears nothing, and two records are refused",
    () =>
      Effect.gen(function* () {
        const sent = salesforce(
          ...opening("Task"),
          describes("Contact"),
          describes("Lead"),
          when("PATCH /composite/sobjects/Task/Auth0_Log_Id__c", 200, [created("00T000000000001AAA")]),
        )
        const [contact, lead] = ["Contact:Who.Auth0_Id__c", "Lead:Who.Auth0_Id__c"]
        const task = (who: JsonObject) => row(1, {}, { key: "log-1", fields: { Auth0_Log_Id__c: "log-1", ...who } })
        const fields = ["Auth0_Log_Id__c", contact, lead]
        const writer = yield* open({ object: "Task", key: "Auth0_Log_Id__c", fields })
        const one = task({ [contact]: "auth0|1", [lead]: null })
        assert.isUndefined(writer.refuse?.(one))
        assert.strictEqual(writer.refuse?.(task({ [contact]: "auth0|1", [lead]: "auth0|1" }))?.code, "two_records")
        yield* writer.write({ id: "b", attempt: 1, rows: [one] })
        const [record] = JSON.parse(sent.at(-1)?.text ?? "").records
        assert.deepStrictEqual(record.Who, { attributes: { type: "Contact" }, Auth0_Id__c: "auth0|1" })
        assert.notProperty(record, "WhoId")
      }).pipe(services),
  )

  it.effect("1,000 rows by composite are one call of five parts, each with headers of its own", () =>
    Effect.gen(function* () {
      const part = (n: number) => ({
        body: Array.from({ length: 200 }, (_, at) => created(`003${String(n * 200 + at).padStart(12, "0")}AAA`)),
        httpHeaders: {},
        httpStatusCode: 200,
        referenceId: `part${n}`,
      })
      const sent = salesforce(
        ...opening("Contact"),
        when("POST /composite", 200, { compositeResponse: [0, 1, 2, 3, 4].map(part) }),
      )
      const rows = Array.from({ length: 1000 }, (_, n) => row(n))
      const outcomes = yield* write(rows, { options: { path: "composite" } })
      assert.strictEqual(new Set(outcomes.map(({ id }) => id)).size, 1000)
      const { compositeRequest } = JSON.parse(sent.at(-1)?.text ?? "")
      assert.strictEqual(compositeRequest.length, 5)
      assert.deepInclude(compositeRequest[4], {
        method: "PATCH",
        url: "/services/data/v67.0/composite/sobjects/Contact/Auth0_Id__c",
        referenceId: "part4",
      })
      assert.strictEqual(compositeRequest[4].httpHeaders["sforce-auto-assign"], "FALSE")
      assert.strictEqual(compositeRequest[4].body.records[199].Auth0_Id__c, "auth0|999")
    }).pipe(services),
  )

  it.effect("a part of a composite that fails leaves the rows of the others settled", () =>
    Effect.gen(function* () {
      const ok = Array.from({ length: 200 }, (_, n) => created(`003${String(n).padStart(12, "0")}AAA`))
      const bad = [{ errorCode: "SERVER_UNAVAILABLE", message: "try again" }]
      salesforce(
        ...opening("Contact"),
        when("POST /composite", 200, {
          compositeResponse: [
            { body: ok, httpHeaders: {}, httpStatusCode: 200, referenceId: "part0" },
            { body: bad, httpHeaders: {}, httpStatusCode: 503, referenceId: "part1" },
          ],
        }),
      )
      const rows = Array.from({ length: 201 }, (_, n) => row(n))
      const error = yield* failure(write(rows, { options: { path: "composite" } }))
      assert.strictEqual(error?.reason._tag, "Unavailable")
      assert.strictEqual(error?.settled?.length, 200)
    }).pipe(services),
  )
})

describe("the answer", () => {
  it.effect("salesforce trap 1: HTTP 200 is no success: rows are judged one by one", () =>
    Effect.gen(function* () {
      salesforce(
        ...opening("Contact"),
        when(UPSERT, 200, [
          failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [X__c]", ["X__c"]),
          created(ID),
        ]),
      )
      const outcomes = yield* write([row(1), row(2)])
      assert.deepStrictEqual(tags(outcomes), ["Rejected", "Delivered"])
      assert.deepInclude(outcomes[0], { code: "REQUIRED_FIELD_MISSING", fields: ["X__c"] })
    }).pipe(services),
  )

  it.effect("with fewer results than rows is no answer: nobody can say whose they are", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), ...Array.from({ length: 5 }, () => when(UPSERT, 200, [created(ID)])))
      const error = yield* failure(onMovingClock(write([row(1), row(2)])))
      assert.strictEqual(error?.reason._tag, "Protocol")
    }).pipe(services),
  )

  it.effect("never quotes the row in a message", () =>
    Effect.gen(function* () {
      const { outcome } = yield* answered(
        { Email: "badone" },
        failed("INVALID_EMAIL_ADDRESS", "Email: invalid email address: badone", ["Email"]),
      )
      assert.deepInclude(outcome, { _tag: "Rejected", code: "INVALID_EMAIL_ADDRESS", fields: ["Email"] })
      assert.notInclude(JSON.stringify(outcome), "badone")
    }).pipe(services),
  )

  it.effect("names the record that has a value which must be unique", () =>
    Effect.gen(function* () {
      const says = "duplicate value found: Code__c duplicates value on record with id: 003000000000009"
      const { outcome } = yield* answered({}, failed("DUPLICATE_VALUE", says))
      assert.strictEqual(outcome?._tag === "Rejected" && outcome.message.endsWith(": 003000000000009"), true)
    }).pipe(services),
  )

  it.effect("salesforce trap 13: that was lost is asked for again: by key, so nothing is made twice", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(UPSERT, 504, "<html>"), when(UPSERT, 200, [updated(ID)]))
      const outcomes = yield* onMovingClock(write([row(1)]))
      assert.deepStrictEqual(tags(outcomes), ["Delivered"])
      assert.isFalse(sent.some(({ call }) => call.startsWith("POST /services/data")))
    }).pipe(services),
  )

  it.effect("salesforce trap 17: 300 means several records and nothing written: never a success", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), when(UPSERT, 300, ["/services/data/v67.0/sobjects/Contact/003000000000001AAA"]))
      const error = yield* failure(write([row(1)]))
      assert.strictEqual(error?.reason._tag, "Misconfigured")
    }).pipe(services),
  )

  it.effect("salesforce trap 22: several records with one key are a dead letter with all their ids", () =>
    Effect.gen(function* () {
      const query = `GET /query?q=${encodeURIComponent("SELECT Id, Auth0_Id__c FROM Contact WHERE Auth0_Id__c IN ('auth0|1')")}`
      const records = [ID, OTHER].map((Id) => ({ Id, Auth0_Id__c: "auth0|1" }))
      const { outcome } = yield* answered({}, failed("DUPLICATE_EXTERNAL_ID", "more than one record found"), [
        when(query, 200, { totalSize: 2, done: true, records }),
      ])
      assert.deepInclude(outcome, { _tag: "Rejected", code: "ambiguous" })
      assert.include(JSON.stringify(outcome), `${ID}, ${OTHER}`)
    }).pipe(services),
  )

  it.effect("salesforce trap 29: only the rows that met a lock are sent again", () =>
    Effect.gen(function* () {
      const lock = failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
      salesforce(...opening("Contact"), when(UPSERT, 200, [created(ID), lock, created(OTHER)]))
      assert.deepStrictEqual(tags(yield* write([row(1), row(2), row(3)])), ["Delivered", "Deferred", "Delivered"])
    }).pipe(services),
  )

  it.effect("salesforce trap 30: bystanders are sent again, and a batch too large for the triggers is halved", () =>
    Effect.gen(function* () {
      const bystander = failed("ALL_OR_NONE_OPERATION_ROLLED_BACK")
      const retries = failed(
        "UNKNOWN_EXCEPTION",
        "Too many batch retries in the presence of Apex triggers and partial failures.",
      )
      salesforce(...opening("Contact"), when(UPSERT, 200, [created(ID), bystander, retries, retries]))
      const error = yield* failure(write([row(1), row(2), row(3), row(4)]))
      assert.strictEqual(error?.reason._tag, "BatchRefused")
      assert.deepStrictEqual(
        error?.settled?.map(({ _tag }) => _tag),
        ["Delivered", "Deferred"],
      )
    }).pipe(services),
  )

  it.effect("salesforce trap 30: the same said of the whole call halves it too", () =>
    Effect.gen(function* () {
      const says = [{ errorCode: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message: "Apex CPU time limit exceeded" }]
      salesforce(...opening("Contact"), when(UPSERT, 400, says))
      assert.strictEqual((yield* failure(write([row(1), row(2)])))?.reason._tag, "BatchRefused")
    }).pipe(services),
  )

  it.effect(
    "a lock inside a trigger is a lock, a CPU limit inside one is a smaller batch, the rest is a dead letter",
    () =>
      Effect.gen(function* () {
        const inner = (says: string) => failed("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", says)
        salesforce(
          ...opening("Contact"),
          when(UPSERT, 200, [inner("System.DmlException: UNABLE_TO_LOCK_ROW"), inner("my rule")]),
        )
        assert.deepStrictEqual(tags(yield* write([row(1), row(2)])), ["Deferred", "Rejected"])
      }).pipe(services),
  )

  it.effect("salesforce trap 25: a field that cannot be written stops the route: it is never left out", () =>
    Effect.gen(function* () {
      const refused = failed("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: X__c", ["X__c"])
      const sent = salesforce(...opening("Contact"), when(UPSERT, 200, [refused, refused]))
      const error = yield* failure(write([row(1), row(2)]))
      assert.strictEqual(error?.reason._tag, "Misconfigured")
      assert.include(error?.message, "X__c")
      assert.strictEqual(sent.length, 4)
    }).pipe(services),
  )

  it.effect(
    "the same code for some rows of a call is theirs: a missing parent waits, a sharing rule is a dead letter",
    () =>
      Effect.gen(function* () {
        salesforce(
          ...opening("Contact"),
          when(UPSERT, 200, [
            failed(
              "INVALID_FIELD",
              "Foreign key external ID: org_9 not found for field Auth0_Org_Id__c in entity Account",
            ),
            failed("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"),
            created(ID),
          ]),
        )
        const outcomes = yield* write([row(1), row(2), row(3)])
        assert.deepStrictEqual([...tags(outcomes)].sort(), ["Deferred", "Delivered", "Rejected"])
        assert.notInclude(JSON.stringify(outcomes), "org_9")
      }).pipe(services),
  )

  it.effect("full storage stops the route, and what passed is settled", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), when(UPSERT, 200, [updated(ID), failed("STORAGE_LIMIT_EXCEEDED")]))
      const error = yield* failure(write([row(1), row(2)]))
      assert.strictEqual(error?.reason._tag, "Refused")
      assert.strictEqual(error?.settled?.length, 1)
    }).pipe(services),
  )
})
