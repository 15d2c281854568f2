/** Each fault of an import is worth having: a usual client loses or misreports a record under it, and does not without. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { FaultKind, Sandbox } from "../src/index.ts"
import { brevo, row, sandboxOf } from "./ask.ts"
import { naiveHttp } from "./naive.ts"
import { believesTheReports, countsWhatWasSent, retriesOnlyTheUsual, sendsAgain } from "./naive-import.ts"

type Fate = (FaultKind & { readonly kind: "import" })["fate"]

const rows = ["a", "b", "c", "d"].map((name) => row(name, { FIRSTNAME: name }))

const unreadable = Array.from({ length: 8 }, (_, number) => ({ email: `no address ${number}` }))

const strike = (sandbox: Sandbox, fault: FaultKind, path = "/contacts/import") =>
  sandbox.control.faults.add({ vendor: "brevo", fault, path, times: 1 })

describe("a naive import", () => {
  it.effect("is right without faults", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const said = yield* believesTheReports(sandbox, naiveHttp(sandbox), [...rows, ...unreadable])
      assert.deepStrictEqual(said, { synced: 4, rejected: 8 })
      assert.strictEqual(sandbox.control.contacts().length, 4)
      yield* sendsAgain(naiveHttp(sandbox), rows, assert.fail)
      assert.strictEqual(sandbox.control.mails(), 2)
    }),
  )

  for (const fate of ["stuck", "failed", "cancelled", "half", "drops", "lost"] satisfies ReadonlyArray<Fate>) {
    it.effect(`brevo trap 14: says more than is so when its process is ${fate}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, { kind: "import", fate })
        const said = yield* believesTheReports(sandbox, naiveHttp(sandbox), rows)
        assert.deepStrictEqual(said, { synced: 4, rejected: 0 })
        assert.isBelow(sandbox.control.contacts().length, 4)
        assert.strictEqual(sandbox.control.faults.fired()[0]?.hits, 1)
      }),
    )
  }

  it.effect("brevo trap 14: says more than is so when it takes 202 for written", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const said = countsWhatWasSent(naiveHttp(sandbox), [...rows, ...unreadable])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said, { synced: 12, rejected: 0 })
      assert.strictEqual(sandbox.control.contacts().length, 4)
    }),
  )

  const brokenReports: ReadonlyArray<FaultKind> = [
    { kind: "truncated" },
    { kind: "error", status: 404, when: "before" },
    { kind: "malformed" },
  ]
  for (const fault of brokenReports) {
    it.effect(`says more than is so when a report is broken by: ${Object.values(fault).join(" ")}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, fault, "/reports")
        const said = yield* believesTheReports(sandbox, naiveHttp(sandbox), [...rows, ...unreadable])
        assert.isAbove(said.synced, 4)
        assert.strictEqual(sandbox.control.contacts().length, 4)
        assert.strictEqual(sandbox.control.faults.fired()[0]?.hits, 1)
      }),
    )
  }

  const unsettled: ReadonlyArray<FaultKind> = [
    { kind: "cut", when: "after" },
    { kind: "stall", millis: 60_000 },
    { kind: "import", fate: "half" },
    { kind: "import", fate: "forgotten" },
  ]
  for (const fault of unsettled) {
    it.effect(
      `brevo trap 17: overwrites a newer value when it sends again after: ${Object.values(fault).join(" ")}`,
      () =>
        Effect.gen(function* () {
          const sandbox = yield* sandboxOf()
          strike(sandbox, fault)
          const newer = () =>
            brevo(sandbox, "POST", "/contacts", {
              body: { email: "a@example.com", ext_id: "a", attributes: { FIRSTNAME: "newer" }, updateEnabled: true },
            })
          yield* sendsAgain(naiveHttp(sandbox), rows, newer)
          assert.strictEqual(sandbox.control.contact("a")?.attributes.FIRSTNAME, "a")
          assert.isAtLeast(sandbox.control.mails(), 2)
        }),
    )
  }

  for (const status of [401, 402, 403, 425]) {
    it.effect(`loses a contact when a single write meets ${status} once`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, { kind: "error", status, when: "before" }, "/contacts")
        const contacts = rows.map(({ email }) => ({ email }))
        assert.strictEqual(retriesOnlyTheUsual(naiveHttp(sandbox), contacts), 3)
        assert.strictEqual(sandbox.control.contacts().length, 3)
      }),
    )
  }
})
