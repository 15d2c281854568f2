/** Before anything is written: the account, the live fields, what is refused, what is held and what it will cost. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import nock from "nock"
import { ownFields } from "../src/attributes.ts"
import { BrevoConfig, ContactOptions, sink } from "../src/index.ts"
import { attributes, brevo, connect, contact, open, row, services, when, write } from "./vendor.ts"

describe("the account", () => {
  it.effect("is the organisation, whichever key asks; the label is the company's name", () =>
    Effect.gen(function* () {
      brevo(
        when("GET /account", 200, {
          organization_id: "org-1",
          user_id: 5,
          companyName: "Example Ltd",
          email: "x@example.com",
        }),
      )
      const { identify } = yield* connect()
      assert.deepStrictEqual(yield* identify, { account: "org-1", label: "Example Ltd" })
    }).pipe(services),
  )

  it.effect("every call carries the key, and asks for JSON", () =>
    Effect.gen(function* () {
      brevo()
      nock("https://api.brevo.com", { reqheaders: { "api-key": "test-secret", accept: "application/json" } })
        .get("/v3/account")
        .reply(200, { organization_id: "org-1" })
      const { identify } = yield* connect()
      assert.strictEqual((yield* identify).account, "org-1")
    }).pipe(services),
  )

  it.effect("base_url and share are the endpoint's", () =>
    Effect.gen(function* () {
      const config = yield* decode({ api_key: "test-secret" })
      const endpoint = { name: "brevo", share: undefined, insecure: false }
      const wrong = yield* Effect.flip(sink.open(config, { ...endpoint, baseUrl: "http://brevo.example.com" }))
      assert.strictEqual(wrong.reason._tag, "Misconfigured")
      brevo()
      nock("https://proxy.example.com").get("/brevo/v3/account").reply(200, { user_id: 5 })
      const connection = yield* sink.open(config, { ...endpoint, baseUrl: "https://proxy.example.com/brevo/v3" })
      assert.deepStrictEqual(yield* connection.identify, { account: "user:5", label: "Brevo account" })
    }).pipe(services),
  )
})

const decode = Schema.decodeUnknownEffect(BrevoConfig)

describe("the live fields", () => {
  const fields = Effect.flatMap(open(), (writer) => writer.fields ?? Effect.succeed([]))

  it.effect("brevo trap 3: are the account's own attributes by exact name, beside Brevo's own", () =>
    Effect.gen(function* () {
      brevo(attributes)
      const names = (yield* fields).map(({ name }) => name)
      assert.deepStrictEqual(names, [
        ...["ext_id", "email", "listIds", "emailBlacklisted", "smsBlacklisted"],
        ...[
          "FIRSTNAME",
          "COMPANY",
          "SMS",
          "WHATSAPP",
          "SIGNUP_DATE",
          "LOGIN_COUNT",
          "EMAIL_VERIFIED",
          "PLAN",
          "TOPICS",
        ],
        ...["LAST_ORDER", "BLACKLIST"],
      ])
    }).pipe(services),
  )

  it.effect("have the types that core checks rows with; only normal and category attributes are written", () =>
    Effect.gen(function* () {
      brevo(attributes)
      const found = new Map((yield* fields).map((field) => [field.name, field]))
      assert.deepStrictEqual(found.get("SIGNUP_DATE"), { name: "SIGNUP_DATE", type: "date", writable: true })
      assert.deepStrictEqual(found.get("LOGIN_COUNT"), { name: "LOGIN_COUNT", type: "number", writable: true })
      assert.deepStrictEqual(found.get("EMAIL_VERIFIED"), { name: "EMAIL_VERIFIED", type: "boolean", writable: true })
      assert.deepStrictEqual(found.get("SMS"), { name: "SMS", type: "text", writable: true, key: true })
      assert.deepStrictEqual(found.get("PLAN"), {
        name: "PLAN",
        type: "text",
        writable: true,
        options: ["free", "1", "pro", "p"],
      })
      assert.deepStrictEqual(found.get("TOPICS"), {
        name: "TOPICS",
        type: "list",
        writable: true,
        options: ["news", "offers"],
      })
      assert.strictEqual(found.get("LAST_ORDER")?.writable, false)
      assert.strictEqual(found.get("BLACKLIST")?.writable, false)
    }).pipe(services),
  )

  it.effect("brevo trap 1, D11: a row with an attribute the account lacks is not sent: the route stops", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes)
      const failure = yield* Effect.flip(write([row({ NICKNAME: "ada" })]))
      assert.instanceOf(failure, SinkError)
      assert.deepInclude(failure instanceof SinkError ? failure.reason : {}, {
        _tag: "Misconfigured",
        path: ["map", "NICKNAME"],
      })
      assert.strictEqual(sent.length, 1)
    }).pipe(services),
  )

  it.effect("brevo trap 3: lower case is another name", () =>
    Effect.gen(function* () {
      brevo(attributes)
      const failure = yield* Effect.flip(write([row({ firstname: "Ada" })]))
      assert.include(failure.message, "firstname")
    }).pipe(services),
  )

  it.effect("brevo trap 2, D12: a value of the wrong type is refused here, for Brevo would ignore it", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes)
      const wrong: ReadonlyArray<JsonObject> = [
        { SIGNUP_DATE: "02/01/2026" },
        { SIGNUP_DATE: "2026-02-30" },
        { SIGNUP_DATE: "" },
        { LOGIN_COUNT: "3" },
        { EMAIL_VERIFIED: "true" },
        { EMAIL_VERIFIED: 1 },
        { FIRSTNAME: 7 },
        { TOPICS: "news" },
        { TOPICS: [1] },
        { PLAN: "gold" },
      ]
      const rows = wrong.map((fields, index) => row(fields, { id: `${index}`, key: `${index}` }))
      const outcomes = yield* write(rows)
      assert.deepStrictEqual(
        outcomes.map((outcome) => (outcome._tag === "Rejected" ? [outcome.code, ...(outcome.fields ?? [])] : [])),
        wrong.map((fields) => ["type_mismatch", ...Object.keys(fields)]),
      )
      assert.strictEqual(sent.length, 1)
    }).pipe(services),
  )

  it.effect("are asked for once in a run", () =>
    Effect.gen(function* () {
      brevo(attributes, when("POST /contacts", 201, { id: 1 }))
      const writer = yield* open({ fields: ["ext_id"] })
      yield* writer.fields ?? Effect.void
      yield* writer.write({ id: "b", attempt: 1, rows: [row({})] })
    }).pipe(services),
  )
})

describe("a route's mistakes", () => {
  const wrong = (setup: Parameters<typeof open>[0]) => Effect.map(Effect.flip(open(setup)), ({ message }) => message)

  it.effect("are told before the first row", () =>
    Effect.gen(function* () {
      brevo()
      assert.include(yield* wrong({ key: "COMPANY" }), "not by COMPANY")
      assert.include(yield* wrong({ fields: ["ext_id", "listIds"] }), "with: { lists")
      assert.include(yield* wrong({ on_delete: "unlink" }), "with: { lists")
      assert.include(yield* wrong({ fields: ["ext_id", "EXT_ID"] }), "`ext_id` instead")
    }).pipe(services),
  )
})

describe("refuse", () => {
  const refusal = (fields: JsonObject, options: JsonObject = {}, key?: string) =>
    Effect.map(
      open({ fields: ["ext_id", ...Object.keys(fields)], options: { lists: [20, 21], ...options } }),
      (writer) => writer.refuse?.(row(fields, key === undefined ? {} : { key }))?.code,
    )

  it.effect("E01: an e-mail is an address of at most 254 characters, as core checks, and not empty", () =>
    Effect.gen(function* () {
      brevo()
      const email = ownFields.find(({ name }) => name === "email")
      assert.deepInclude(email, { format: "email", max: 254 })
      assert.strictEqual(yield* refusal({ email: "" }), "empty")
      assert.isUndefined(yield* refusal({ email: null }))
    }).pipe(services),
  )

  it.effect("listIds are managed lists", () =>
    Effect.gen(function* () {
      brevo()
      assert.strictEqual(yield* refusal({ listIds: [20, 99] }), "unmanaged_list")
      assert.strictEqual(yield* refusal({ listIds: "20" }), "bad_lists")
      assert.strictEqual(yield* refusal({ listIds: [20.5] }), "bad_lists")
      assert.isUndefined(yield* refusal({ listIds: [] }))
      assert.isUndefined(yield* refusal({ listIds: null }))
    }).pipe(services),
  )

  it.effect("brevo trap 9: a malformed number refuses the row only where numbers are not left out", () =>
    Effect.gen(function* () {
      brevo()
      for (const SMS of ["0612345678", "+33 6 12 34 56 78", "12", "+0033612345678x", 33612345678]) {
        assert.strictEqual(
          yield* refusal({ SMS }, { on_identifier_conflict: "reject" }),
          "malformed_phone",
          String(SMS),
        )
        assert.isUndefined(yield* refusal({ SMS }))
      }
      for (const SMS of ["+33612345678", "0033612345678", "33612345678", null]) {
        assert.isUndefined(yield* refusal({ SMS }, { on_identifier_conflict: "reject" }))
      }
    }).pipe(services),
  )

  it.effect("a key that would leave the path, and a flag that is none", () =>
    Effect.gen(function* () {
      brevo()
      for (const key of ["", ".", "..", "\ud800"]) assert.strictEqual(yield* refusal({}, {}, key), "bad_key")
      assert.isUndefined(yield* refusal({}, {}, "auth0|a/../b?c#d"))
      assert.strictEqual(yield* refusal({ emailBlacklisted: "yes" }), "not_boolean")
    }).pipe(services),
  )
})

describe("lookup", () => {
  it.effect("a contact that Brevo is busy with is not shown as one to create", () =>
    Effect.gen(function* () {
      brevo(attributes, when("GET /contacts/a?identifierType=ext_id", 425))
      const writer = yield* open()
      const failure = yield* Effect.flip(writer.lookup?.(["a"]) ?? Effect.die("no lookup"))
      assert.deepInclude(failure instanceof SinkError ? failure.reason : {}, { _tag: "Unavailable", inDoubt: false })
    }).pipe(services),
  )

  it.effect("reads what is mapped, in the form of a row, and writes nothing", () =>
    Effect.gen(function* () {
      const held = contact(7, {
        listIds: [99, 21, 20],
        emailBlacklisted: true,
        attributes: {
          EXT_ID: "a/b",
          FIRSTNAME: "Ada",
          COMPANY: "unmapped",
          SIGNUP_DATE: "2026-01-02T00:00:00.000Z",
          SMS: "33612345678",
          PLAN: "p",
          TOPICS: [],
          EMAIL_VERIFIED: false,
        },
      })
      const sent = brevo(
        attributes,
        when("GET /contacts/a%2Fb?identifierType=ext_id", 200, held),
        when("GET /contacts/gone?identifierType=ext_id", 404, { code: "document_not_found" }),
      )
      const fields = ["ext_id", "email", "listIds", "emailBlacklisted", "FIRSTNAME", "SIGNUP_DATE", "SMS", "PLAN"]
      const writer = yield* open({
        fields: [...fields, "TOPICS", "EMAIL_VERIFIED", "LOGIN_COUNT"],
        options: { lists: [20, 21, 22] },
      })
      const found = yield* writer.lookup?.(["a/b", "gone", ".."]) ?? Effect.succeed(new Map())
      assert.deepStrictEqual(
        [...found],
        [
          [
            "a/b",
            {
              remoteId: "7",
              fields: {
                ext_id: "a/b",
                email: "ada@example.com",
                listIds: [20, 21],
                emailBlacklisted: true,
                FIRSTNAME: "Ada",
                SIGNUP_DATE: "2026-01-02",
                SMS: "+33612345678",
                PLAN: "pro",
                EMAIL_VERIFIED: false,
              },
            },
          ],
        ],
      )
      assert.isTrue(sent.every(({ call }) => call.startsWith("GET ")))
    }).pipe(services),
  )
})

describe("cost", () => {
  it.effect("two calls a row, one where nothing needs a look, and as lookups have shown", () =>
    Effect.gen(function* () {
      brevo(
        attributes,
        when("GET /contacts/a?identifierType=ext_id", 404, { code: "document_not_found" }),
        when("GET /contacts/b?identifierType=ext_id", 404, { code: "document_not_found" }),
      )
      const plain = yield* open({ fields: ["ext_id", "FIRSTNAME"] })
      assert.deepStrictEqual(plain.cost?.(100), { calls: 100, seconds: 10 })
      const looking = yield* open({ config: { tier: "advanced" } })
      assert.deepStrictEqual(looking.cost?.(100), { calls: 200, seconds: 10 })
      yield* looking.lookup?.(["a", "b"]) ?? Effect.void
      assert.deepStrictEqual(looking.cost?.(100), { calls: 100, seconds: 5 })
    }).pipe(services),
  )
})

describe("the share", () => {
  it.effect("brevo trap 19: leaves a fifth of the account's limit to others unless said otherwise", () =>
    Effect.gen(function* () {
      brevo()
      const config = yield* decode({ api_key: "test-secret" })
      const endpoint = { name: "brevo", baseUrl: undefined, share: undefined, insecure: false }
      const connection = yield* sink.open(config, endpoint)
      const options = yield* Schema.decodeUnknownEffect(ContactOptions)({})
      const request = { key: "ext_id", fields: ["ext_id"], options, on_delete: "keep", expected: undefined }
      const writer = yield* connection.writer("contacts", request)
      assert.deepStrictEqual(writer.cost?.(80), { calls: 80, seconds: 10 })
    }).pipe(services),
  )
})

describe("hostile names", () => {
  it.effect("a field called __proto__ is a field like another, and unknown", () =>
    Effect.gen(function* () {
      brevo(attributes)
      const fields: JsonObject = JSON.parse('{"ext_id":"auth0|1","email":"ada@example.com","__proto__":{"x":1}}')
      const [outcome] = yield* write([{ id: "1", key: "auth0|1", change: "upsert", fields }], { fields: ["ext_id"] })
      assert.deepInclude(outcome, { _tag: "Rejected", code: "unknown_attribute" })
    }).pipe(services),
  )
})
