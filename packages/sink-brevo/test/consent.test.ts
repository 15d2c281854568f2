/** Whoever unsubscribed stays unsubscribed: what is never sent, and what is sent again so that Brevo keeps it. */
import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { attributes, brevo, contact, open, row, type Setup, services, when, write } from "./vendor.ts"

const at = (id: number) => `/contacts/${id}?identifierType=contact_id`
const look = (given: JsonObject) => when(`GET ${at(7)}`, 200, contact(7, given))
const put = when(`PUT ${at(7)}`, 204)

const update = (fields: JsonObject, setup: Setup = {}) => write([row(fields, { remoteId: "7" })], setup)

const dropped = (outcome: Outcome | undefined) =>
  outcome?._tag === "Delivered" ? (outcome.dropped ?? []).map(({ field, code }) => `${field}: ${code}`) : undefined

describe("consent", () => {
  it.effect("brevo trap 7: a new e-mail of a blocklisted contact keeps the block, in the same request", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ emailBlacklisted: true }), put)
      yield* update({ email: "new@example.com" })
      assert.deepStrictEqual(sent[2]?.body, {
        attributes: { EMAIL: "new@example.com" },
        emailBlacklisted: true,
      })
    }).pipe(services),
  )

  it.effect("brevo trap 7: neither does allow_resubscribe lift a block that the row does not speak of", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ emailBlacklisted: true }), put)
      yield* update({ email: "new@example.com" }, { options: { allow_resubscribe: true } })
      assert.deepInclude(sent[2]?.body, { emailBlacklisted: true })
    }).pipe(services),
  )

  it.effect("a new phone number of a contact blocked for SMS keeps the block", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ smsBlacklisted: true }), put)
      yield* update({ SMS: "+33612345678" })
      assert.deepStrictEqual(sent[2]?.body, { attributes: { SMS: "+33612345678" }, smsBlacklisted: true })
    }).pipe(services),
  )

  it.effect("brevo trap 8, P03: emailBlacklisted false is not sent, and that is reported", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ emailBlacklisted: true, smsBlacklisted: true }), put)
      const [outcome] = yield* update({ emailBlacklisted: false, smsBlacklisted: false, FIRSTNAME: "Ada" })
      assert.deepStrictEqual(sent[2]?.body, { attributes: { FIRSTNAME: "Ada" } })
      assert.deepStrictEqual(dropped(outcome), ["emailBlacklisted: unsubscribed", "smsBlacklisted: unsubscribed"])
    }).pipe(services),
  )

  it.effect("brevo trap 8: a new contact gets no block lifted either", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, when("POST /contacts", 201, { id: 7 }))
      yield* write([row({ emailBlacklisted: false, smsBlacklisted: true })])
      assert.deepStrictEqual(sent[1]?.body, { ext_id: "auth0|1", smsBlacklisted: true, updateEnabled: false })
    }).pipe(services),
  )

  it.effect("allow_resubscribe lifts a block that the row lifts", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ emailBlacklisted: true }), put)
      const fields = { email: "new@example.com", emailBlacklisted: false }
      const [outcome] = yield* update(fields, { options: { allow_resubscribe: true } })
      assert.deepStrictEqual(sent[2]?.body, { attributes: { EMAIL: "new@example.com" }, emailBlacklisted: false })
      assert.deepStrictEqual(dropped(outcome), [])
    }).pipe(services),
  )

  it.effect("P03: a contact is not put back on a list it unsubscribed from", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ listIds: [22], listUnsubscribed: [20] }), put)
      const [outcome] = yield* update({ listIds: [20, 21] }, { options: { lists: [20, 21, 22] } })
      assert.deepStrictEqual(sent[2]?.body, { listIds: [21], unlinkListIds: [22] })
      assert.deepStrictEqual(dropped(outcome), ["listIds: unsubscribed"])
    }).pipe(services),
  )

  it.effect("P03: a blocklisted contact joins no list, and may leave one", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ emailBlacklisted: true, listIds: [21] }), put)
      const [outcome] = yield* update({ listIds: [20] }, { options: { lists: [20, 21] } })
      assert.deepStrictEqual(sent[2]?.body, { unlinkListIds: [21] })
      assert.deepStrictEqual(dropped(outcome), ["listIds: unsubscribed"])
    }).pipe(services),
  )

  it.effect("P04: consent is what Brevo holds when the row is sent, not what an earlier lookup saw", () =>
    Effect.gen(function* () {
      const sent = brevo(when("GET /contacts/auth0%7C1?identifierType=ext_id", 200, contact(7)), attributes)
      const writer = yield* open({ fields: ["ext_id", "email"] })
      assert.strictEqual((yield* writer.lookup?.(["auth0|1"]) ?? Effect.succeed(new Map())).size, 1)
      assert.strictEqual(sent.length, 2)
      const later = brevo(attributes, look({ emailBlacklisted: true }), put)
      yield* update({ email: "newer@example.com" })
      assert.deepInclude(later[2]?.body, { emailBlacklisted: true })
    }).pipe(services),
  )

  it.effect("allow_resubscribe puts a contact back on the lists of its row", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ listUnsubscribed: [20] }), put)
      yield* update({ listIds: [20] }, { options: { lists: [20], allow_resubscribe: true } })
      assert.deepStrictEqual(sent[2]?.body, { listIds: [20] })
    }).pipe(services),
  )

  it.effect("brevo trap 18: lists change inside the contact's own write, and only where they differ", () =>
    Effect.gen(function* () {
      const sent = brevo(attributes, look({ listIds: [20, 22, 99] }), put)
      yield* update({ listIds: [20, 21] }, { options: { lists: [20, 21, 22, 23] } })
      assert.deepStrictEqual(sent[2]?.body, { listIds: [21], unlinkListIds: [22] })
    }).pipe(services),
  )

  it.effect("brevo trap 18: a membership that changed under the write is looked at again, not rejected", () =>
    Effect.gen(function* () {
      const answer = { code: "invalid_parameter", message: "Contact already in list and/or does not exist" }
      brevo(attributes, look({}), when(`PUT ${at(7)}`, 400, answer))
      const [outcome] = yield* update({ listIds: [20] }, { options: { lists: [20] } })
      assert.strictEqual(outcome?._tag, "Deferred")
    }).pipe(services),
  )

  it.effect("without listIds every row is on all managed lists; with null on none", () =>
    Effect.gen(function* () {
      const all = brevo(attributes, look({ listIds: [20] }), put)
      yield* update({ email: "ada@example.com" }, { options: { lists: [20, 21] } })
      assert.deepStrictEqual(all[2]?.body, { listIds: [21] })
      const none = brevo(attributes, look({ listIds: [20, 99] }), put)
      yield* update({ listIds: null }, { options: { lists: [20, 21] } })
      assert.deepStrictEqual(none[2]?.body, { unlinkListIds: [20] })
    }).pipe(services),
  )

  it.effect("a merge keeps the block and the unsubscriptions of either contact", () =>
    Effect.gen(function* () {
      const conflict = {
        code: "invalid_parameter",
        message: "taken",
        metadata: { duplicate_identifiers: ["email"] },
      }
      const rival = contact(8, { email: "new@example.com", emailBlacklisted: true, listUnsubscribed: [20] })
      const sent = brevo(
        attributes,
        look({}),
        when(`PUT ${at(7)}`, 400, conflict),
        when("GET /contacts/new%40example.com?identifierType=email_id", 200, rival),
        when(`PUT ${at(7)}`, 204),
      )
      const options = { on_identifier_conflict: "merge", lists: [20] }
      const [outcome] = yield* update({ email: "new@example.com" }, { options })
      assert.deepStrictEqual(sent[4]?.body, {
        attributes: { EMAIL: "new@example.com" },
        emailBlacklisted: true,
        forceMerge: true,
      })
      assert.deepStrictEqual(dropped(outcome), ["listIds: unsubscribed"])
    }).pipe(services),
  )

  it.effect("a merge puts nobody back on a list that the other contact unsubscribed from", () =>
    Effect.gen(function* () {
      const conflict = { code: "x", message: "taken", metadata: { duplicate_identifiers: ["SMS"] } }
      const rival = contact(8, { listUnsubscribed: [20] })
      const sent = brevo(
        attributes,
        look({}),
        when(`PUT ${at(7)}`, 400, conflict),
        when("GET /contacts/33612345678?identifierType=phone_id", 200, rival),
        put,
      )
      yield* update({ SMS: "33612345678" }, { options: { on_identifier_conflict: "merge", lists: [20, 21] } })
      assert.deepStrictEqual(sent[4]?.body, {
        attributes: { SMS: "33612345678" },
        listIds: [21],
        forceMerge: true,
      })
    }).pipe(services),
  )

  it.effect("forceMerge is never sent unless the route asks for it", () =>
    Effect.gen(function* () {
      const conflict = { code: "x", message: "taken", metadata: { duplicate_identifiers: ["email"] } }
      const sent = brevo(attributes, look({}), when(`PUT ${at(7)}`, 400, conflict))
      const [outcome] = yield* update({ email: "new@example.com" })
      assert.deepInclude(outcome, { _tag: "Rejected", code: "identifier_taken", fields: ["email"] })
      assert.notInclude(JSON.stringify(sent), "forceMerge")
    }).pipe(services),
  )
})

describe("on_delete", () => {
  const gone = (remoteId?: string) =>
    row({}, { change: "delete", fields: {}, ...(remoteId === undefined ? {} : { remoteId }) })
  const done = [Outcome.Delivered({ id: "auth0|1", effect: "deleted" })]

  it.effect("P01: delete removes the contact; one that is gone already counts as done", () =>
    Effect.gen(function* () {
      brevo(when(`DELETE ${at(7)}`, 204), when("DELETE /contacts/auth0%7C1?identifierType=ext_id", 404))
      assert.deepStrictEqual(yield* write([gone("7")], { fields: ["ext_id"], on_delete: "delete" }), done)
      assert.deepStrictEqual(yield* write([gone()], { fields: ["ext_id"], on_delete: "delete" }), done)
    }).pipe(services),
  )

  it.effect("unlink takes the contact off the managed lists it is on, and off no other", () =>
    Effect.gen(function* () {
      const sent = brevo(look({ listIds: [20, 99] }), put)
      const setup = { fields: ["ext_id"], on_delete: "unlink", options: { lists: [20, 21] } }
      assert.deepStrictEqual(yield* write([gone("7")], setup), done)
      assert.deepStrictEqual(sent[1]?.body, { unlinkListIds: [20] })
    }).pipe(services),
  )

  it.effect("blocklist stops campaigns and keeps the contact", () =>
    Effect.gen(function* () {
      const sent = brevo(put)
      assert.deepStrictEqual(yield* write([gone("7")], { fields: ["ext_id"], on_delete: "blocklist" }), done)
      assert.deepStrictEqual(sent[0]?.body, { emailBlacklisted: true, smsBlacklisted: true })
    }).pipe(services),
  )
})
