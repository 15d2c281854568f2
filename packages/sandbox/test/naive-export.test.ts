/** Each flaw of an export is worth having: the usual client loses or doubles a user under it, and does not without. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { FaultKind, Sandbox } from "../src/index.ts"
import { sandboxOf } from "./ask.ts"
import { exportFields, exportsUsers } from "./naive-export.ts"

type Flaw = (FaultKind & { readonly kind: "export" })["flaw"]

const strike = (sandbox: Sandbox, flaw: Flaw) =>
  sandbox.control.faults.add({ vendor: "auth0", fault: { kind: "export", flaw }, times: 1 })

const distinct = (users: ReadonlyArray<{ readonly user_id: string }>) => new Set(users.map((user) => user.user_id)).size

const losing = [
  "failed",
  "pending_for_ever",
  "odd_status",
  "lost",
  "other_host",
  "truncated_gzip",
  "short",
  "partial_line",
  "bomb",
] satisfies ReadonlyArray<Flaw>

describe("a naive export", () => {
  it.effect("is complete without a flaw", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const users = yield* exportsUsers(sandbox)
      assert.strictEqual(users.length, 50)
      assert.strictEqual(distinct(users), 50)
    }),
  )

  for (const flaw of losing) {
    it.effect(`auth0 trap 18: loses users when its job is ${flaw}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        strike(sandbox, flaw)
        assert.isBelow(distinct(yield* exportsUsers(sandbox)), 50)
        assert.strictEqual(sandbox.control.faults.fired()[0]?.hits, 1)
      }),
    )
  }

  it.effect("doubles users when its job is duplicated_lines", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "duplicated_lines")
      const users = yield* exportsUsers(sandbox)
      assert.strictEqual(distinct(users), 50)
      assert.strictEqual(users.length, 55)
    }),
  )

  it.effect("auth0 trap 18: loses users by the limit of 5 that the description calls its default", () =>
    Effect.gen(function* () {
      const users = yield* exportsUsers(yield* sandboxOf(), {
        body: { format: "json", limit: 5, fields: exportFields },
      })
      assert.strictEqual(users.length, 5)
    }),
  )

  it.effect("auth0 trap 18: loses users when it keeps the address for a minute, or sends its token there", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* exportsUsers(yield* sandboxOf(), { dawdles: "61 seconds" }), [])
      assert.deepStrictEqual(yield* exportsUsers(yield* sandboxOf(), { token: true }), [])
    }),
  )
})
