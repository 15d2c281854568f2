/** The calls a row takes: exact requests for creating, updating, finding and leaving alone. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { attributes, brevo, contact, open, row, services, when, write } from "./vendor.ts"

const conflict = (...duplicate_identifiers: ReadonlyArray<string>) => ({
  code: "invalid_parameter",
  message: "Unable to create contact, email is already associated with another Contact",
  metadata: { duplicate_identifiers },
})

const at = (id: number) => `/contacts/${id}?identifierType=contact_id`
const byKey = "/contacts/auth0%7C1?identifierType=ext_id"
const byEmail = "/contacts/ada%40example.com?identifierType=email_id"

describe("upsert", () => {
  it.effect("a row that is new to the ledger and to Brevo takes one call", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 201, { id: 7 }))
      const fields = { email: "ada@example.com", FIRSTNAME: "Ada", listIds: [20] }
      const outcomes = yield* write([row(fields)], { options: { lists: [20, 21] } })
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: "7" }])
      assert.deepStrictEqual(sent[1]?.body, {
        email: "ada@example.com",
        ext_id: "auth0|1",
        attributes: { FIRSTNAME: "Ada" },
        listIds: [20],
        updateEnabled: false,
      })
    }).pipe(services),
  )

  it.effect("a known contact is looked at and updated by its id, where addresses or lists are mapped", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when(`GET ${at(7)}`, 200, contact(7)), when(`PUT ${at(7)}`, 204))
      const outcomes = yield* write([row({ email: "ada@example.com", FIRSTNAME: "Ada" }, { remoteId: "7" })])
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "updated", remoteId: "7" }])
      assert.deepStrictEqual(sent[2]?.body, { attributes: { FIRSTNAME: "Ada" } })
    }).pipe(services),
  )

  it.effect("a phone number and an e-mail that stay are not sent again", () =>
    Effect.gen(function* () {
      const held = contact(7, { attributes: { EXT_ID: "auth0|1", SMS: "33612345678" } })
      const sent = brevo(attributes, when(`GET ${at(7)}`, 200, held), when(`PUT ${at(7)}`, 204))
      yield* write([row({ email: "Ada@example.com", SMS: "+33612345678", FIRSTNAME: "Ada" }, { remoteId: "7" })])
      assert.deepStrictEqual(sent[2]?.body, { attributes: { FIRSTNAME: "Ada" } })
    }).pipe(services),
  )

  it.effect("a known contact takes one call where nothing mapped concerns consent", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when(`PUT ${at(7)}`, 204))
      const outcomes = yield* write([row({ FIRSTNAME: "Ada" }, { remoteId: "7" })])
      assert.strictEqual(outcomes[0]?._tag, "Delivered")
      assert.deepStrictEqual(sent[1]?.body, { attributes: { FIRSTNAME: "Ada" }, ext_id: "auth0|1" })
    }).pipe(services),
  )

  it.effect("a contact that holds all of the row already is not written", () =>
    Effect.gen(function* () {
      const held = contact(7, {
        email: "Ada@Example.com",
        listIds: [20, 99],
        attributes: {
          EXT_ID: "auth0|1",
          SMS: "33612345678",
          SIGNUP_DATE: "2026-01-02T00:00:00.000Z",
          LOGIN_COUNT: 0,
          EMAIL_VERIFIED: false,
          PLAN: 1,
          TOPICS: ["offers", "news"],
        },
      })
      brevo(attributes, when(`GET ${at(7)}`, 200, held))
      const fields = {
        email: "ada@example.com",
        SMS: "+33612345678",
        SIGNUP_DATE: "2026-01-02",
        LOGIN_COUNT: 0,
        EMAIL_VERIFIED: false,
        PLAN: "free",
        TOPICS: ["news", "offers"],
        COMPANY: null,
        listIds: [20],
      }
      const outcomes = yield* write([row(fields, { remoteId: "7" })], { options: { lists: [20, 21] } })
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "unchanged", remoteId: "7" }])
    }).pipe(services),
  )

  it.effect("brevo trap 12: a contact that exists after all is found by its key and updated, not passed over", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("POST /contacts", 400, conflict("email", "ext_id")),
        when(`GET ${byKey}`, 200, contact(7)),
        when(`PUT ${at(7)}`, 204),
      )
      const outcomes = yield* write([row({ email: "ada@example.com", FIRSTNAME: "Ada" })])
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "updated", remoteId: "7" }])
      assert.deepStrictEqual(sent[3]?.body, { attributes: { FIRSTNAME: "Ada" } })
    }).pipe(services),
  )

  it.effect("after a contact that was there, the next is looked for first; after one that was not, made first", () =>
    Effect.gen(function* () {
      const held = (id: string) => contact(7, { attributes: { EXT_ID: id } })
      const missing = { code: "document_not_found", message: "Contact does not exist" }
      const sent = brevo(
        attributes,
        when("POST /contacts", 400, conflict("ext_id")),
        when("GET /contacts/a?identifierType=ext_id", 200, held("a")),
        when("GET /contacts/b?identifierType=ext_id", 200, held("b")),
        when("GET /contacts/c?identifierType=ext_id", 404, missing),
        when("POST /contacts", 201, { id: 9 }),
        when("POST /contacts", 201, { id: 10 }),
      )
      const writer = yield* open({ fields: ["ext_id"] })
      for (const id of ["a", "b", "c", "d"]) {
        const rows = [{ id, key: id, change: "upsert" as const, fields: { ext_id: id } }]
        yield* writer.write({ id, attempt: 1, rows })
      }
      assert.strictEqual(sent.length, 7)
    }).pipe(services),
  )

  it.effect("a contact with the e-mail and no ext_id of its own is adopted, without touching its consent", () =>
    Effect.gen(function* () {
      const held = contact(7, { attributes: {}, emailBlacklisted: true })
      const sent = brevo(
        attributes,
        when("POST /contacts", 400, conflict("email")),
        when(`GET ${byEmail}`, 200, held),
        when(`PUT ${at(7)}`, 204),
      )
      yield* write([row({ email: "ada@example.com" })])
      assert.deepStrictEqual(sent[3]?.body, { ext_id: "auth0|1" })
    }).pipe(services),
  )

  it.effect("a contact with the e-mail and another ext_id is somebody else: the row is rejected", () =>
    Effect.gen(function* () {
      brevo(
        attributes,
        when("POST /contacts", 400, conflict("email")),
        when(`GET ${byEmail}`, 200, contact(7, { attributes: { EXT_ID: "auth0|2" } })),
      )
      const outcomes = yield* write([row({ email: "ada@example.com" })])
      assert.deepStrictEqual(outcomes, [
        {
          _tag: "Rejected",
          id: "auth0|1",
          code: "identifier_taken",
          message: "email belongs to another contact",
          fields: ["email"],
        },
      ])
    }).pipe(services),
  )

  it.effect("a contact that was deleted in Brevo is made again", () =>
    Effect.gen(function* () {
      brevo(
        attributes,
        when(`GET ${at(7)}`, 404, { code: "document_not_found", message: "Contact does not exist" }),
        when("POST /contacts", 201, { id: 8 }),
      )
      const outcomes = yield* write([row({ email: "ada@example.com" }, { remoteId: "7" })])
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: "8" }])
    }).pipe(services),
  )

  it.effect("rule 7: a row whose key changed updates the contact of its remote id", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when(`GET ${at(7)}`, 200, contact(7)), when(`PUT ${at(7)}`, 204))
      const changed = { id: "auth0|1", key: "new@example.com", change: "upsert", remoteId: "7" } as const
      yield* write([{ ...changed, fields: { email: "new@example.com" } }], { key: "email" })
      assert.deepStrictEqual(sent[2]?.body, { attributes: { EMAIL: "new@example.com" } })
    }).pipe(services),
  )

  it.effect("brevo trap 6, P07: a new e-mail under the same ext_id updates the contact and creates none", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("POST /contacts", 400, conflict("ext_id")),
        when(`GET ${byKey}`, 200, contact(7)),
        when(`PUT ${at(7)}`, 204),
      )
      yield* write([row({ email: "new@example.com" })])
      assert.deepStrictEqual(sent[3], {
        call: `PUT ${at(7)}`,
        body: { attributes: { EMAIL: "new@example.com" } },
      })
    }).pipe(services),
  )

  it.effect("brevo trap 13: a new contact's e-mail and ext_id are not repeated as attributes", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 201, { id: 7 }))
      yield* write([row({ email: "ada@example.com" })])
      assert.deepStrictEqual(sent[1]?.body, { email: "ada@example.com", ext_id: "auth0|1", updateEnabled: false })
      const error = yield* Effect.flip(open({ fields: ["ext_id", "EMAIL"] }))
      assert.deepInclude(error, { _tag: "SinkError" })
      assert.include(error.message, "`email` instead of EMAIL")
    }).pipe(services),
  )

  it.effect("brevo trap 21: a numeric ext_id is always addressed as an ext_id", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("POST /contacts", 400, conflict("ext_id")),
        when("GET /contacts/123?identifierType=ext_id", 200, contact(7, { attributes: { EXT_ID: "123" } })),
        when(`PUT ${at(7)}`, 204),
      )
      yield* write([{ id: "123", key: "123", change: "upsert", fields: { ext_id: "123", FIRSTNAME: "Ada" } }])
      assert.strictEqual(sent.length, 4)
    }).pipe(services),
  )

  it.effect("brevo trap 4: false, 0 and the empty text reach the wire, null clears, absent stays away", () =>
    Effect.gen(function* () {
      const held = { EXT_ID: "auth0|1", FIRSTNAME: "Ada", COMPANY: "Acme", LOGIN_COUNT: 3, EMAIL_VERIFIED: true }
      const sent = brevo(
        attributes,
        when(`GET ${at(7)}`, 200, contact(7, { attributes: { ...held, TOPICS: ["news"], SIGNUP_DATE: "2026-01-02" } })),
        when(`PUT ${at(7)}`, 204),
      )
      const fields = {
        email: "ada@example.com",
        FIRSTNAME: "",
        LOGIN_COUNT: 0,
        EMAIL_VERIFIED: false,
        TOPICS: null,
        SIGNUP_DATE: null,
      }
      yield* write([row(fields, { remoteId: "7" })])
      assert.deepStrictEqual(sent[2]?.body, {
        attributes: { FIRSTNAME: "", LOGIN_COUNT: 0, EMAIL_VERIFIED: false, TOPICS: [], SIGNUP_DATE: "" },
      })
    }).pipe(services),
  )

  it.effect("D13: a new contact gets values as they are and nothing for null", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 201, { id: 7 }))
      yield* write([
        row({ email: null, FIRSTNAME: null, COMPANY: "", LOGIN_COUNT: 0, EMAIL_VERIFIED: false, PLAN: "pro" }),
      ])
      assert.deepStrictEqual(sent[1]?.body, {
        ext_id: "auth0|1",
        attributes: { COMPANY: "", LOGIN_COUNT: 0, EMAIL_VERIFIED: false, PLAN: "p" },
        updateEnabled: false,
      })
    }).pipe(services),
  )

  it.effect("an identifier that the row clears stays, and that is reported", () =>
    Effect.gen(function* () {
      brevo(attributes, when(`GET ${at(7)}`, 200, contact(7)))
      const [outcome] = yield* write([row({ email: null }, { remoteId: "7" })])
      assert.deepInclude(outcome, { effect: "unchanged" })
      assert.deepStrictEqual(outcome?._tag === "Delivered" ? outcome.dropped?.map(({ code }) => code) : [], [
        "not_clearable",
      ])
    }).pipe(services),
  )

  it.effect("brevo trap 24: the made-up address of an SMS contact is no e-mail", () =>
    Effect.gen(function* () {
      const held = contact(7, {
        email: "33612345678@mailin-sms.com",
        attributes: { EXT_ID: "auth0|1", SMS: "33612345678" },
      })
      const sent = brevo(attributes, when(`GET ${byKey}`, 200, held), when(`GET ${at(7)}`, 200, held))
      const writer = yield* open({ fields: ["ext_id", "email", "SMS"] })
      const found = yield* writer.lookup?.(["auth0|1"]) ?? Effect.succeed(new Map())
      assert.deepStrictEqual(found.get("auth0|1")?.fields, { ext_id: "auth0|1", SMS: "+33612345678" })
      const outcomes = yield* writer.write({
        id: "batch-1",
        attempt: 1,
        rows: [row({ email: null, SMS: "0033612345678" }, { remoteId: "7" })],
      })
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "unchanged", remoteId: "7" }])
      assert.strictEqual(sent.length, 3)
    }).pipe(services),
  )

  it.effect("50 rows are answered one for one, in their order", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 50 }, (_, index) => `auth0|${index}`)
      brevo(attributes, ...ids.map((_, index) => when("POST /contacts", 201, { id: index + 1 })))
      const rows = ids.map((id) => ({ id, key: id, change: "upsert" as const, fields: { ext_id: id } }))
      const outcomes = yield* write(rows, { config: { tier: "extended" } })
      assert.deepStrictEqual(
        outcomes.map(({ id }) => id),
        ids,
      )
    }).pipe(services),
  )
})
