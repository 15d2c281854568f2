/** Cases: opened once for each key, linked to the account, and changed afterwards. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import {
  account,
  error,
  found,
  known,
  onMovingClock,
  persona,
  row,
  type Setup,
  services,
  silence,
  when,
  write,
} from "./vendor.ts"

const setup: Setup = { object: "cases", options: { template: "ctmpl_1", sla_seconds: 3600 } }
const fields = { case_key: "blocked:1", account_reference_id: "auth0|1", "fields.reason": "blocked" }
const blocked = (over: JsonObject = {}, remoteId?: string) =>
  row({}, { key: "blocked:1", fields: { ...fields, ...over }, ...(remoteId === undefined ? {} : { remoteId }) })
const opened = when("POST /cases", 201, { data: { id: "case_1" } })

describe("cases", () => {
  it.effect("are opened from the template, with fields, a deadline and the account they are about", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(account("act_1")), opened)
      const outcomes = yield* write([blocked()], setup)
      assert.deepStrictEqual(outcomes, [{ _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: "case_1" }])
      assert.deepStrictEqual(sent[2]?.body, {
        data: { attributes: { "case-template-id": "ctmpl_1", fields: { reason: "blocked" } } },
        meta: { "object-ids": ["act_1"], "sla-expires-in-seconds": 3600 },
      })
    }).pipe(services),
  )

  it.effect("that the ledger knows are changed, and never opened twice, not even where they are gone", () =>
    Effect.gen(function* () {
      const sent = persona(known, when("PATCH /cases/case_1", 200, { data: { id: "case_1" } }))
      const [updated] = yield* write([blocked({ "fields.reason": "again" }, "case_1")], setup)
      assert.deepInclude(updated, { effect: "updated", remoteId: "case_1" })
      assert.deepStrictEqual(sent[1]?.body, { data: { attributes: { fields: { reason: "again" } } } })
      persona(known, when("PATCH /cases/case_1", 404, error("Record not found")))
      const [gone] = yield* write([blocked({}, "case_1")], setup)
      assert.deepInclude(gone, { _tag: "Rejected", code: "case_gone" })
    }).pipe(services),
  )

  it.effect("wait for their account, and are about nobody whose data was redacted", () =>
    Effect.gen(function* () {
      persona(known, found())
      assert.deepInclude((yield* write([blocked()], setup))[0], { _tag: "Deferred" })
      persona(known, found(account("act_1", { "redacted-at": "2026-01-01T00:00:00Z" })))
      assert.deepInclude((yield* write([blocked()], setup))[0], { _tag: "Rejected", code: "redacted" })
    }).pipe(services),
  )

  it.effect("D08: after silence the same key asks again; silence without an end is in doubt", () =>
    Effect.gen(function* () {
      const lost = silence("POST /cases")
      const sent = persona(known, found(account("act_1")), lost, lost, opened)
      assert.deepInclude((yield* onMovingClock(write([blocked()], setup)))[0], { effect: "created" })
      assert.match(sent[2]?.headers["idempotency-key"] ?? "", /^batch-1-1-0-case-0$/)
      persona(known, found(account("act_1")), lost, lost, lost, lost, lost)
      const failed = yield* Effect.flip(onMovingClock(write([blocked()], setup)))
      assert.deepInclude(failed.reason, { _tag: "Unavailable", inDoubt: true })
    }).pipe(services),
  )

  it.effect("a template that does not exist stops the route", () =>
    Effect.gen(function* () {
      persona(known, found(account("act_1")), when("POST /cases", 404, error("Record not found")))
      const { reason } = yield* Effect.flip(write([blocked()], setup))
      assert.deepInclude(reason, { _tag: "Misconfigured", path: ["with", "template"] })
    }).pipe(services),
  )

  it.effect("D08: a failure of the service is met with the same key, for another one could open a second case", () =>
    Effect.gen(function* () {
      const failed = when("POST /cases", 500, error("Internal Server Error"))
      const sent = persona(known, found(account("act_1")), failed, failed, opened)
      assert.deepInclude((yield* onMovingClock(write([blocked()], setup)))[0], { effect: "created" })
      assert.lengthOf([...new Set(sent.slice(2).map(({ headers }) => headers["idempotency-key"]))], 1)
    }).pipe(services),
  )

  it.effect("are in doubt where their own answer was lost; those that were not begun are not", () =>
    Effect.gen(function* () {
      const lost = silence("POST /cases")
      const rows = Array.from({ length: 20 }, (_, n) =>
        row({}, { id: `u${n}`, key: `k${n}`, fields: { case_key: `k${n}` } }),
      )
      persona(known, ...Array.from({ length: 28 }, () => lost))
      const { settled = [] } = yield* Effect.flip(onMovingClock(write(rows, setup)))
      assert.strictEqual(settled.length, 20)
      const doubtful = settled.filter(({ _tag }) => _tag === "InDoubt").length
      assert.isAtLeast(doubtful, 1)
      assert.strictEqual(settled.filter(({ _tag }) => _tag === "Deferred").length, 20 - doubtful)
      assert.isAtMost(doubtful, 8)
    }).pipe(services),
  )

  it.effect("are not in doubt where the account could not be looked up: no case was asked for", () =>
    Effect.gen(function* () {
      const down = when("GET /accounts", 503, error("Service Unavailable"))
      persona(known, down, down, down, down, down)
      const { settled = [] } = yield* Effect.flip(onMovingClock(write([blocked()], setup)))
      assert.deepStrictEqual(
        settled.map(({ _tag }) => _tag),
        ["Deferred"],
      )
    }).pipe(services),
  )

  it.effect("that conflict with themselves keep their key, and are in doubt where that does not end", () =>
    Effect.gen(function* () {
      const stale = when("POST /cases", 409, error("Stale object error", "Please try again"))
      const sent = persona(known, found(account("act_1")), stale, stale, stale, stale, stale)
      assert.deepInclude((yield* onMovingClock(write([blocked()], setup)))[0], { _tag: "InDoubt" })
      assert.lengthOf([...new Set(sent.slice(2).map(({ headers }) => headers["idempotency-key"]))], 1)
    }).pipe(services),
  )
})
