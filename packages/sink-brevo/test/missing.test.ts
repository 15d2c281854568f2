/** `create_missing_attributes`: made in a run, before the first write, and never by looking. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import { lists, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import { account, route, tally, user, users } from "./importing.ts"
import { attributes, brevo, open, row, services, when, write } from "./vendor.ts"

const missing = { NICKNAME: "text", SCORE: "float" }
const fields = ["ext_id", "email", "NICKNAME", "SCORE"]
const options = { lists: [lists.all], create_missing_attributes: missing }

const reasonOf = (error: unknown) => (error instanceof SinkError ? error.reason._tag : error)

const created = (sandbox: Sandbox) =>
  sandbox.control.journal().flatMap(({ path }) => (path.startsWith("/contacts/attributes/") ? [path] : []))

describe("create_missing_attributes", () => {
  it.effect("rule 6: fields, cost, lookup and refuse make none, and say that they can be written", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ attributes: [] })
      const { writer } = yield* route(sandbox, { fields, options })
      const found = yield* writer.fields ?? Effect.succeed([])
      assert.deepInclude(
        found.find(({ name }) => name === "SCORE"),
        { type: "number", writable: true },
      )
      yield* writer.lookup?.(["auth0|1"]) ?? Effect.void
      assert.lengthOf(sandbox.control.journal(), 0)
    }),
  )

  it.effect("brevo trap 1: a run makes them once, before rows that would lose their values without", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ attributes: [] })
      const { single } = yield* route(sandbox, { fields, options })
      const rows = users(2, { NICKNAME: "ada", SCORE: 1.5 }).map(({ fields: { FIRSTNAME: _, ...rest }, ...each }) => ({
        ...each,
        fields: rest,
      }))
      yield* single(rows.slice(0, 1))
      yield* single(rows.slice(1))
      assert.deepStrictEqual(created(sandbox), [
        "/contacts/attributes/normal/NICKNAME",
        "/contacts/attributes/normal/SCORE",
      ])
      assert.deepInclude(sandbox.control.contact("auth0|2")?.attributes, { NICKNAME: "ada", SCORE: 1.5 })
      const next = yield* route(sandbox, { fields, options })
      yield* next.single(rows)
      assert.lengthOf(created(sandbox), 2)
    }),
  )

  it.effect("an import makes them too", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ attributes: [] })
      const { job } = yield* route(sandbox, { fields: [...fields, "FIRSTNAME"], options })
      assert.deepStrictEqual(tally(yield* job([user(1, { NICKNAME: "ada" })])), { created: 1 })
      assert.deepInclude(sandbox.control.contact("auth0|1")?.attributes, { NICKNAME: "ada" })
    }),
  )

  it.effect("one that somebody made meanwhile is taken", () =>
    Effect.gen(function* () {
      const made = { name: "NICKNAME", category: "normal", type: "text" }
      brevo(
        attributes,
        when("POST /contacts/attributes/normal/NICKNAME", 400, { code: "duplicate_parameter", message: "exists" }),
        when("GET /contacts/attributes", 200, { attributes: [made] }),
        when("POST /contacts", 201, { id: 7 }),
      )
      const outcomes = yield* write([row({ NICKNAME: "ada" })], {
        options: { create_missing_attributes: { NICKNAME: "text" } },
      })
      assert.strictEqual(outcomes[0]?._tag, "Delivered")
    }).pipe(services),
  )

  it.effect("one that is there with another type stops the route, in check as in a run", () =>
    Effect.gen(function* () {
      brevo(attributes)
      const setup = { options: { create_missing_attributes: { COMPANY: "float" } } }
      const writer = yield* open(setup)
      const { reason } = yield* Effect.flip(writer.fields ?? Effect.void)
      assert.deepInclude(reason, { _tag: "Misconfigured", path: ["with", "create_missing_attributes", "COMPANY"] })
    }).pipe(services),
  )

  it.effect("one that Brevo does not make stops the run before any row", () =>
    Effect.gen(function* () {
      const refusal = { code: "invalid_parameter", message: "no" }
      brevo(attributes, when("POST /contacts/attributes/normal/NICKNAME", 400, refusal))
      const setup = { options: { create_missing_attributes: { NICKNAME: "text" } } }
      const refused = yield* Effect.flip(write([row({ NICKNAME: "ada" })], setup))
      assert.strictEqual(reasonOf(refused), "Refused")
      brevo(attributes, when("POST /contacts/attributes/normal/NICKNAME", 201), attributes)
      const silent = yield* Effect.flip(write([row({ NICKNAME: "ada" })], setup))
      assert.strictEqual(reasonOf(silent), "Misconfigured")
    }).pipe(services),
  )

  for (const name of ["nickname", "EMAIL", "EXT_ID", "A B", "__proto__"]) {
    it.effect(`brevo trap 3: ${name} is no name for one`, () =>
      Effect.gen(function* () {
        const names = JSON.parse(`{"${name}":"text"}`)
        yield* Effect.flip(open({ options: { create_missing_attributes: names } }))
      }).pipe(services),
    )
  }
})
