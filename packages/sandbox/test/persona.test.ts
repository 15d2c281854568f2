/** The fake Persona environment has the traps of the real one, persona.md; and a client as usually written falls into them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { makeSandbox, type SandboxOptions } from "../src/index.ts"
import { credentials } from "../src/options.ts"
import { type Asked, ask } from "./ask.ts"
import { addsATag, asksTenOfAll, doublesBySearch, keepsItsKey, syncsAtFullSpeed, writesToAll } from "./naive-persona.ts"

const sandboxOf = (over: Partial<SandboxOptions> = {}) => makeSandbox({ users: 0, seed: 1, limits: "off", ...over })

const headers = { authorization: `Bearer ${credentials.personaKey}`, "persona-version": "2025-12-08" }
const call = (sandbox: Sandbox, method: string, path: string, asked: Asked = {}) =>
  ask(sandbox, method, `/persona/api/v1${path}`, { ...asked, headers: { ...headers, ...asked.headers } })

const create = (sandbox: Sandbox, attributes: object, meta?: object, more: Asked = {}) =>
  call(sandbox, "POST", "/accounts", {
    body: { data: { attributes }, ...(meta === undefined ? {} : { meta }) },
    ...more,
  })

describe("accounts", () => {
  it.effect("persona trap 2: a bare POST conflicts, an upsert updates, and each says which it was", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      assert.strictEqual(create(sandbox, { "reference-id": "a" }).status, 201)
      assert.strictEqual(create(sandbox, { "reference-id": "a" }).status, 409)
      const upserted = create(sandbox, { "reference-id": "a", "name-first": "Ada" }, { "upsert-by": "reference-id" })
      assert.strictEqual(upserted.status, 200)
      assert.strictEqual(create(sandbox, { "reference-id": "a" }, { "upsert-by": "email" }).status, 400)
      assert.strictEqual(sandbox.control.persona.accounts().length, 1)
    }),
  )

  it.effect("persona trap 10: values come with their types, at every depth but in JSON", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const fields = { company: "Example", preferences: { news: true }, identities: ["a"], app_metadata: { a: [1] } }
      const { body } = create(sandbox, { "reference-id": "a", "account-type-id": "acttp_sandboxUser", fields })
      const answered = body.data.attributes.fields
      assert.deepStrictEqual(answered.company, { type: "string", value: "Example" })
      assert.deepStrictEqual(answered.preferences, { type: "hash", value: { news: { type: "boolean", value: true } } })
      assert.deepStrictEqual(answered.identities, { type: "array", value: [{ type: "string", value: "a" }] })
      assert.deepStrictEqual(answered.app_metadata, { type: "json", value: { a: [1] } })
    }),
  )

  it.effect("persona trap 9 and 21: fields are known by their exact names, and hold what fits", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const status = (fields: object) =>
        create(sandbox, { "reference-id": "a", "account-type-id": "acttp_sandboxUser", fields }).status
      assert.strictEqual(status({ loginsCount: 1 }), 400)
      assert.strictEqual(status({ company: "x".repeat(256) }), 422)
      assert.strictEqual(status({ plan: "gold" }), 422)
      assert.strictEqual(status({ nickname: "archived" }), 422)
      assert.strictEqual(status({ logins_count: 1 }), 201)
    }),
  )

  it.effect(
    "persona trap 11 and 12: redaction empties an account for good, and does not keep it from being written",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        const { id } = create(sandbox, { "reference-id": "a", "name-first": "Ada" }).body.data
        assert.strictEqual(call(sandbox, "DELETE", `/accounts/${id}`).status, 200)
        assert.deepStrictEqual(sandbox.control.persona.account("a")?.attributes, {})
        assert.strictEqual(call(sandbox, "DELETE", `/accounts/${id}`).status, 409)
        const body = { data: { attributes: { "name-first": "Ada" } } }
        assert.strictEqual(call(sandbox, "PATCH", `/accounts/${id}`, { body }).status, 200)
      }),
  )

  it.effect("persona trap 13: an archived account is in no list, cannot be written, and keeps its reference id", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { id } = create(sandbox, { "reference-id": "a" }).body.data
      sandbox.control.persona.archive("a")
      assert.deepStrictEqual(
        call(sandbox, "GET", "/accounts", { query: { "filter[reference-id]": "a" } }).body.data,
        [],
      )
      assert.strictEqual(call(sandbox, "PATCH", `/accounts/${id}`, { body: { data: { attributes: {} } } }).status, 404)
      assert.strictEqual(create(sandbox, { "reference-id": "a" }, { "upsert-by": "reference-id" }).status, 409)
    }),
  )
})

describe("the protocol", () => {
  it.effect(
    "persona trap 8: casing is the dashboard's unless the request says it; custom fields are never re-cased",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ persona: { inflection: "camel" } })
        const made = create(sandbox, { "reference-id": "a", "account-type-id": "acttp_sandboxUser" })
        assert.strictEqual(made.body.data.attributes.referenceId, "a")
        assert.property(made.body.data.attributes.fields, "email_verified")
        const asked = { headers: { "key-inflection": "kebab" }, query: { "filter[reference-id]": "a" } }
        assert.strictEqual(call(sandbox, "GET", "/accounts", asked).body.data[0].attributes["reference-id"], "a")
        assert.strictEqual(
          call(sandbox, "GET", "/accounts", { headers: { "persona-version": "2001-01-01" } }).status,
          400,
        )
      }),
  )

  it.effect(
    "persona trap 5: a key replays its first answer for a day, failures too; another body with it is refused",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        const keyed = { headers: { "idempotency-key": "k" } }
        sandbox.control.faults.add({
          vendor: "persona",
          fault: { kind: "error", status: 500, when: "before" },
          times: 1,
        })
        assert.strictEqual(create(sandbox, { "reference-id": "a" }, undefined, keyed).status, 500)
        assert.strictEqual(create(sandbox, { "reference-id": "a" }, undefined, keyed).status, 500)
        assert.strictEqual(create(sandbox, { "reference-id": "b" }, undefined, keyed).status, 400)
        yield* TestClock.adjust("25 hours")
        assert.strictEqual(create(sandbox, { "reference-id": "a" }, undefined, keyed).status, 201)
      }),
  )

  it.effect("persona trap 1 and 16: every answer says the environment and what is left of its minute", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "real", account: "acme" })
      const { headers: first } = call(sandbox, "GET", "/rate-limits")
      assert.deepInclude(first, { "persona-environment-id": "env_acme", "ratelimit-remaining": "299" })
      sandbox.control.persona.liveChecks(299)
      assert.strictEqual(call(sandbox, "GET", "/rate-limits").status, 429)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(call(sandbox, "GET", "/rate-limits").status, 200)
      assert.strictEqual(call(sandbox, "GET", "/rate-limits", { headers: { authorization: "Bearer x" } }).status, 401)
    }),
  )

  it.effect("what it does not model is 501", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      assert.strictEqual(call(sandbox, "POST", "/batch-jobs").status, 501)
      assert.strictEqual(call(sandbox, "POST", "/inquiries").status, 501)
    }),
  )
})

describe("a client as it is usually written", () => {
  const withAccounts = Effect.fnUntraced(function* (count: number, over: Partial<SandboxOptions> = {}) {
    const sandbox = yield* sandboxOf(over)
    for (let n = 0; n < count; n++) sandbox.control.persona.create(`u${n}`, { "name-first": "Ada", tags: ["by hand"] })
    return sandbox
  })

  it.effect("persona trap 20: takes ten accounts of a hundred for all, and fails to make the others again", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(100)
      assert.deepStrictEqual(asksTenOfAll(sandbox, 100), { updated: 10, conflicts: 90 })
    }),
  )

  it.effect("persona trap 4: adds a tag and takes the others off", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(1)
      addsATag(sandbox, "u0", "vip")
      assert.deepStrictEqual(sandbox.control.persona.account("u0")?.tags, ["vip"])
    }),
  )

  it.effect("persona trap 5: gets a failure of yesterday's minute for as long as it keeps its key", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(0)
      sandbox.control.faults.add({ vendor: "persona", fault: { kind: "error", status: 500, when: "before" }, times: 1 })
      assert.isFalse(keepsItsKey(sandbox, "u0"))
      assert.strictEqual(sandbox.control.persona.accounts().length, 0)
    }),
  )

  it.effect("persona trap 7: opens a second case for who the search does not show yet", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(0)
      doublesBySearch(sandbox, "u0")
      doublesBySearch(sandbox, "u0")
      assert.strictEqual(sandbox.control.persona.cases().length, 2)
    }),
  )

  it.effect("persona trap 11: brings back what a person had deleted", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(2)
      sandbox.control.persona.redact("u1")
      writesToAll(sandbox, ["u0", "u1"])
      assert.deepStrictEqual(sandbox.control.persona.account("u1")?.attributes, { "name-first": "Ada" })
    }),
  )

  it.effect("persona trap 1: leaves nothing of the minute to people who are being verified", () =>
    Effect.gen(function* () {
      const sandbox = yield* withAccounts(0, { limits: "real" })
      syncsAtFullSpeed(sandbox, 400)
      assert.strictEqual(call(sandbox, "GET", "/rate-limits").status, 429)
      assert.isBelow(sandbox.control.persona.accounts().length, 400)
    }),
  )
})
