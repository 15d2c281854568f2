/** What keeps the unit of work for vendor calls from calling: rate limits, and addresses that are not asked. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import { failure, finish, get, good, json, vendor } from "./scriptedVendor.ts"

describe("http unit: rate limits", () => {
  const throttle = (retryAfter: string | undefined, date?: string) =>
    json(
      {},
      {
        status: 429,
        headers: {
          ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
          ...(date === undefined ? {} : { date }),
        },
      },
    )

  it.effect("C09: nobody calls before the window opens again, however many wait", () =>
    Effect.gen(function* () {
      const { api, sent, meter } = yield* vendor((nth) => (nth === 1 ? throttle("30") : good()), {
        limits: { calls: { limit: 1, windowMillis: 100 } },
      })
      const all = Effect.forEach(Array.from({ length: 10 }), () => api.call(get()), { concurrency: "unbounded" })
      Result.getOrThrow(yield* finish(all))
      assert.deepStrictEqual(
        sent.filter(({ at }) => at > 0 && at < 30_000),
        [],
      )
      assert.strictEqual(sent.length, 11)
      assert.strictEqual(meter.throttled, 1)
      assert.isAtLeast(meter.waitedMillis, 30_000)
    }),
  )

  const minute = "Fri, 20 Nov 2026 10:01:00 GMT"
  const now = "Fri, 20 Nov 2026 10:00:00 GMT"
  for (const [name, reply, least, most] of [
    ["0", throttle("0"), 0, 1000],
    ["1", throttle("1"), 1000, 1000],
    ["a date", throttle(minute, now), 60_000, 60_000],
    ["a past date", throttle(now, minute), 0, 1000],
    ["garbage", throttle("soon"), 0, 1000],
    ["a negative number", throttle("-5", now), 0, 1000],
    ["nothing", throttle(undefined), 0, 1000],
  ] as const) {
    it.effect(`C09: Retry-After of ${name} waits as long as it says and no longer than it must`, () =>
      Effect.gen(function* () {
        const { api, sent } = yield* vendor((nth) => (nth === 1 ? reply : good()))
        Result.getOrThrow(yield* finish(api.call(get())))
        assert.isAtLeast(sent[1]?.at ?? -1, least)
        assert.isAtMost(sent[1]?.at ?? -1, most)
      }),
    )
  }

  it.effect("C09: a storm of 50 is sat out and is no fault", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor((nth) => (nth <= 50 ? throttle("2") : good()))
      Result.getOrThrow(yield* finish(api.call(get())))
      assert.strictEqual(sent.length, 51)
    }),
  )

  it.effect("C09: a wait of more than 15 minutes goes to the engine, and the others do not call meanwhile", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => throttle("1800"), { account: "canary" })
      const error = failure(yield* Effect.result(api.call(get())))
      assert.deepInclude(error, { _tag: "RateLimited", retryAfterMillis: 1_800_000 })
      const other = failure(yield* Effect.result(api.call(get())))
      assert.deepInclude(other, { _tag: "RateLimited", retryAfterMillis: 1_800_000 })
      assert.notInclude(JSON.stringify(other), "canary")
      assert.strictEqual(sent.length, 1)
    }),
  )

  it.effect("D10: a wait that is longer than any window is a used-up allowance, which no run waits for", () =>
    Effect.gen(function* () {
      const { api } = yield* vendor(() => throttle("999999999"))
      assert.strictEqual(failure(yield* Effect.result(api.call(get())))._tag, "QuotaExhausted")
    }),
  )
})

describe("http unit: addresses", () => {
  for (const status of [301, 302, 307, 308]) {
    for (const location of [
      "https://evil.example/x?k=canary",
      "http://169.254.169.254/latest",
      "https://vendor.example/loop",
    ]) {
      it.effect(`C23: ${status} to ${new URL(location).origin} is not followed`, () =>
        Effect.gen(function* () {
          const { api, sent } = yield* vendor(() => new Response(null, { status, headers: { location } }))
          const error = failure(yield* finish(api.call(get())))
          assert.strictEqual(error._tag, "Misconfigured")
          assert.include(error.message, "https://vendor.example")
          assert.include(error.message, new URL(location).origin)
          assert.notInclude(error.message, "canary")
          assert.strictEqual(sent.length, 1)
        }),
      )
    }
  }

  for (const baseUrl of [
    "http://vendor.example",
    "http://192.168.0.1",
    "ftp://vendor.example",
    "https://me:canary@vendor.example",
    "https://vendor.example/?",
    "https://vendor.example/?a=canary",
    "https://vendor.example/#x",
    "vendor.example",
    "https://",
  ]) {
    it.effect(`S09: the base address ${baseUrl.replace("canary", "***")} is refused`, () =>
      Effect.gen(function* () {
        const error = failure(yield* Effect.result(vendor(good, { baseUrl })))
        assert.strictEqual(error._tag, "Misconfigured")
        assert.notInclude(error.message, "canary")
      }),
    )
  }

  it.effect("S09: http is for this machine, or where the operator says so", () =>
    Effect.gen(function* () {
      for (const baseUrl of ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"]) {
        yield* vendor(good, { baseUrl })
      }
      yield* vendor(good, { baseUrl: "http://10.0.0.1", insecure: true })
    }),
  )

  for (const path of [
    "/../admin",
    "/things/%2e%2e/%2E%2e/admin",
    "@evil.example/",
    "things",
    "/..\\..\\admin",
    "https://evil.example/",
  ]) {
    it.effect(`S09: a request to ${path} does not leave the base`, () =>
      Effect.gen(function* () {
        const { api, sent } = yield* vendor(good)
        const error = failure(yield* finish(api.call(get({ request: HttpClientRequest.get(path) }))))
        assert.deepInclude(error, { _tag: "Refused", code: "address" })
        assert.strictEqual(sent.length, 0)
      }),
    )
  }

  it.effect("a path below the base keeps its encoding", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(good)
      yield* api.call(get({ request: HttpClientRequest.get("/users/auth0%7C1%2F2") }))
      assert.strictEqual(sent[0]?.url, "https://vendor.example/api/users/auth0%7C1%2F2")
    }),
  )
})
