/** Where imports stand, the fates they meet, and what Brevo says when the account itself is in trouble. brevo.md §3.4, §7. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { FaultKind } from "../src/index.ts"
import { type Body, brevo, importing, processOf, row, sandboxOf, submit } from "./ask.ts"

describe("processes", () => {
  it.effect("are listed newest first, 50 at most, and draw on the hourly limit that imports do not", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "real" })
      for (const name of ["a", "b", "c"]) submit(sandbox, [row(name)])
      const list = (query: { [name: string]: string }) => brevo(sandbox, "GET", "/processes", { query })
      const ids = (query: { [name: string]: string }) => list(query).body.processes.map((each: Body) => each.id)
      assert.deepStrictEqual(ids({ limit: "2" }), [3, 2])
      assert.deepStrictEqual(ids({ sort: "asc", offset: "1" }), [2, 3])
      assert.strictEqual(list({}).body.count, 3)
      assert.strictEqual(list({ limit: "51" }).status, 400)
      const left = (path: string) => brevo(sandbox, "GET", path).headers["x-sib-ratelimit-remaining"]
      assert.deepStrictEqual([left("/processes"), left("/processes/1")], ["95", "94"])
    }),
  )

  it.effect("that nobody started are 404 with the code of a bad parameter", () =>
    Effect.gen(function* () {
      const { status, body } = brevo(yield* sandboxOf(), "GET", "/processes/9")
      assert.strictEqual(status, 404)
      assert.deepStrictEqual(body, { code: "invalid_parameter", message: "processId is invalid" })
    }),
  )

  const fates: ReadonlyArray<{ fate: (FaultKind & { kind: "import" })["fate"]; status?: string; applied: number }> = [
    { fate: "stuck", status: "in_process", applied: 0 },
    { fate: "failed", status: "failed", applied: 0 },
    { fate: "cancelled", status: "cancelled", applied: 0 },
    { fate: "half", status: "failed", applied: 2 },
    { fate: "drops", status: "completed", applied: 3 },
    { fate: "lost", applied: 0 },
    { fate: "forgotten", applied: 4 },
  ]
  for (const { fate, status, applied } of fates) {
    it.effect(`${fate}: ${status ?? "unknown"}, with ${applied} of 4 rows in effect and no report`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        sandbox.control.faults.add({ vendor: "brevo", fault: { kind: "import", fate }, times: 1 })
        assert.strictEqual(brevo(sandbox, "GET", "/contacts").status, 200)
        submit(
          sandbox,
          ["a", "b", "c", "d"].map((name) => row(name)),
        )
        yield* TestClock.adjust("1 day")
        const { body, ...answer } = brevo(sandbox, "GET", "/processes/1")
        assert.strictEqual(answer.status, status === undefined ? 404 : 200)
        assert.strictEqual(body.status, status)
        assert.strictEqual(brevo(sandbox, "GET", "/processes").body.count, status === undefined ? 0 : 1)
        assert.strictEqual(sandbox.control.contacts().length, applied)
        assert.deepStrictEqual(
          Object.values(body.info?.import ?? {}).filter((address) => address !== null),
          [],
        )
        assert.strictEqual((yield* importing(sandbox, [row("e")])).status, "completed")
      }),
    )
  }

  it.effect("take as long as they are told to", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ importMillis: 10 })
      submit(sandbox, [row("a")])
      sandbox.control.importsTake(60_000)
      submit(sandbox, [row("b")])
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual([processOf(sandbox, 1).status, processOf(sandbox, 2).status], ["completed", "queued"])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(processOf(sandbox, 2).status, "completed")
    }),
  )
})

describe("trouble with the account", () => {
  const cases = [
    { status: 401, code: "unauthorized", message: /unrecognised IP address/ },
    { status: 402, code: "not_enough_credits", message: /credits/ },
    { status: 403, code: "permission_denied", message: /validation/ },
    { status: 425, code: "account_in_process", message: /in process/ },
    { status: 500, code: "internal_error", message: /internal/ },
  ]
  for (const { status, code, message } of cases) {
    it.effect(`${status} is said in Brevo's words: ${code}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        sandbox.control.faults.add({
          vendor: "brevo",
          path: "/contacts",
          fault: { kind: "error", status, when: "before" },
        })
        const answer = submit(sandbox, [row("a")])
        assert.strictEqual(answer.status, status)
        assert.strictEqual(answer.body.code, code)
        assert.match(answer.body.message, message)
      }),
    )
  }
})
