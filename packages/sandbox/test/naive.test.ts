/** Each fault is worth having: a usual client loses or doubles a record under it, and does not without it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { FaultKind, Sandbox } from "../src/index.ts"
import { sandboxOf } from "./ask.ts"
import {
  advancesToTheNewest,
  ignoresAnswers,
  naiveHttp,
  postsAgain,
  skipsBadPages,
  stepsOverTies,
  stopsAtTheFirstOddAnswer,
} from "./naive.ts"

const distinct = (users: ReadonlyArray<{ readonly user_id: string }>) => new Set(users.map((user) => user.user_id)).size

const strike = (sandbox: Sandbox, vendor: "auth0" | "brevo", fault: FaultKind, skip = 1, times = 1) =>
  sandbox.control.faults.add({ vendor, fault, skip, times, path: vendor === "auth0" ? "/api/v2/users" : "/contacts" })

const readFaults: ReadonlyArray<FaultKind> = [
  { kind: "throttle" },
  { kind: "error", status: 500, when: "before" },
  { kind: "error", status: 503, when: "before" },
  { kind: "cut", when: "before" },
  { kind: "cut", when: "after", bytes: 500 },
  { kind: "slow", millis: 60_000 },
  { kind: "stall", millis: 60_000 },
  { kind: "malformed" },
  { kind: "truncated" },
]

const writeFaults: ReadonlyArray<FaultKind> = [
  { kind: "throttle" },
  { kind: "error", status: 500, when: "before" },
  { kind: "cut", when: "before" },
]

const lostAnswers: ReadonlyArray<FaultKind> = [
  { kind: "error", status: 500, when: "after" },
  { kind: "cut", when: "after" },
  { kind: "slow", millis: 60_000 },
  { kind: "malformed" },
]

const name = (fault: FaultKind) => Object.values(fault).join(" ")

describe("a naive client", () => {
  it.effect("is complete without faults", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 200 })
      const http = naiveHttp(sandbox)
      const users = skipsBadPages(http)
      assert.strictEqual(distinct(users), 200)
      assert.strictEqual(distinct(stopsAtTheFirstOddAnswer(http)), 200)
      assert.strictEqual(ignoresAnswers(http, users), 200)
      postsAgain(http, sandbox.control.userId(0))
      assert.strictEqual(sandbox.control.contacts().length, 200)
    }),
  )

  for (const fault of readFaults) {
    it.effect(`loses users when a read meets: ${name(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ users: 200 })
        strike(sandbox, "auth0", fault)
        assert.isBelow(distinct(skipsBadPages(naiveHttp(sandbox))), 200)
        assert.strictEqual(sandbox.control.faults.fired()[0]?.hits, 1)
      }),
    )
  }

  for (const fault of writeFaults) {
    it.effect(`loses contacts when a write meets: ${name(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ users: 20 })
        strike(sandbox, "brevo", fault, 3, 5)
        ignoresAnswers(naiveHttp(sandbox), skipsBadPages(naiveHttp(sandbox)))
        assert.strictEqual(sandbox.control.contacts().length, 15)
      }),
    )
  }

  for (const fault of lostAnswers) {
    it.effect(`doubles a user whose e-mail changes when an answer is lost by: ${name(fault)}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ users: 3 })
        const user_id = sandbox.control.userId(1)
        const http = naiveHttp(sandbox)
        strike(sandbox, "brevo", fault, 0)
        postsAgain(
          {
            call: (method, path, body) => {
              if (sandbox.control.contacts().length === 1)
                sandbox.control.upsertUser({ user_id, email: "new@example.com" })
              return http.call(method, path, body)
            },
          },
          user_id,
        )
        // A malformed 2xx counts as a failure too: it cannot be read.
        assert.strictEqual(sandbox.control.contacts().length, 2)
      }),
    )
  }

  it.effect("stops early when its token expires", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 200 })
      const http = naiveHttp(sandbox)
      let calls = 0
      const users = stopsAtTheFirstOddAnswer({
        call: (...request) => {
          if (++calls === 3) sandbox.control.expireTokens()
          return http.call(...request)
        },
      })
      assert.strictEqual(distinct(users), 100)
    }),
  )

  it.effect("stops early at the 1,000-user wall and at a page cut to 50", () =>
    Effect.gen(function* () {
      assert.strictEqual(distinct(stopsAtTheFirstOddAnswer(naiveHttp(yield* sandboxOf({ users: 1_200 })))), 1_000)
      const clamped = yield* sandboxOf({ users: 200, maxPerPage: 50 })
      assert.strictEqual(distinct(stopsAtTheFirstOddAnswer(naiveHttp(clamped), 100)), 50)
    }),
  )

  it.effect("never reads a change that search finds late", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 10, indexLagMillis: 1_000_000 })
      const http = naiveHttp(sandbox)
      const [late, prompt] = [sandbox.control.userId(1), sandbox.control.userId(2)]
      const since = "2026-10-31T23:59:59.000Z"
      sandbox.control.upsertUser({ user_id: late, nickname: "late", updated_at: "2026-11-01T00:00:01.000Z" })
      sandbox.control.indexLag(0)
      sandbox.control.upsertUser({ user_id: prompt, nickname: "prompt", updated_at: "2026-11-01T00:00:02.000Z" })
      const first = advancesToTheNewest(http, since)
      assert.deepStrictEqual(
        first.users.map((user) => user.user_id),
        [prompt],
      )
      yield* TestClock.adjust(1_000_000)
      assert.include(JSON.stringify(advancesToTheNewest(http, since).users), late)
      assert.deepStrictEqual(advancesToTheNewest(http, first.since).users, [])
    }),
  )

  it.effect("skips users when others change under its pages", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 300 })
      const before = [...sandbox.control.users()].length
      sandbox.control.changes({ every: 1, count: 20, kinds: ["login"] })
      assert.isBelow(distinct(skipsBadPages(naiveHttp(sandbox))), before)
    }),
  )

  it.effect("steps over users that share a millisecond", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 1_000 })
      assert.isBelow(distinct(stepsOverTies(naiveHttp(sandbox))), 1_000)
    }),
  )
})
