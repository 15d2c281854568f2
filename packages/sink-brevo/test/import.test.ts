/** What goes into an import and what comes of it, against the sandbox. */
import { assert, describe, it } from "@effect/vitest"
import type { Row } from "@sluice/core"
import { lists, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import { account, route, stored, tally, user, users } from "./importing.ts"

const attributesOf = (sandbox: Sandbox, n: number) => sandbox.control.contact(`auth0|${n}`)?.attributes

const IMPORT_LIST = lists.social

/** A route whose contacts were all written before, and the rows with their ids. */
const filled = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>, options: object = {}) {
  const sandbox = yield* account()
  const before = yield* route(sandbox)
  yield* before.single(rows)
  const after = yield* route(sandbox, { options: { import_list: IMPORT_LIST, ...options } })
  const known = (fields: Row["fields"], n = 1): Row => {
    const id = sandbox.control.contact(`auth0|${n}`)?.id
    return user(n, fields, { remoteId: String(id) })
  }
  return { sandbox, known, ...after }
})

describe("an import", () => {
  it.effect("brings new contacts onto their lists in one call, and answers for each row", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const { job, calls, sent } = yield* route(sandbox)
      const outcomes = yield* job(users(1200, { LOGIN_COUNT: 3 }))
      assert.deepStrictEqual(tally(outcomes), { created: 1200 })
      assert.deepStrictEqual(outcomes[4], {
        _tag: "Delivered",
        id: "auth0|5",
        effect: "created",
        remoteId: String(sandbox.control.contact("auth0|5")?.id),
      })
      assert.deepStrictEqual(attributesOf(sandbox, 5), { EXT_ID: "auth0|5", FIRSTNAME: "Name 5", LOGIN_COUNT: 3 })
      assert.deepStrictEqual(sandbox.control.contact("auth0|5")?.listIds, [lists.all])
      assert.lengthOf(calls("POST /contacts/import"), 1)
      assert.isBelow(sent.length, 10)
      assert.deepStrictEqual(sandbox.unmodelled, [])
    }),
  )

  it.effect("brevo trap 15, 16 and 22: says its list, empties nothing, and mails nobody", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const { job, calls } = yield* route(sandbox)
      yield* job([user(1, { FIRSTNAME: "Ada" })])
      assert.deepStrictEqual(
        calls("POST /contacts/import").map(({ body }) => JSON.parse(body)),
        [
          {
            jsonBody: [{ email: "user1@example.com", attributes: { FIRSTNAME: "Ada", EXT_ID: "auth0|1" } }],
            listIds: [lists.all],
            updateExistingContacts: false,
            emptyContactsAttributes: false,
            disableNotification: true,
          },
        ],
      )
      assert.strictEqual(sandbox.control.mails(), 0)
    }),
  )

  it.effect("brevo trap 15: a route without any list is written one by one", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const none = yield* route(sandbox, { options: { lists: [] } })
      assert.isFalse(none.jobs.worth(16_000))
      const own = yield* route(sandbox, { options: { lists: [], import_list: IMPORT_LIST } })
      assert.isTrue(own.jobs.worth(1))
      assert.deepStrictEqual(tally(yield* own.job(users(3))), { created: 3 })
      assert.deepStrictEqual(own.imports()[0]?.listIds, [IMPORT_LIST])
    }),
  )

  it.effect("brevo trap 16: rows that lack a field of other rows keep what Brevo has there", () =>
    Effect.gen(function* () {
      const rows = [user(1, { COMPANY: "Analytical" }), user(2, { COMPANY: "Engines" })]
      const { sandbox, known, job, imports } = yield* filled(rows)
      const outcomes = yield* job([known({ LOGIN_COUNT: 1 }, 1), known({ COMPANY: "Other" }, 2)])
      assert.deepStrictEqual(tally(outcomes), { updated: 2 })
      assert.lengthOf(imports()[0]?.jsonBody ?? [], 2)
      assert.deepInclude(attributesOf(sandbox, 1), { COMPANY: "Analytical", LOGIN_COUNT: 1 })
      assert.deepInclude(attributesOf(sandbox, 2), { COMPANY: "Other" })
    }),
  )

  it.effect("brevo trap 4: false is in no import, for it would be ignored; what is there already may stay out", () =>
    Effect.gen(function* () {
      const { sandbox, known, job, single, imports } = yield* filled([
        user(1, { EMAIL_VERIFIED: true }),
        user(2, { EMAIL_VERIFIED: false }),
      ])
      const rows = [
        known({ EMAIL_VERIFIED: false, COMPANY: "A" }, 1),
        known({ EMAIL_VERIFIED: false, COMPANY: "B" }, 2),
        user(3, { EMAIL_VERIFIED: false }),
        user(4, { EMAIL_VERIFIED: true, LOGIN_COUNT: 0 }),
      ]
      const outcomes = yield* job(rows)
      assert.deepStrictEqual(
        outcomes.map((each) => (each._tag === "Delivered" ? each.effect : each._tag)),
        ["Deferred", "updated", "Deferred", "created"],
      )
      assert.notInclude(JSON.stringify(imports()), 'false,"EXT_ID')
      assert.deepInclude(attributesOf(sandbox, 4), { EMAIL_VERIFIED: true, LOGIN_COUNT: 0 })
      yield* single([rows[0], rows[2]].filter((row) => row !== undefined))
      for (const n of [1, 2, 3]) assert.deepInclude(attributesOf(sandbox, n), { EMAIL_VERIFIED: false })
    }),
  )

  it.effect("D13: a cleared field is no part of an import", () =>
    Effect.gen(function* () {
      const { sandbox, known, job, single } = yield* filled([user(1, { COMPANY: "A" }), user(2)])
      const row = known({ COMPANY: null, LOGIN_COUNT: 2 }, 1)
      const outcomes = yield* job([row, known({ COMPANY: null, LOGIN_COUNT: 2 }, 2), user(3, { COMPANY: null })])
      assert.deepStrictEqual(tally(outcomes), { Deferred: 1, updated: 1, created: 1 })
      yield* single([row])
      assert.notProperty(attributesOf(sandbox, 1), "COMPANY")
    }),
  )

  it.effect("deletions, rows without an e-mail and rows that share one are written by themselves", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const { job, imports } = yield* route(sandbox)
      const same = { email: "same@example.com" }
      const { email: _, ...nameless } = user(2).fields
      const rows = [
        user(1, {}, { change: "delete", fields: {}, remoteId: "77" }),
        user(2, {}, { fields: nameless }),
        user(3, same),
        user(4, { email: "Same@Example.com" }),
        user(5),
      ]
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 4, created: 1 })
      assert.deepStrictEqual(
        imports().flatMap(({ jsonBody }) => jsonBody.map((each) => each.email)),
        ["user5@example.com"],
      )
    }),
  )

  it.effect("rows are grouped by their lists", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const options = { lists: [lists.all, lists.verified], import_list: IMPORT_LIST }
      const { job, imports } = yield* route(sandbox, { fields: ["ext_id", "email", "listIds"], options })
      const on = (n: number, listIds: ReadonlyArray<number>): Row =>
        user(n, {}, { fields: { ext_id: `auth0|${n}`, email: `user${n}@example.com`, listIds: [...listIds] } })
      const rows = [on(1, [20]), on(2, [20, 21]), on(3, []), on(4, [21, 20]), on(5, [20])]
      assert.deepStrictEqual(tally(yield* job(rows)), { created: 5 })
      assert.deepStrictEqual(
        imports().map(({ listIds, jsonBody }) => [listIds, jsonBody.length]),
        [
          [[20], 2],
          [[20, 21], 2],
          [[IMPORT_LIST], 1],
        ],
      )
    }),
  )

  it.effect("a contact that holds all of its row is not sent, and unchanged", () =>
    Effect.gen(function* () {
      const { known, job, imports } = yield* filled([user(1), user(2)])
      const outcomes = yield* job([known({}, 1), user(2)])
      assert.deepStrictEqual(tally(outcomes), { unchanged: 2 })
      assert.lengthOf(imports(), 0)
    }),
  )

  it.effect("unless somebody changes it meanwhile: then it is written", () =>
    Effect.gen(function* () {
      const { sandbox, known, submit, settle } = yield* filled([user(1), user(2)])
      const batch = stored([known({}, 1), known({ COMPANY: "New" }, 2)])
      const refs = yield* submit(batch)
      sandbox.control.editContact("auth0|1", { attributes: { FIRSTNAME: "Other" } })
      assert.deepStrictEqual(tally(yield* settle(refs.at(-1) ?? "", batch)), { Deferred: 1, updated: 1 })
    }),
  )

  it.effect("under auto, a batch of which an import can carry only a few rows is written one by one", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const { job, jobs, imports } = yield* route(sandbox, { options: { path: "auto" } })
      assert.isTrue(jobs.worth(600))
      const rows = [...users(100), ...users(600, { EMAIL_VERIFIED: false }).slice(100)]
      assert.deepStrictEqual(tally(yield* job(rows)), { Deferred: 600 })
      assert.lengthOf(imports(), 0)
    }),
  )

  it.effect("where the account does not take EXT_ID, rows are found without it and written by themselves", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importsExtId: false })
      const { job, single } = yield* route(sandbox)
      assert.deepStrictEqual(tally(yield* job(users(3))), { Deferred: 3 })
      assert.deepStrictEqual(tally(yield* single(users(3))), { updated: 3 })
      assert.lengthOf(sandbox.control.contacts(), 3)
      const without = yield* route(sandbox, { options: { import_ext_id: false } })
      assert.deepStrictEqual(tally(yield* without.job(users(6).slice(3))), { Deferred: 3 })
      assert.lengthOf(without.imports(), 0)
    }),
  )

  it.effect("import_ext_id: false keeps contacts that lack their ext_id out as well", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const byEmail = yield* route(sandbox, { key: "email", fields: ["email", "FIRSTNAME"] })
      yield* byEmail.single([{ id: "x", key: "user1@example.com", change: "upsert", fields: { FIRSTNAME: "Ada" } }])
      const { job, imports } = yield* route(sandbox, { options: { import_list: IMPORT_LIST, import_ext_id: false } })
      assert.deepStrictEqual(tally(yield* job([user(1)])), { Deferred: 1 })
      assert.lengthOf(imports(), 0)
    }),
  )
})
