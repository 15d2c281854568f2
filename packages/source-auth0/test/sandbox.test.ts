/** The source against the sandbox: the wall, ties, faults, a lagging index and users that change, all at once. */
import { assert, describe, it } from "@effect/vitest"
import { CurrentLimiters, CurrentMeter, makeLimiters, makeMeter, type ScanRequest } from "@sluice/core"
import { credentials, httpClient, makeSandbox, type Sandbox, type SandboxOptions, tenantDomain } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Plan } from "../src/config.ts"
import { source } from "../src/index.ts"
import type { UserOptions } from "../src/options.ts"
import { endpoint, noState, request } from "./tenant.ts"

const sandboxed = (options: Partial<SandboxOptions>) => makeSandbox({ users: 300, seed: 7, limits: "off", ...options })

const open = (sandbox: Sandbox, plan: Plan = "private_cloud_10000") =>
  source
    .open(
      {
        domain: tenantDomain("sandbox"),
        client_id: credentials.clientId,
        client_secret: Redacted.make(credentials.clientSecret),
        plan,
      },
      { ...endpoint, baseUrl: "https://sandbox.example.com/auth0" },
    )
    .pipe(
      Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
      Effect.provideService(CurrentLimiters, makeLimiters()),
      Effect.provide(noState),
    )

const readAll = (sandbox: Sandbox, over: Partial<ScanRequest<UserOptions>> = {}, plan?: Plan) =>
  Effect.gen(function* () {
    const reader = yield* open(sandbox, plan)
    const fiber = yield* Effect.forkChild(Stream.runCollect(reader.read(request(over))))
    for (let hour = 0; hour < 12; hour++) yield* TestClock.adjust("1 hour")
    const pages = yield* Fiber.join(fiber)
    assert.deepStrictEqual(sandbox.unmodelled, [])
    return {
      keys: pages.flatMap(({ records }) => records.map(({ key }) => key)),
      last: pages.at(-1)?.position,
      completeness: yield* reader.completeness ?? Effect.undefined,
    }
  }).pipe(Effect.scoped)

const ids = (sandbox: Sandbox) => [...sandbox.control.users().map(({ user_id }) => String(user_id))].sort()

describe("the sandbox", () => {
  it.effect("C18: 5,000 users, 1,500 of them of one millisecond, arrive once each", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxed({ users: 5000, importedAtOnce: 1500 })
      const { keys, completeness } = yield* readAll(sandbox)
      assert.deepStrictEqual([...keys].sort(), ids(sandbox))
      assert.isUndefined(completeness?.gap)
    }),
  )

  it.effect("auth0 trap 2: with pages cut to 50", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxed({ users: 1300, maxPerPage: 50, importedAtOnce: 200 })
      assert.deepStrictEqual([...(yield* readAll(sandbox)).keys].sort(), ids(sandbox))
    }),
  )

  it.effect("C01, C04, C09, C10, C13: under every fault of the sandbox", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxed({ users: 1300 })
      const auth0 = { vendor: "auth0", probability: 0.08 } as const
      sandbox.control.faults.add({ ...auth0, fault: { kind: "throttle", resetSeconds: 3 } })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "throttle", retryAfter: "2", bare: true } })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "error", status: 503, when: "before" } })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "cut", when: "after", bytes: 200 }, times: 3 })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "truncated" }, times: 2 })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "malformed" }, times: 2 })
      sandbox.control.faults.add({ ...auth0, fault: { kind: "stall", millis: 600_000 }, times: 1 })
      assert.deepStrictEqual([...(yield* readAll(sandbox)).keys].sort(), ids(sandbox))
    }),
  )

  it.effect(
    "C16, C19: who is there all the time arrives while others come, change and go, and incremental runs catch up",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxed({ users: 900, indexLagMillis: 60_000 })
        const before = new Set(ids(sandbox))
        sandbox.control.changes({ every: 1, count: 3 })
        const first = yield* readAll(sandbox, { sync: "incremental" })
        const stayed = ids(sandbox).filter((id) => before.has(id))
        assert.deepStrictEqual(
          stayed.filter((id) => !first.keys.includes(id)),
          [],
        )
        sandbox.control.changes(undefined)
        const second = yield* readAll(sandbox, { sync: "incremental", from: Option.fromUndefinedOr(first.last) })
        const seen = new Set([...first.keys, ...second.keys])
        assert.deepStrictEqual(
          ids(sandbox).filter((id) => !seen.has(id)),
          [],
        )
      }),
  )

  it.effect("auth0 trap 21: with the vendor's real limits no call is refused, by the right plan or a wrong one", () =>
    Effect.gen(function* () {
      for (const [real, said] of [
        ["free", "free"],
        ["professional", "professional"],
        ["enterprise", "enterprise"],
        ["professional", "free"],
        ["free", "enterprise"],
        ["enterprise", "free"],
      ] as const) {
        const sandbox = yield* sandboxed({ users: 5000, limits: "real", auth0Plan: real })
        const meter = makeMeter()
        const { keys } = yield* readAll(sandbox, {}, said).pipe(Effect.provideService(CurrentMeter, meter))
        assert.strictEqual(keys.length, 5000)
        assert.strictEqual(meter.throttled, 0, `${real} read as ${said}`)
      }
    }),
  )
})
