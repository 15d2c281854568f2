/** What can happen to an import: lost, failed, stuck, silently short, and a crash at any instant. */
import { assert, describe, it } from "@effect/vitest"
import type { Row } from "@sluice/core"
import type { FaultKind, Sandbox } from "@sluice/sandbox"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { account, route, stored, tally, user, users } from "./importing.ts"

type Fate = Extract<FaultKind, { readonly kind: "import" }>["fate"]

const fated = Effect.fnUntraced(function* (fate: Fate, times = 1) {
  const sandbox = yield* account()
  sandbox.control.faults.add({ vendor: "brevo", fault: { kind: "import", fate }, times })
  return { sandbox, ...(yield* route(sandbox, { options: { import_wait_minutes: 10 } })) }
})

const names = (sandbox: Sandbox) => sandbox.control.contacts().map((contact) => contact.attributes.FIRSTNAME)

describe("the end of an import", () => {
  it.effect(
    "brevo trap 14, D06: completed is not landed: rows that were dropped in silence are found and written",
    () =>
      Effect.gen(function* () {
        const { sandbox, job, single } = yield* fated("drops")
        const rows = users(50)
        const outcomes = yield* job(rows)
        assert.deepStrictEqual(tally(outcomes), { created: 45, Deferred: 5 })
        const left = new Set(outcomes.flatMap((each) => (each._tag === "Deferred" ? [each.id] : [])))
        assert.deepStrictEqual(tally(yield* single(rows.filter(({ id }) => left.has(id)))), { created: 5 })
        assert.lengthOf(names(sandbox), 50)
      }),
  )

  for (const fate of ["failed", "cancelled", "lost"] as const) {
    it.effect(`D06: an import that is ${fate} with nothing landed is a lost job, and may be sent again`, () =>
      Effect.gen(function* () {
        const { sandbox, submit, settle } = yield* fated(fate)
        const batch = stored(users(3))
        const refs = yield* submit(batch)
        const error = yield* Effect.flip(settle(refs.at(-1) ?? "", batch))
        assert.strictEqual(error.reason._tag, "JobLost")
        const again = yield* submit(batch)
        assert.deepStrictEqual(tally(yield* settle(again.at(-1) ?? "", batch)), { created: 3 })
        assert.lengthOf(names(sandbox), 3)
      }),
    )
  }

  it.effect("D06: of an import that failed half way the rows that landed count, the others are written", () =>
    Effect.gen(function* () {
      const { job } = yield* fated("half")
      assert.deepStrictEqual(tally(yield* job(users(10))), { created: 5, Deferred: 5 })
    }),
  )

  it.effect("an import that Brevo does not know counts where its rows are there", () =>
    Effect.gen(function* () {
      const { sandbox, job } = yield* fated("forgotten")
      sandbox.control.importsTake(20_000)
      assert.deepStrictEqual(tally(yield* job(users(4))), { created: 4 })
    }),
  )

  it.effect("D06: an import that never ends keeps the job open, for the next run to go on waiting", () =>
    Effect.gen(function* () {
      const { sandbox, submit, settle } = yield* fated("stuck")
      const batch = stored(users(3))
      const ref = (yield* submit(batch)).at(-1) ?? ""
      const error = yield* Effect.flip(settle(ref, batch))
      assert.deepInclude(error.reason, { _tag: "Unavailable", inDoubt: true })
      assert.include(error.message, "after 10 minutes")
      const other = yield* route(sandbox, { options: { import_wait_minutes: 10 } })
      assert.strictEqual((yield* Effect.flip(other.settle(ref, batch))).reason._tag, "Unavailable")
      assert.isAbove(other.calls("GET /processes/1").length, 5)
    }),
  )
})

describe("looks at a process", () => {
  it.effect("stay within the hour's hundred, other tools' fifth left alone, however long the import takes", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ limits: "real", importMillis: 3_500_000 })
      const { job, calls } = yield* route(sandbox, { share: 0.8 })
      assert.deepStrictEqual(tally(yield* job(users(3))), { created: 3 })
      const looks = calls("GET /processes/1").length
      assert.isAtLeast(looks, 60)
      assert.isAtMost(looks, 81)
    }),
  )

  it.effect("come no sooner than imports usually take", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importMillis: 20_000 })
      const { job, calls } = yield* route(sandbox)
      yield* job(users(3), "first")
      yield* job([user(4), user(5)], "second")
      assert.isAtLeast(calls("GET /processes/1").length, 4)
      assert.isAtMost(calls("GET /processes/2").length, 2)
    }),
  )

  it.effect("serve several imports at once", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importMillis: 5_000 })
      const fields = ["ext_id", "email", "listIds"]
      const { job, calls } = yield* route(sandbox, { fields, options: { lists: [20, 21] } })
      const rows = users(6).map(
        (row, n): Row => ({ ...row, fields: { ext_id: row.key, email: `u${n}@example.com`, listIds: [20 + (n % 2)] } }),
      )
      assert.deepStrictEqual(tally(yield* job(rows)), { created: 6 })
      assert.lengthOf(calls("POST /contacts/import"), 2)
      assert.isAtMost(calls("GET /processes").length, 4)
      assert.lengthOf(calls("GET /processes/1"), 0)
    }),
  )
})

describe("a lost answer", () => {
  it.effect("brevo trap 17, A04: is sent again, and the job ends when the lost import has too", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importMillis: 60_000 })
      const path = "/contacts/import"
      sandbox.control.faults.add({ vendor: "brevo", path, fault: { kind: "cut", when: "after" }, times: 1 })
      const { submit, settle, calls } = yield* route(sandbox)
      const batch = stored(users(3))
      // The second one is quick: only the lost one is worth waiting for.
      const refs = yield* submit(batch, (saved) => saved === 2 && sandbox.control.importsTake(1))
      assert.lengthOf(calls("POST /contacts/import"), 2)
      assert.deepStrictEqual(tally(yield* settle(refs.at(-1) ?? "", batch)), { created: 3 })
      assert.isAtLeast(yield* Clock.currentTimeMillis, 60_000)
      assert.lengthOf(names(sandbox), 3)
    }),
  )

  it.effect("brevo trap 17: that is followed by a refusal keeps its rows from single writes until it has ended", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importMillis: 60_000 })
      const path = "/contacts/import"
      const { faults } = sandbox.control
      faults.add({ vendor: "brevo", path, fault: { kind: "cut", when: "after" }, times: 1 })
      faults.add({ vendor: "brevo", path, fault: { kind: "error", status: 400, when: "before" } })
      const { submit, settle } = yield* route(sandbox)
      const batch = stored(users(3))
      const refs = yield* submit(batch)
      assert.deepStrictEqual(tally(yield* settle(refs.at(-1) ?? "", batch)), { created: 3 })
      assert.isAtLeast(yield* Clock.currentTimeMillis, 60_000)
    }),
  )

  it.effect("brevo trap 17, D06: stopped between the import and its number, the next process waits for it", () =>
    Effect.gen(function* () {
      const sandbox = yield* account({ importMillis: 300_000 })
      const first = yield* route(sandbox)
      const batch = stored(users(3))
      const [before = ""] = yield* first.submit(batch)
      const next = yield* route(sandbox)
      assert.deepStrictEqual(tally(yield* next.settle(before, batch)), { created: 3 })
      assert.lengthOf(next.calls("POST /contacts/import"), 0)
      assert.isAbove(next.calls("GET /processes").length, 3)
    }),
  )

  it.effect("stopped before the import, the job is lost and may be sent", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const writer = yield* route(sandbox)
      const batch = stored(users(3))
      const ref = JSON.stringify({ modifiedSince: 0, newest: 0, processes: [], unseen: true })
      assert.strictEqual((yield* Effect.flip(writer.settle(ref, batch))).reason._tag, "JobLost")
    }),
  )

  it.effect("stopped between two imports, the first is settled and the rows of the second are written", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const fields = ["ext_id", "email", "listIds"]
      const setup = { fields, options: { lists: [20, 21] } }
      const rows = users(6).map(
        (row, n): Row => ({ ...row, fields: { ext_id: row.key, email: `u${n}@example.com`, listIds: [20 + (n % 2)] } }),
      )
      const path = "/contacts/import"
      sandbox.control.faults.add({
        vendor: "brevo",
        path,
        skip: 1,
        fault: { kind: "error", status: 400, when: "before" },
      })
      const first = yield* route(sandbox, setup)
      const batch = stored(rows)
      const refs = yield* first.submit(batch)
      const next = yield* route(sandbox, setup)
      assert.deepStrictEqual(tally(yield* next.settle(refs.at(-1) ?? "", batch)), { created: 3, Deferred: 3 })
    }),
  )

  it.effect("an import that Brevo refuses is given back, its rows to be written by themselves", () =>
    Effect.gen(function* () {
      const sandbox = yield* account()
      const fault: FaultKind = { kind: "error", status: 400, when: "before" }
      sandbox.control.faults.add({ vendor: "brevo", path: "/contacts/import", fault })
      const { submit } = yield* route(sandbox)
      assert.strictEqual((yield* Effect.flip(submit(stored(users(3))))).reason._tag, "BatchRefused")
    }),
  )

  it.effect("a list that is not there stops the route", () =>
    Effect.gen(function* () {
      const { submit } = yield* route(yield* account(), { options: { lists: [9999] } })
      const { reason } = yield* Effect.flip(submit(stored(users(3))))
      assert.deepInclude(reason, { _tag: "Misconfigured", path: ["with", "lists"] })
    }),
  )

  it.effect("a ref that is not ours is a lost job", () =>
    Effect.gen(function* () {
      const { settle } = yield* route(yield* account())
      assert.strictEqual((yield* Effect.flip(settle("42", stored(users(1))))).reason._tag, "JobLost")
    }),
  )
})
