/** The fake account: who a write is about, what is ignored, what conflicts, limits, as brevo.md has them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { ask, brevo, sandboxOf } from "./ask.ts"

const create = (sandbox: Sandbox, body: object) => brevo(sandbox, "POST", "/contacts", { body })
const byExtId = { query: { identifierType: "ext_id" } }

describe("contacts", () => {
  it.effect("brevo trap 12: an existing contact is left alone without updateEnabled, updated in silence with it", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const made = create(sandbox, { email: "a@example.com", ext_id: "auth0|a", attributes: { FIRSTNAME: "Ada" } })
      assert.strictEqual(made.status, 201)
      assert.deepStrictEqual(made.body, { id: 1 })
      const again = create(sandbox, { email: "A@example.com", attributes: { FIRSTNAME: "Eve" } })
      assert.strictEqual(again.status, 400)
      assert.deepStrictEqual(again.body.metadata, { duplicate_identifiers: ["email"] })
      const updated = create(sandbox, { email: "a@example.com", attributes: { FIRSTNAME: "Eve" }, updateEnabled: true })
      assert.strictEqual(updated.status, 204)
      assert.isUndefined(updated.body)
      assert.strictEqual(sandbox.control.contact("auth0|a")?.attributes.FIRSTNAME, "Eve")
      assert.strictEqual(create(sandbox, { email: "a@example.com", updateEnabled: true, getId: true }).body.id, 1)
      assert.strictEqual(create(sandbox, { attributes: { FIRSTNAME: "Nobody" } }).body.code, "missing_parameter")
    }),
  )

  it.effect("brevo trap 1 and 2: unknown attributes and values of another type are dropped with a success", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const attributes = {
        NO_SUCH: "x",
        firstname: "lower case",
        EMAIL_VERIFIED: "true",
        LOGIN_COUNT: "7",
        SIGNUP_DATE: "2026-02-30",
        TIER: "gold",
        INTERESTS: ["news"],
      }
      assert.strictEqual(create(sandbox, { email: "a@example.com", ext_id: "x", attributes }).status, 201)
      assert.deepStrictEqual(sandbox.control.contact("x")?.attributes, {
        TIER: "gold",
        INTERESTS: ["news"],
        EXT_ID: "x",
      })
    }),
  )

  it.effect("brevo trap 6: an e-mail that changes is an update by ext_id; by POST it conflicts", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", ext_id: "auth0|a" })
      const posted = create(sandbox, { email: "b@example.com", ext_id: "auth0|a", updateEnabled: true })
      assert.deepStrictEqual(posted.body.metadata, { duplicate_identifiers: ["ext_id"] })
      const put = brevo(sandbox, "PUT", "/contacts/auth0%7Ca", {
        ...byExtId,
        body: { attributes: { EMAIL: "b@example.com" } },
      })
      assert.strictEqual(put.status, 204)
      assert.deepStrictEqual(
        sandbox.control.contacts().map((contact) => contact.email),
        ["b@example.com"],
      )
    }),
  )

  it.effect("brevo trap 7: a new e-mail resubscribes a blocklisted contact, unless the block is sent along", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", ext_id: "a" })
      sandbox.control.editContact("a", { emailBlacklisted: true })
      const move = (body: object) => brevo(sandbox, "PUT", "/contacts/a", { ...byExtId, body })
      move({ attributes: { EMAIL: "b@example.com" }, emailBlacklisted: true })
      assert.isTrue(sandbox.control.contact("a")?.emailBlacklisted)
      move({ attributes: { FIRSTNAME: "Ada" } })
      assert.isTrue(sandbox.control.contact("a")?.emailBlacklisted)
      move({ attributes: { EMAIL: "c@example.com" } })
      assert.isFalse(sandbox.control.contact("a")?.emailBlacklisted)
    }),
  )

  it.effect("brevo trap 9: a bad or a taken phone number refuses the whole contact", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", attributes: { SMS: "+15550000001" } })
      const taken = create(sandbox, {
        email: "b@example.com",
        attributes: { SMS: "0015550000001", FIRSTNAME: "B" },
        updateEnabled: true,
      })
      assert.deepStrictEqual(taken.body.metadata, { duplicate_identifiers: ["SMS"] })
      const bad = create(sandbox, { email: "c@example.com", attributes: { SMS: "12345" } })
      assert.strictEqual(bad.body.message, "Invalid phone number")
      assert.strictEqual(sandbox.control.contacts().length, 1)
    }),
  )

  it.effect("brevo trap 21: a number without identifierType is somebody's contact id", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", ext_id: "2" })
      create(sandbox, { email: "b@example.com", ext_id: "1" })
      assert.strictEqual(brevo(sandbox, "GET", "/contacts/2").body.email, "b@example.com")
      assert.strictEqual(brevo(sandbox, "GET", "/contacts/2", byExtId).body.email, "a@example.com")
      assert.strictEqual(brevo(sandbox, "PUT", "/contacts/none", { ...byExtId, body: {} }).status, 404)
    }),
  )

  it.effect("forceMerge keeps the contact changed last and deletes the other", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", attributes: { COMPANY: "Acme" } })
      yield* TestClock.adjust("1 second")
      create(sandbox, { ext_id: "x", attributes: { FIRSTNAME: "Ada" } })
      const merged = create(sandbox, { email: "a@example.com", ext_id: "x", updateEnabled: true, forceMerge: true })
      assert.deepStrictEqual(merged.body, { id: 2 })
      const [only] = sandbox.control.contacts()
      assert.strictEqual(sandbox.control.contacts().length, 1)
      assert.deepStrictEqual(only?.attributes, { FIRSTNAME: "Ada", COMPANY: "Acme", EXT_ID: "x" })
    }),
  )

  it.effect("null is refused, an empty text clears, lists are joined and left in the same call", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com", ext_id: "a", listIds: [20, 21], attributes: { COMPANY: "Acme" } })
      const put = (body: object) => brevo(sandbox, "PUT", "/contacts/a", { ...byExtId, body }).status
      assert.strictEqual(put({ attributes: { COMPANY: null } }), 400)
      assert.strictEqual(put({ attributes: { COMPANY: "" }, unlinkListIds: [21], listIds: [22] }), 204)
      assert.strictEqual(put({ listIds: [999] }), 400)
      assert.deepStrictEqual(sandbox.control.contact("a")?.listIds, [20, 22])
      assert.notProperty(sandbox.control.contact("a")?.attributes, "COMPANY")
      assert.strictEqual(put({ attribute: {} }), 501)
    }),
  )

  it.effect("brevo trap 18: already on the list and unknown share one failure; none moved is 400", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      create(sandbox, { email: "a@example.com" })
      const add = (emails: ReadonlyArray<string>) =>
        brevo(sandbox, "POST", "/contacts/lists/20/contacts/add", { body: { emails } })
      assert.deepStrictEqual(add(["a@example.com", "no@example.com"]).body.contacts, {
        success: ["a@example.com"],
        failure: ["no@example.com"],
        total: 1,
      })
      assert.match(add(["a@example.com"]).body.message, /already in list/)
    }),
  )

  it.effect("are read back in pages, by time and by id; deleting twice is 404", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      for (const name of ["a", "b", "c"]) {
        create(sandbox, { email: `${name}@example.com`, ext_id: name })
        yield* TestClock.adjust("1 second")
      }
      const get = (query: { [name: string]: string }) => brevo(sandbox, "GET", "/contacts", { query }).body
      assert.strictEqual(get({ limit: "2" }).contacts.length, 2)
      assert.strictEqual(get({ modifiedSince: new Date(1_000).toISOString() }).count, 2)
      assert.strictEqual(get({ ids: "3" }).contacts[0].email, "c@example.com")
      const remove = () => brevo(sandbox, "DELETE", "/contacts/a", byExtId).status
      assert.deepStrictEqual([remove(), remove()], [204, 404])
    }),
  )

  it.effect("the journal holds every write with its body's hash, the refused ones too", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const body = { email: "a@example.com", ext_id: "auth0|a" }
      create(sandbox, body)
      create(sandbox, body)
      brevo(sandbox, "GET", "/contacts/1")
      assert.deepStrictEqual(
        sandbox.control.journal().map(({ method, path, key, effect, status }) => [method, path, key, effect, status]),
        [
          ["POST", "/contacts", "auth0|a", "created", 201],
          ["POST", "/contacts", "auth0|a", "none", 400],
        ],
      )
      const [entry] = sandbox.control.journal()
      assert.strictEqual(entry?.body, JSON.stringify(body))
      assert.match(entry?.bodyHash ?? "", /^[0-9a-f]{64}$/)
      assert.deepStrictEqual(sandbox.counters.requests.brevo, { reads: 1, writes: 2 })
    }),
  )
})

describe("the account", () => {
  it.effect("has a key, another account for another name, attributes that can be added", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* sandboxOf({ account: "one" }), yield* sandboxOf({ account: "two" })]
      const id = (sandbox: Sandbox) => brevo(sandbox, "GET", "/account").body.organization_id
      assert.notStrictEqual(id(one), id(two))
      assert.strictEqual(ask(one, "GET", "/brevo/account").body.message, "authentication not found in headers")
      assert.strictEqual(
        ask(one, "GET", "/brevo/account", { headers: { "api-key": "x" } }).body.message,
        "Key not found",
      )
      const add = () => brevo(one, "POST", "/contacts/attributes/normal/SHOE_SIZE", { body: { type: "float" } }).status
      assert.deepStrictEqual([add(), add()], [201, 400])
      const names = brevo(one, "GET", "/contacts/attributes").body.attributes.map((each: { name: string }) => each.name)
      assert.includeMembers(names, ["SHOE_SIZE", "FIRSTNAME", "COMPANY"])
    }),
  )

  it.effect("brevo trap 19: ten a second for contacts, a hundred an hour for the rest, and no Retry-After", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "real" })
      const statuses = Array.from({ length: 12 }, () => brevo(sandbox, "GET", "/contacts/attributes").status)
      assert.deepStrictEqual(statuses.slice(9), [200, 429, 429])
      const refused = brevo(sandbox, "GET", "/contacts/attributes")
      assert.strictEqual(refused.headers["x-sib-ratelimit-remaining"], "0")
      assert.strictEqual(refused.headers["x-sib-ratelimit-reset"], "1")
      assert.notProperty(refused.headers, "retry-after")
      assert.strictEqual(brevo(sandbox, "GET", "/account").headers["x-sib-ratelimit-limit"], "100")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(brevo(sandbox, "GET", "/contacts/attributes").status, 200)
    }),
  )

  it.effect("limits off: nobody is refused, and the headers lift a client's own limit", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "off" })
      const answers = Array.from({ length: 300 }, () => brevo(sandbox, "GET", "/account"))
      assert.isTrue(answers.every(({ status }) => status === 200))
      const { headers } = brevo(sandbox, "GET", "/contacts/attributes")
      assert.strictEqual(headers["x-sib-ratelimit-limit"], "6000")
      assert.strictEqual(headers["x-sib-ratelimit-remaining"], "5999")
    }),
  )

  it.effect("what it does not model is 501 and remembered", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      assert.strictEqual(brevo(sandbox, "POST", "/contacts/batch", { body: {} }).status, 501)
      assert.strictEqual(ask(sandbox, "PATCH", "/auth0/api/v2/users/x").status, 501)
      assert.strictEqual(ask(sandbox, "GET", "/elsewhere").status, 501)
      assert.deepStrictEqual(
        sandbox.unmodelled.map((each) => each.vendor),
        ["brevo", "auth0", "none"],
      )
    }),
  )
})
