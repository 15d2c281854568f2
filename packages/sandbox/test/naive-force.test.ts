/** Each fault of the Salesforce org is worth having: a usual client loses, doubles or misreports a record, and not without. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { FaultKind, FaultRule, Sandbox } from "../src/index.ts"
import { credentials } from "../src/options.ts"
import { sandboxOf } from "./ask.ts"
import { force } from "./force.ts"
import {
  believesTheJob,
  countsBatches,
  createsAgain,
  createsWhoIsMissing,
  guardsItsQuota,
  naiveForce,
  patchesByAddress,
  readsInOrder,
  readsOutcomes,
  refreshesAlone,
  refreshesByText,
  submitsAgain,
} from "./naive-force.ts"

const people = Array.from({ length: 20 }, (_, at) => ({ key: `k${at}`, email: `k${at}@example.com` }))
const everybody = { synced: 20, rejected: 0 }

const strike = (sandbox: Sandbox, fault: FaultKind, rest: Partial<FaultRule> = {}) =>
  sandbox.control.faults.add({ vendor: "salesforce", fault, access: "write", times: 1, ...rest })

const title = (fault: FaultKind) => Object.values(fault).join(" ")

const contacts = (sandbox: Sandbox) => sandbox.control.salesforce.records("Contact")

describe("a naive client of single calls", () => {
  it.effect("is complete without faults", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const http = naiveForce(sandbox)
      assert.deepStrictEqual(countsBatches(http, people), everybody)
      assert.deepStrictEqual(readsOutcomes(http, people), everybody)
      assert.deepStrictEqual(patchesByAddress(http, people), everybody)
      createsWhoIsMissing(http, people)
      assert.strictEqual(contacts(sandbox).length, 20)
      createsAgain(http, { key: "new", email: "new@example.com" })
      assert.strictEqual(contacts(sandbox).length, 21)
    }),
  )

  const rowFaults: ReadonlyArray<FaultKind> = [
    { kind: "rows", code: "UNABLE_TO_LOCK_ROW", every: 2 },
    { kind: "rows", code: "STORAGE_LIMIT_EXCEEDED" },
  ]
  for (const fault of rowFaults) {
    it.effect(`salesforce trap 1: counts rows as written that met: ${title(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, fault)
        assert.deepStrictEqual(countsBatches(naiveForce(sandbox), people), everybody)
        assert.isBelow(contacts(sandbox).length, 20)
      }),
    )
  }

  const refusals: ReadonlyArray<FaultKind> = [
    { kind: "throttle", limit: "concurrent" },
    { kind: "throttle", limit: "daily" },
    { kind: "refused", status: 503, code: "SERVER_UNAVAILABLE" },
    { kind: "error", status: 503, when: "before" },
    { kind: "error", status: 500, when: "before" },
    { kind: "cut", when: "before" },
  ]
  for (const fault of refusals) {
    it.effect(`salesforce trap 28: loses a batch that met: ${title(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, fault, { skip: 1 })
        assert.strictEqual(countsBatches(naiveForce(sandbox), people).synced, 15)
        assert.strictEqual(contacts(sandbox).length, 15)
      }),
    )
  }

  const lostAnswers: ReadonlyArray<FaultKind> = [
    { kind: "error", status: 500, when: "after" },
    { kind: "cut", when: "after" },
    { kind: "cut", when: "after", bytes: 5 },
    { kind: "slow", millis: 60_000 },
    { kind: "stall", millis: 60_000 },
    { kind: "malformed" },
    { kind: "truncated" },
  ]
  for (const fault of lostAnswers) {
    it.effect(`salesforce trap 13: creates a record twice when its answer is lost by: ${title(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, fault)
        createsAgain(naiveForce(sandbox), { key: "a", email: "a@example.com" })
        assert.strictEqual(contacts(sandbox).length, 2)
      }),
    )
  }

  it.effect("salesforce trap 29: loses rows for good that were locked for a moment", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { create, edit, set } = sandbox.control.salesforce
      const AccountId = create("Account", { Name: "Acme" })
      countsBatches(naiveForce(sandbox), people)
      for (const { Id } of contacts(sandbox)) edit(Id, { AccountId })
      set({ locks: { probability: 1, millis: 1_000 } })
      assert.deepStrictEqual(readsOutcomes(naiveForce(sandbox), people), { synced: 5, rejected: 15 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(readsOutcomes(naiveForce(sandbox), people.slice(5, 10)), { synced: 5, rejected: 0 })
    }),
  )

  it.effect("salesforce trap 30: rejects a whole call for one row that fails a trigger late", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const trigger = { object: "Contact", field: "LastName", message: "no" } as const
      const fails = (contains: string, attempt: 1 | 2 | 3) => ({ ...trigger, contains, attempt })
      sandbox.control.salesforce.set({ triggers: [fails("k0", 1), fails("k2", 2), fails("k3", 3)] })
      assert.deepStrictEqual(readsOutcomes(naiveForce(sandbox), people), { synced: 15, rejected: 5 })
      assert.isEmpty(contacts(sandbox).filter(({ Auth0_Id__c }) => Auth0_Id__c === "k1" || Auth0_Id__c === "k4"))
    }),
  )

  it.effect("salesforce trap 31: loses all that comes after its session", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const http = naiveForce(sandbox)
      let calls = 0
      const said = readsOutcomes(
        {
          call: (...request) => {
            if (++calls === 3) sandbox.control.expireTokens()
            return http.call(...request)
          },
        },
        people,
      )
      assert.deepStrictEqual(said, { synced: 10, rejected: 10 })
    }),
  )

  it.effect("salesforce trap 31: locks itself out when its refresh token is good for one use", () =>
    Effect.gen(function* () {
      const rotating = yield* sandboxOf({ salesforce: { rotateRefreshTokens: true } })
      assert.strictEqual(refreshesAlone(rotating, credentials.refreshToken, people), 1)
      assert.strictEqual(refreshesAlone(yield* sandboxOf(), credentials.refreshToken, people), 20)
    }),
  )

  it.effect("salesforce trap 32: signs in for ever over a row whose trigger had a session of its own", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const message = 'trigger: callout failed: {"errorCode":"INVALID_SESSION_ID"}'
      const fault = { kind: "rows", code: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, every: 20 } as const
      sandbox.control.faults.add({ vendor: "salesforce", fault, access: "write" })
      assert.strictEqual(refreshesByText(sandbox, people), 100)
      sandbox.control.faults.clear()
      assert.strictEqual(refreshesByText(sandbox, people), 0)
    }),
  )

  it.effect("salesforce trap 28: is refused for a while where 25 slow calls are under way", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const http = naiveForce(sandbox)
      strike(sandbox, { kind: "stall", millis: 30_000 }, { times: 25 })
      const slow = { key: "slow", email: "slow@example.com" }
      for (let call = 0; call < 25; call++) countsBatches(http, [slow])
      assert.strictEqual(countsBatches(http, people).synced, 0)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(countsBatches(http, people), everybody)
    }),
  )

  it.effect("salesforce trap 20: creates everybody again when its question was too long or was refused", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 500 }, (_, at) => ({
        key: `k${at}`,
        email: `somebody.number${at}@example.com`,
      }))
      const sandbox = yield* sandboxOf()
      countsBatches(naiveForce(sandbox), many, 200)
      createsWhoIsMissing(naiveForce(sandbox), many)
      assert.strictEqual(contacts(sandbox).length, 1_000)
      const other = yield* sandboxOf()
      countsBatches(naiveForce(other), people)
      strike(other, { kind: "throttle" }, { access: "read", path: "/query" })
      createsWhoIsMissing(naiveForce(other), people)
      assert.strictEqual(contacts(other).length, 40)
    }),
  )

  it.effect("salesforce trap 16, 17: doubles who is at .inc, and takes 300 for written", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { create } = sandbox.control.salesforce
      create("Contact", { LastName: "old", Email: "a@example.inc" })
      for (const LastName of ["one", "other"]) create("Contact", { LastName, Email: "two@example.com" })
      const asked = [
        { key: "a", email: "a@example.inc" },
        { key: "new", email: "two@example.com" },
      ]
      assert.deepStrictEqual(patchesByAddress(naiveForce(sandbox), asked), { synced: 2, rejected: 0 })
      assert.sameMembers(
        contacts(sandbox).map(({ LastName }) => LastName),
        ["old", "a", "one", "other"],
      )
    }),
  )

  it.effect("salesforce trap 34: a duplicate rule keeps out who is there under no key", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { create, set } = sandbox.control.salesforce
      create("Contact", { LastName: "old", Email: "k0@example.com" })
      set({ duplicateRules: [{ object: "Contact", fields: ["Email"], action: "alert" }] })
      assert.strictEqual(countsBatches(naiveForce(sandbox), people).synced, 20)
      assert.isEmpty(contacts(sandbox).filter(({ Auth0_Id__c }) => Auth0_Id__c === "k0"))
    }),
  )

  it.effect("salesforce trap 27: runs into the day's end, for the header has a second directive", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ salesforce: { dailyRequests: 10 } })
      const http = force(sandbox)
      let calls = 0
      let header: string | undefined
      for (; calls < 20 && guardsItsQuota(header) === "go on"; calls++)
        header = http.call("GET", "/limits").headers["sforce-limit-info"]
      assert.strictEqual(calls, 20)
      assert.strictEqual(guardsItsQuota("api-usage=9/10"), "stop")
    }),
  )
})

describe("a naive client of jobs", () => {
  it.effect("is right without faults", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const bad = [...people, { key: "bad", email: "badone" }]
      assert.deepStrictEqual(yield* believesTheJob(naiveForce(sandbox), bad), { synced: 20, rejected: 1 })
      assert.strictEqual(contacts(sandbox).length, 20)
    }),
  )

  for (const fate of ["stuck", "failed", "half", "locks", "aborted", "unrecorded"] as const) {
    it.effect(`salesforce trap 3, 4, 5: says more than is so when its job is ${fate}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, { kind: "bulk", fate })
        assert.deepStrictEqual(yield* believesTheJob(naiveForce(sandbox), people), everybody)
        assert.isBelow(contacts(sandbox).length, 20)
        assert.strictEqual(sandbox.control.faults.fired()[0]?.hits, 1)
      }),
    )
  }

  for (const fate of ["half", "retried", "lost"] as const) {
    it.effect(`salesforce trap 11, 12: writes rows twice when its job is ${fate}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, { kind: "bulk", fate })
        yield* submitsAgain(naiveForce(sandbox), people)
        yield* TestClock.adjust("1 minute")
        assert.isAbove(contacts(sandbox).length, 20)
      }),
    )
  }

  it.effect("salesforce trap 10: takes another's id for its own where it reads results in order", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const ids = yield* readsInOrder(naiveForce(sandbox), people)
      const right = contacts(sandbox).filter(({ Id, Auth0_Id__c }) => ids.get(String(Auth0_Id__c)) === Id)
      assert.isBelow(right.length, 10)
    }),
  )
})
