/** Consent and identity through imports: an import lands later than it is sent and answers nothing by row. */
import { assert, describe, it } from "@effect/vitest"
import type { Row } from "@sluice/core"
import { lists, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { account, route, stored, tally, user, users } from "./importing.ts"

const OPTIONS = { import_list: lists.social }

/** An account in which the rows were written before, and a later process. */
const filled = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
  const sandbox = yield* account()
  const before = yield* route(sandbox)
  yield* before.single(rows)
  return { sandbox, ...(yield* route(sandbox, { options: OPTIONS })) }
})

const known = (sandbox: Sandbox, n: number, fields: Row["fields"]): Row =>
  user(n, fields, { remoteId: String(sandbox.control.contact(`auth0|${n}`)?.id) })

const view = (sandbox: Sandbox, n: number) => {
  const found = sandbox.control.contact(`auth0|${n}`)
  return [found?.emailBlacklisted, found?.listIds, found?.attributes.COMPANY]
}

describe("consent", () => {
  it.effect("P03: contacts that are blocked or left a list are in no import", () =>
    Effect.gen(function* () {
      const { sandbox, job, single, imports } = yield* filled(users(4))
      sandbox.control.editContact("auth0|1", { emailBlacklisted: true })
      sandbox.control.editContact("auth0|2", { unsubscribe: [lists.all] })
      sandbox.control.editContact("auth0|3", { smsBlacklisted: true })
      const rows = [1, 2, 3, 4].map((n) => known(sandbox, n, { COMPANY: "New" }))
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 3, updated: 1 })
      assert.lengthOf(imports()[0]?.jsonBody ?? [], 1)
      yield* single(rows.slice(0, 3))
      assert.deepStrictEqual(view(sandbox, 1), [true, [lists.all], "New"])
      assert.deepStrictEqual(view(sandbox, 2), [false, [], "New"])
    }),
  )

  it.effect("P03: the same where the ledger knows none of them", () =>
    Effect.gen(function* () {
      const { sandbox, job } = yield* filled(users(3))
      sandbox.control.editContact("auth0|1", { emailBlacklisted: true })
      sandbox.control.editContact("auth0|2", { unsubscribe: [lists.all] })
      const rows = [1, 2, 3].map((n) => user(n, { COMPANY: "New" }))
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 2, updated: 1 })
      assert.deepStrictEqual(view(sandbox, 2), [false, [], undefined])
    }),
  )

  it.effect("P04: who leaves a list while an import is under way is not put back", () =>
    Effect.gen(function* () {
      const { sandbox, submit, settle, imports } = yield* filled(users(2))
      sandbox.control.importsTake(60_000)
      const batch = stored([1, 2].map((n) => known(sandbox, n, { COMPANY: "New" })))
      const refs = yield* submit(batch)
      sandbox.control.editContact("auth0|1", { unsubscribe: [lists.all] })
      yield* settle(refs.at(-1) ?? "", batch)
      assert.deepStrictEqual(imports()[0]?.listIds, [OPTIONS.import_list])
      assert.deepStrictEqual(view(sandbox, 1), [false, [OPTIONS.import_list], "New"])
    }),
  )

  it.effect("P04: an import_list that the route manages is refused: imports would put people on it", () =>
    Effect.gen(function* () {
      const opened = route(yield* account(), { options: { lists: [20, 21], import_list: 21 } })
      const { reason } = yield* opened.pipe(Effect.catchTag("SchemaError", Effect.die), Effect.flip)
      assert.deepInclude(reason, { _tag: "Misconfigured", path: ["with", "import_list"] })
    }),
  )

  it.effect("without an import_list contacts that are on their lists are written by themselves", () =>
    Effect.gen(function* () {
      const { sandbox } = yield* filled(users(2))
      const plain = yield* route(sandbox)
      assert.deepStrictEqual(tally(yield* plain.job([known(sandbox, 1, { COMPANY: "New" })])), { Deferred: 1 })
      assert.lengthOf(plain.imports(), 0)
    }),
  )

  it.effect("brevo trap 8: blocks of a row are never part of an import", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const fields = ["ext_id", "email", "emailBlacklisted", "smsBlacklisted"]
      const { job, calls } = yield* route(sandbox, { fields, options: { ...OPTIONS, allow_resubscribe: true } })
      const rows = [
        user(1, { emailBlacklisted: true }),
        user(2, { smsBlacklisted: true }),
        user(3, { emailBlacklisted: false }),
      ].map(
        (row): Row => ({
          ...row,
          fields: Object.fromEntries(Object.entries(row.fields).filter(([name]) => name !== "FIRSTNAME")),
        }),
      )
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 2, created: 1 })
      assert.notInclude(calls("POST /contacts/import")[0]?.body ?? "", "lacklist")
    }),
  )
})

describe("identity", () => {
  it.effect("brevo trap 6, P07: a new e-mail of a known contact is no import: it would make a second contact", () =>
    Effect.gen(function* () {
      const { sandbox, job, single, imports } = yield* filled(users(2))
      const moved = known(sandbox, 1, { email: "new@example.com" })
      const strange = user(2, { email: "other@example.com" })
      assert.deepStrictEqual(tally(yield* job([moved, strange])), { Deferred: 2 })
      assert.lengthOf(imports(), 0)
      yield* single([moved, strange])
      assert.deepStrictEqual(
        sandbox.control.contacts().map(({ email }) => email),
        ["new@example.com", "other@example.com"],
      )
    }),
  )

  it.effect("brevo trap 9: a phone number or e-mail of another contact keeps a row out", () =>
    Effect.gen(function* () {
      const { job, imports } = yield* filled([user(1, { SMS: "+33612345678" }), user(2)])
      const rows = [
        user(3, { SMS: "0033612345678" }),
        user(4, { email: "USER2@example.com" }),
        user(5, { SMS: "+33612345679" }),
      ]
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 2, created: 1 })
      assert.deepStrictEqual(
        imports()[0]?.jsonBody.map(({ attributes }) => attributes.SMS),
        ["33612345679"],
      )
    }),
  )

  it.effect("a contact without an ext_id is taken over under its e-mail, as by single writes", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const before = yield* route(sandbox, { key: "email", fields: ["email", "FIRSTNAME"] })
      yield* before.single([{ id: "x", key: "user1@example.com", change: "upsert", fields: { FIRSTNAME: "Ada" } }])
      const { job } = yield* route(sandbox, { options: OPTIONS })
      const outcomes = yield* job([user(1)])
      assert.deepInclude(outcomes[0], { effect: "updated", remoteId: "1" })
      assert.strictEqual(sandbox.control.contact("auth0|1")?.id, 1)
    }),
  )

  it.effect("a later job knows what an earlier one and others have made since", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const { job } = yield* route(sandbox)
      const other = yield* route(sandbox)
      yield* job(users(3), "one")
      yield* other.single([user(7, { email: "site@example.com" })])
      const rows = [user(4, { email: "user2@example.com" }), user(5, { email: "site@example.com" }), user(6)]
      assert.deepStrictEqual(tally(yield* job(rows, "two")), { Deferred: 2, created: 1 })
    }),
  )

  it.effect("a later job reads only what changed since, and leaves a few known names to single writes", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const sandbox = yield* account()
      const { job, calls, imports } = yield* route(sandbox)
      yield* job(users(4500), "one")
      yield* TestClock.adjust("1 hour")
      yield* job(users(4520).slice(4500), "next")
      yield* TestClock.adjust("1 hour")
      const other = yield* route(sandbox)
      yield* other.single([user(9001, { email: "site@example.com" })])
      const before = calls("GET /contacts").length
      const fresh = users(5010).slice(5000)
      const rows = [user(9002, { email: "user2@example.com" }), user(9003, { email: "site@example.com" }), ...fresh]
      assert.deepStrictEqual(tally(yield* job(rows, "last")), { Deferred: 2, created: 10 })
      assert.lengthOf(imports()[2]?.jsonBody ?? [], 10)
      const asked = calls("GET /contacts").slice(before)
      assert.isTrue(asked.every(({ params }) => params.includes("modifiedSince")))
      assert.lengthOf(asked, 2)
    }),
  )
})
