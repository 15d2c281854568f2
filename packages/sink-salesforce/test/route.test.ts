/** What is checked before a row is sent: the object, its fields, the key, and rows against them. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError, type Writer } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { sink } from "../src/index.ts"
import { described, externalId } from "./org.ts"
import { describes, open, opening, row, type Setup, salesforce, services, signIn, versions, when } from "./vendor.ts"

const fieldsOf = (name: string, setup: Setup = {}) =>
  Effect.gen(function* () {
    salesforce(...opening(name))
    const writer = yield* open({ object: name, ...setup })
    return new Map((yield* writer.fields ?? Effect.succeed([])).map((field) => [field.name, field]))
  })

const refusal = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
  Effect.flip(effect).pipe(
    Effect.map((error) =>
      error instanceof SinkError && error.reason._tag === "Misconfigured" ? error.reason : undefined,
    ),
  )

describe("objects", () => {
  it("are any by name, and nothing that is no name", () => {
    const { objects } = sink
    if (typeof objects !== "function") throw new Error("objects is no function")
    for (const name of ["Lead", "Contact", "My_Thing__c", "ns__Thing__c"]) assert.isDefined(objects(name))
    for (const name of ["", "a b", "../x", "Contact/describe", "1A"]) assert.isUndefined(objects(name))
  })

  it.effect("one that the organization does not show stops before anything is sent", () =>
    Effect.gen(function* () {
      salesforce(
        signIn(),
        versions,
        when("GET /sobjects/Nothing__c/describe", 404, [{ errorCode: "NOT_FOUND", message: "x" }]),
      )
      assert.include((yield* refusal(open({ object: "Nothing__c" })))?.message, "Nothing__c")
    }).pipe(services),
  )
})

describe("fields", () => {
  it.effect("salesforce trap 35: have the types of the organization; compound ones and formulas are read only", () =>
    Effect.gen(function* () {
      const fields = yield* fieldsOf("Contact")
      const type = (name: string) => fields.get(name)?.type
      assert.deepStrictEqual(
        ["LastName", "Last_Login__c", "Birthdate", "Logins_Count__c", "HasOptedOutOfEmail", "Topics__c", "OwnerId"].map(
          type,
        ),
        ["text", "datetime", "date", "number", "boolean", "list", "text"],
      )
      assert.deepInclude(fields.get("MailingAddress"), { writable: false })
      assert.deepInclude(fields.get("MailingCity"), { writable: true })
    }).pipe(services),
  )

  it.effect("salesforce trap 35: say what a new record needs, and an update does not", () =>
    Effect.gen(function* () {
      const required = (fields: ReadonlyMap<string, { readonly required?: boolean; readonly name: string }>) =>
        [...fields.values()].filter((field) => field.required === true).map(({ name }) => name)
      assert.deepStrictEqual(required(yield* fieldsOf("Lead")), ["LastName", "Company"])
      assert.deepStrictEqual(required(yield* fieldsOf("Account", { key: "Auth0_Org_Id__c" })), ["Name"])
      assert.deepStrictEqual(required(yield* fieldsOf("Lead", { options: { mode: "update" } })), [])
    }).pipe(services),
  )

  it.effect("salesforce trap 36: have their lengths, and of a restricted picklist the active values", () =>
    Effect.gen(function* () {
      const fields = yield* fieldsOf("Contact")
      assert.strictEqual(fields.get("FirstName")?.max, 40)
      assert.deepStrictEqual(fields.get("Tier__c")?.options, ["free", "gold"])
      assert.isTrue(fields.get("Tier__c")?.loose)
      assert.isUndefined(fields.get("LeadSource")?.options)
      assert.deepStrictEqual(fields.get("Topics__c")?.options, ["news", "offers"])
    }).pipe(services),
  )

  it.effect("say what form and range their values have, and whether null takes one away", () =>
    Effect.gen(function* () {
      const fields = yield* fieldsOf("Contact")
      assert.strictEqual(fields.get("Email")?.format, "email")
      assert.strictEqual(fields.get("OwnerId")?.format, "id")
      assert.strictEqual(fields.get("Balance__c")?.digits, 16)
      assert.strictEqual(fields.get("Employees__c")?.digits, 8)
      assert.isFalse(fields.get("HasOptedOutOfEmail")?.nullable)
      assert.isUndefined(fields.get("Email")?.nullable)
    }).pipe(services),
  )

  it.effect("that refer to records of another system hold that one's keys, which are no record ids", () =>
    Effect.gen(function* () {
      const Order__c = { type: "reference", length: 40, referenceTo: ["Order__x"], relationshipName: "Order__r" }
      salesforce(...opening("Contact", { Order__c }))
      const writer = yield* open({ fields: ["Auth0_Id__c", "LastName", "Order__c"] })
      const field = (yield* writer.fields ?? Effect.succeed([])).find(({ name }) => name === "Order__c")
      assert.deepStrictEqual([field?.max, field?.format], [40, undefined])
      assert.isUndefined(writer.refuse?.(row(1, { Order__c: "2026/17" })))
    }).pipe(services),
  )

  it.effect("cannot be written where the user may not write the object: the route says so", () =>
    Effect.gen(function* () {
      salesforce(
        signIn(),
        versions,
        when("GET /sobjects/Contact/describe", 200, { ...described("Contact"), createable: false }),
      )
      assert.include((yield* refusal(open()))?.message, "Create and Edit")
    }).pipe(services),
  )

  it.effect("salesforce trap 26: those the organization does not have are not in the list: core names them", () =>
    Effect.gen(function* () {
      const fields = yield* fieldsOf("Contact", { fields: ["Auth0_Id__c", "No_Such__c"] })
      assert.isFalse(fields.has("No_Such__c"))
    }).pipe(services),
  )

  it.effect("of a parent are checked with the parent's own description", () =>
    Effect.gen(function* () {
      const wrong = (name: string, ...more: ReadonlyArray<string>) => {
        salesforce(...opening("Task"), ...more.map((each) => describes(each)))
        return refusal(open({ object: "Task", key: "Auth0_Log_Id__c", fields: ["Auth0_Log_Id__c", name] }))
      }
      assert.include((yield* wrong("Nobody.Auth0_Id__c"))?.message, "no relationship Nobody")
      assert.include((yield* wrong("Who.Auth0_Id__c"))?.message, "Contact:Who.Auth0_Id__c or Lead:Who.Auth0_Id__c")
      assert.include((yield* wrong("Contact:Who.Nothing__c", "Contact"))?.message, "no field Nothing__c")
      assert.include((yield* wrong("Contact:Who.FirstName", "Contact"))?.message, "no external id")
      assert.deepStrictEqual((yield* wrong("Contact:Who.FirstName", "Contact"))?.path, ["map", "Contact:Who.FirstName"])
    }).pipe(services),
  )
})

describe("the key", () => {
  const keyed = (change: JsonObject, setup: Setup = {}) => {
    salesforce(...opening("Contact", { Auth0_Id__c: change }))
    return open(setup)
  }

  const keysOf = ({ fields }: Writer) =>
    Effect.map(fields ?? Effect.succeed([]), (known) => known.filter(({ key }) => key === true).map(({ name }) => name))

  for (const [what, change] of [
    ["takes ABC and abc for one", { caseSensitive: false }],
    ["is not unique", { unique: false }],
  ] as const) {
    it.effect(`salesforce trap 18: that ${what} would merge users: it is refused, unless the route says so`, () =>
      Effect.gen(function* () {
        const reason = yield* refusal(keyed(change))
        assert.deepStrictEqual(reason?.path, ["key"])
        assert.include(reason?.message, what)
        const loose = yield* keyed(change, { options: { loose_key: true } })
        assert.isTrue((yield* keysOf(loose)).includes("Auth0_Id__c"))
      }).pipe(services),
    )
  }

  it.effect("salesforce trap 18: is none in a lock either, for a route that has another one", () =>
    Effect.gen(function* () {
      const byEmail = { key: "Email", fields: ["Email", "LastName"] }
      assert.deepStrictEqual(yield* keysOf(yield* keyed({ caseSensitive: false }, byEmail)), ["Email"])
    }).pipe(services),
  )

  it.effect("can be an e-mail address, which Salesforce looks records up by", () =>
    Effect.gen(function* () {
      const fields = yield* fieldsOf("Contact", { key: "Email", fields: ["Email", "LastName"] })
      assert.isTrue(fields.get("Email")?.key)
      assert.isUndefined(fields.get("FirstName")?.key)
    }).pipe(services),
  )

  it.effect("can be Id only where nothing is made", () =>
    Effect.gen(function* () {
      const setup = { key: "Id", fields: ["Id", "LastName"] }
      salesforce(...opening("Contact"))
      assert.deepStrictEqual((yield* refusal(open(setup)))?.path, ["key"])
      assert.isTrue((yield* fieldsOf("Contact", { ...setup, options: { mode: "update" } })).get("Id")?.key)
    }).pipe(services),
  )

  it.effect("of another object is none", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"))
      assert.deepStrictEqual((yield* refusal(open({ key: "Account.Auth0_Org_Id__c" })))?.path, ["key"])
    }).pipe(services),
  )

  it("is as the guide says in this organization", () => {
    assert.deepInclude(externalId("X__c"), { externalId: true, unique: true, caseSensitive: true })
  })
})

it.effect("`match` names fields that are mapped", () =>
  Effect.gen(function* () {
    salesforce(...opening("Contact"))
    assert.deepStrictEqual((yield* refusal(open({ options: { match: ["Phone"] } })))?.path, ["with", "match"])
  }).pipe(services),
)

describe("rows", () => {
  const refused = (fields: JsonObject, given = {}) =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"))
      const writer = yield* open({ fields: ["Auth0_Id__c", "LastName", "HasOptedOutOfEmail", "Topics__c", "OwnerId"] })
      return writer.refuse?.(row(1, fields, given))?.code
    })

  it.effect("are refused for what Salesforce would refuse and no field says by itself", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* refused({ Topics__c: ["news"], OwnerId: "005000000000001AAA" }))
      assert.strictEqual(yield* refused({ LastName: "" }), "required_field")
      assert.strictEqual(yield* refused({ Topics__c: ["a;b"] }), "not_a_choice")
      assert.strictEqual(yield* refused({ Topics__c: ["x".repeat(30), "y".repeat(30)] }), "too_long")
      assert.strictEqual(yield* refused({ OwnerId: "somebody" }), "malformed_id")
      assert.strictEqual(yield* refused({}, { key: " " }), "bad_key")
    }).pipe(services),
  )

  it.effect("without a usable Id are refused, deletions too: one malformed Id fails a whole query", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"))
      const { refuse } = yield* open({ key: "Id", fields: ["Id", "LastName"], options: { mode: "update" } })
      const gone = (key: string) => refuse?.({ id: "a", key, change: "delete", fields: {} })?.code
      assert.strictEqual(gone("auth0|1"), "malformed_id")
      assert.isUndefined(gone("003000000000001AAA"))
    }).pipe(services),
  )

  it.effect("salesforce trap 38: of one parent are of one partition; an owner is no parent", () =>
    Effect.gen(function* () {
      const partitions = (field: string) =>
        Effect.gen(function* () {
          salesforce(...opening("Contact"), ...(field.includes(".") ? [describes("Account")] : []))
          const writer = yield* open({ fields: ["Auth0_Id__c", "LastName", field] })
          const rows = [row(1, { [field]: "a" }), row(2, { [field]: "a" }), row(3, { [field]: "b" }), row(4)]
          return rows.map((each) => writer.partition?.(each))
        })
      assert.deepStrictEqual(yield* partitions("Account.Auth0_Org_Id__c"), ["a", "a", "b", "auth0|4"])
      assert.deepStrictEqual(yield* partitions("AccountId"), ["a", "a", "b", "auth0|4"])
      assert.deepStrictEqual(yield* partitions("OwnerId"), [undefined, undefined, undefined, undefined])
    }).pipe(services),
  )
})
