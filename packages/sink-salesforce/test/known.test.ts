/** Writing to records that are known, by id or by key, and deleting them. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import nock from "nock"
import {
  created,
  DATA,
  failed,
  HOST,
  open,
  opening,
  row,
  salesforce,
  services,
  tags,
  UPDATE,
  UPSERT,
  when,
  write,
} from "./vendor.ts"

const ID = "003000000000001AAA"
const OTHER = "003000000000002AAA"

describe("a known record", () => {
  const known = row(1, {}, { remoteId: ID })

  it.effect("is updated by its id, so a changed key makes no second one", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(UPDATE, 200, [{ id: ID, success: true, errors: [] }]))
      const outcomes = yield* write([{ ...known, key: "auth0|new", fields: { Auth0_Id__c: "auth0|new" } }])
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "updated", remoteId: ID }])
      assert.deepStrictEqual(sent.at(-1)?.body?.records, [
        { attributes: { type: "Contact" }, id: ID, Auth0_Id__c: "auth0|new" },
      ])
    }).pipe(services),
  )

  it.effect("that was deleted is found, or made, by its key: once", () =>
    Effect.gen(function* () {
      salesforce(
        ...opening("Contact"),
        when(UPDATE, 200, [failed("ENTITY_IS_DELETED")]),
        when(UPSERT, 200, [created(OTHER)]),
      )
      assert.deepStrictEqual(yield* write([known]), [
        { _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: OTHER },
      ])
    }).pipe(services),
  )

  it.effect("whose row points to nothing is a dead letter after that", () =>
    Effect.gen(function* () {
      const wrong = failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
      salesforce(...opening("Contact"), when(UPDATE, 200, [wrong]), when(UPSERT, 200, [wrong]))
      assert.deepInclude((yield* write([known]))[0], { _tag: "Rejected", code: "INVALID_CROSS_REFERENCE_KEY" })
    }).pipe(services),
  )

  it.effect("whose source is gone are deleted in no more calls at once than the file allows", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"))
      const writer = yield* open({ on_delete: "delete", config: { concurrency: 1 } })
      let [running, most] = [0, 0]
      nock(HOST)
        .delete(`${DATA}/composite/sobjects`)
        .query(true)
        .times(3)
        .reply(async () => {
          most = Math.max(most, ++running)
          for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
          running -= 1
          return [200, JSON.stringify([{ id: ID, success: true, errors: [] }])]
        })
      const remove = (n: number) => {
        const gone = row(n, {}, { change: "delete", fields: {}, remoteId: `00300000000000${n}AAA` })
        return writer.write({ id: `batch-${n}`, attempt: 1, rows: [gone] })
      }
      const outcomes = yield* Effect.forEach([1, 2, 3], remove, { concurrency: "unbounded" })
      assert.deepStrictEqual(tags(outcomes.flat()), ["Delivered", "Delivered", "Delivered"])
      assert.strictEqual(most, 1)
    }).pipe(services),
  )

  it.effect("whose source is gone is deleted by its id; one that is gone already is as it should be", () =>
    Effect.gen(function* () {
      const call = `DELETE /composite/sobjects?ids=${ID}%2C${OTHER}&allOrNone=false`
      salesforce(
        ...opening("Contact"),
        when(call, 200, [{ id: ID, success: true, errors: [] }, failed("ENTITY_IS_DELETED")]),
      )
      const gone = (n: number, remoteId: string) => row(n, {}, { change: "delete", fields: {}, remoteId })
      const writer = yield* open({ on_delete: "delete" })
      const outcomes = yield* writer.write({ id: "b", attempt: 1, rows: [gone(1, ID), gone(2, OTHER)] })
      assert.deepStrictEqual(
        outcomes.map((each) => each._tag === "Delivered" && each.effect),
        ["deleted", "deleted"],
      )
    }).pipe(services),
  )
})

describe("a deletion", () => {
  const deletion = (...results: ReadonlyArray<JsonObject>) =>
    Effect.gen(function* () {
      const ids = results.map((_, n) => `00300000000000${n + 1}AAA`)
      salesforce(
        ...opening("Contact"),
        when(`DELETE /composite/sobjects?ids=${ids.join("%2C")}&allOrNone=false`, 200, [...results]),
      )
      const writer = yield* open({ on_delete: "delete" })
      const rows = ids.map((remoteId, n) => row(n + 1, {}, { change: "delete", fields: {}, remoteId }))
      return yield* writer.write({ id: "b", attempt: 1, rows })
    })

  it.effect("that the user may not make is not called done: the person is still there", () =>
    Effect.gen(function* () {
      const outcomes = yield* deletion(
        failed("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
        failed("INVALID_CROSS_REFERENCE_KEY"),
      )
      assert.deepStrictEqual(tags(outcomes), ["Rejected", "Delivered"])
    }).pipe(services),
  )

  it.effect("that a lock, an outage or another row kept from happening is sent again", () =>
    Effect.gen(function* () {
      const outcomes = yield* deletion(
        failed("UNABLE_TO_LOCK_ROW"),
        failed("SERVER_UNAVAILABLE"),
        failed("PROCESSING_HALTED"),
        failed("DELETE_FAILED"),
      )
      assert.deepStrictEqual(tags(outcomes), ["Deferred", "Deferred", "Deferred", "Rejected"])
    }).pipe(services),
  )

  it.effect("salesforce trap 30: that is too much for the triggers is halved, and what passed is settled", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        deletion(
          { id: ID, success: true, errors: [] },
          failed("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Too many batch retries in the presence of Apex triggers"),
        ),
      )
      if (!(error instanceof SinkError)) return assert.fail("no error of the sink")
      assert.strictEqual(error.reason._tag, "BatchRefused")
      assert.deepStrictEqual(
        error.settled?.map(({ id }) => id),
        ["auth0|1"],
      )
    }).pipe(services),
  )
})

describe("a route that only updates", () => {
  const query = `GET /query?q=${encodeURIComponent("SELECT Id, Auth0_Id__c FROM Contact WHERE Auth0_Id__c IN ('auth0|1','auth0|2')")}`
  const found = when(query, 200, { totalSize: 1, done: true, records: [{ Id: ID, Auth0_Id__c: "auth0|1" }] })
  const rows = [row(1), row(2)].map((each) => ({ ...each, fields: { Auth0_Id__c: each.key, Description: "blocked" } }))

  for (const [missing, outcome] of [
    ["reject", { _tag: "Rejected", code: "not_found" }],
    ["ignore", { _tag: "Delivered", effect: "unchanged" }],
  ] as const) {
    it.effect(`makes no record: a row without one is, by \`missing: ${missing}\`, ${outcome._tag}`, () =>
      Effect.gen(function* () {
        salesforce(...opening("Contact"), found, when(UPDATE, 200, [{ id: ID, success: true, errors: [] }]))
        const outcomes = yield* write(rows, { options: { mode: "update", missing } })
        assert.deepInclude(
          outcomes.find(({ id }) => id === "auth0|2"),
          outcome,
        )
        assert.deepInclude(
          outcomes.find(({ id }) => id === "auth0|1"),
          { effect: "updated" },
        )
      }).pipe(services),
    )
  }
})

it.effect(
  "salesforce trap 14: two rows whose keys differ by capitals alone are not sent together where they are one",
  () =>
    Effect.gen(function* () {
      const byEmail = (key: string) => ({ ...row(1), id: key, key, fields: { Email: key, LastName: "A" } })
      salesforce(...opening("Contact"), when("PATCH /composite/sobjects/Contact/Email", 200, [created(ID)]))
      const outcomes = yield* write([byEmail("ada@example.com"), byEmail("Ada@example.com")], { key: "Email" })
      assert.deepInclude(
        outcomes.find(({ id }) => id === "Ada@example.com"),
        { _tag: "Rejected", code: "key_conflict" },
      )
      assert.deepInclude(
        outcomes.find(({ id }) => id === "ada@example.com"),
        { _tag: "Delivered" },
      )
    }).pipe(services),
)

it.effect("salesforce trap 20: a query whose rest is not named is not whole: nobody is missing for that", () =>
  Effect.gen(function* () {
    const query = `GET /query?q=${encodeURIComponent("SELECT Id, Auth0_Id__c FROM Contact WHERE Auth0_Id__c IN ('auth0|1')")}`
    salesforce(...opening("Contact"), when(query, 200, { totalSize: 1, done: false, records: [] }))
    const error = yield* Effect.flip(write([row(1)], { options: { mode: "update" } }))
    assert.strictEqual(error instanceof SinkError && error.reason._tag, "Protocol")
  }).pipe(services),
)

it.effect("salesforce trap 18: keys that differ by capitals are two records, whatever a query finds", () =>
  Effect.gen(function* () {
    const query = `GET /query?q=${encodeURIComponent("SELECT Id, Auth0_Id__c FROM Contact WHERE Auth0_Id__c IN ('auth0|ab')")}`
    const records = [
      { Id: OTHER, Auth0_Id__c: "auth0|Ab" },
      { Id: ID, Auth0_Id__c: "auth0|ab" },
    ]
    const sent = salesforce(
      ...opening("Contact"),
      when(query, 200, { totalSize: 2, done: true, records }),
      when(`DELETE /composite/sobjects?ids=${ID}&allOrNone=false`, 200, [{ id: ID, success: true, errors: [] }]),
    )
    const writer = yield* open({ on_delete: "delete" })
    const gone = row(1, {}, { key: "auth0|ab", change: "delete", fields: {} })
    const [outcome] = yield* writer.write({ id: "b", attempt: 1, rows: [gone] })
    assert.deepInclude(outcome, { effect: "deleted" })
    assert.strictEqual(sent.length, 5)
  }).pipe(services),
)
