/** The unit of work for vendor calls, against scripted answers on a clock that the test moves. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as TestClock from "effect/testing/TestClock"
import fc from "fast-check"
import { apart } from "../src/http/apart.ts"
import type { Answer, ApiOptions, Call, Verdict } from "../src/http/api.ts"
import { hasLongInteger } from "../src/http/body.ts"
import { makeApi } from "../src/http/call.ts"
import { CurrentLimiters, makeLimiters } from "../src/http/limiter.ts"
import { CurrentMeter, makeMeter } from "../src/http/meter.ts"
import { Forbidden } from "../src/plugin/errors.ts"
import { retryAfterMillis } from "../src/plugin/headers.ts"

type Reply = Response | { readonly code: string; readonly syscall?: string } | "hang"

const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init)

const classify = (answer: Answer): Verdict => {
  if (answer.status === 429) {
    const retryAfter = retryAfterMillis(answer.headers)
    return { _tag: "Throttled", ...(retryAfter === undefined ? {} : { retryAfterMillis: retryAfter }) }
  }
  if (answer.status === 401) return { _tag: "Expired", message: "The token is not accepted." }
  if (answer.status === 403)
    return { _tag: "Fail", reason: new Forbidden({ message: "The scope read:users is missing." }) }
  if (answer.status >= 500) return { _tag: "Transient", applied: true, message: `status ${answer.status}` }
  return { _tag: "Accept" }
}

interface Sent {
  readonly at: number
  readonly url: string
  readonly authorization: string | undefined
}

/** A vendor that answers as `reply` says, and an Api on it with a limiter of its own. */
const vendor = (reply: (nth: number) => Reply, options: Partial<ApiOptions> = {}) =>
  Effect.gen(function* () {
    const sent: Array<Sent> = []
    const meter = makeMeter()
    const client = HttpClient.make((request, url) =>
      Effect.gen(function* () {
        sent.push({
          at: yield* Clock.currentTimeMillis,
          url: url.href,
          authorization: request.headers.authorization,
        })
        const answer = reply(sent.length)
        if (answer === "hang") return yield* Effect.never
        if (answer instanceof Response) return HttpClientResponse.fromWeb(request, answer)
        const cause = Object.assign(new Error("connect to https://vendor.example/?secret=canary"), answer)
        const reason = new HttpClientError.TransportError({ request, cause })
        return yield* new HttpClientError.HttpClientError({ reason })
      }),
    )
    const api = yield* makeApi({
      baseUrl: "https://vendor.example/api",
      insecure: false,
      share: 1,
      limits: { calls: { limit: 1000, windowMillis: 1000 } },
      account: "vendor.example",
      readLimit: () => undefined,
      authorize: Effect.succeed,
      classify,
      ...options,
    }).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentMeter, meter),
      Effect.provideService(CurrentLimiters, makeLimiters()),
    )
    return { api, sent, meter }
  })

const Body = Schema.Struct({ ok: Schema.Boolean })
const get = (over: Partial<Call<typeof Body.Type>> = {}): Call<typeof Body.Type> => ({
  name: "things.list",
  bucket: "calls",
  request: HttpClientRequest.get("/things", { urlParams: { q: "canary" } }),
  repeatable: true,
  decode: (answer) => Schema.decodeUnknownEffect(Body)(answer.body),
  ...over,
})

/** Runs to the end however long the waits are. */
const finish = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(effect))
    for (let day = 0; day < 5; day++) yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })

const failure = <A, E>(result: Result.Result<A, E>): E => {
  assert.isTrue(Result.isFailure(result))
  return Result.getOrThrow(Result.flip(result))
}

const good = () => json({ ok: true })

describe("http unit: repeating", () => {
  it.effect("C10: a passing 5xx is repeated with growing waits, then the call succeeds", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor((nth) => (nth < 4 ? json({}, { status: 503 }) : good()))
      const result = yield* finish(api.call(get()))
      assert.deepStrictEqual(Result.getOrThrow(result), { ok: true })
      assert.strictEqual(sent.length, 4)
    }),
  )

  it.effect("C10: an outage ends as Unavailable after a few attempts", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => json({}, { status: 502 }))
      const error = failure(yield* finish(api.call(get())))
      assert.strictEqual(error._tag, "Unavailable")
      assert.strictEqual(sent.length, 5)
    }),
  )

  it.effect("C11: in a long outage the retry budget leaves one attempt to each call", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => json({}, { status: 502 }))
      for (let nth = 0; nth < 100; nth++) yield* finish(api.call(get()))
      assert.strictEqual(sent.length, 100 + 20)
    }),
  )

  it.effect("rule 3: a write that must not be repeated is sent once when its answer is lost", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => ({ code: "ECONNRESET" }))
      const error = failure(yield* finish(api.call(get({ repeatable: false }))))
      assert.deepInclude(error, { _tag: "Unavailable", inDoubt: true })
      assert.strictEqual(sent.length, 1)
    }),
  )

  for (const cause of [
    { code: "ECONNREFUSED" },
    { code: "ENOTFOUND" },
    { code: "EAI_AGAIN" },
    { code: "ERR_SSL_X" },
    { code: "ETIMEDOUT", syscall: "connect" },
  ]) {
    it.effect(
      `C12: ${cause.code} before anything was sent is repeated even for such a write, and names the host only`,
      () =>
        Effect.gen(function* () {
          const { api, sent } = yield* vendor((nth) => (nth < 3 ? cause : good()))
          const result = yield* finish(api.call(get({ repeatable: false })))
          assert.deepStrictEqual(Result.getOrThrow(result), { ok: true })
          assert.strictEqual(sent.length, 3)
          const down = yield* vendor(() => cause)
          const error = failure(yield* finish(down.api.call(get({ repeatable: false }))))
          assert.deepInclude(error, { _tag: "Unavailable", inDoubt: false })
          assert.include(error.message, "vendor.example")
          assert.notInclude(JSON.stringify(error), "canary")
        }),
    )
  }

  it.effect("D17: a record that cannot be decrypted may come after the write was taken", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => ({ code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" }))
      const error = failure(yield* finish(api.call(get({ repeatable: false }))))
      assert.deepInclude(error, { _tag: "Unavailable", inDoubt: true })
      assert.strictEqual(sent.length, 1)
    }),
  )

  it.effect("S15: a certificate that is not trusted is not tried again", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => ({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }))
      assert.strictEqual(failure(yield* finish(api.call(get())))._tag, "Misconfigured")
      assert.strictEqual(sent.length, 1)
    }),
  )

  it.effect("C07: an attempt without an end is given up after its time and repeated", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor((nth) => (nth === 1 ? "hang" : good()))
      const result = yield* finish(api.call(get()))
      assert.deepStrictEqual(Result.getOrThrow(result), { ok: true })
      assert.strictEqual(sent.length, 2)
      assert.isAtLeast((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0), 120_000)
    }),
  )
})

describe("http unit: answers", () => {
  it.effect("C04: a 200 that is not JSON is a lost answer, then Protocol with its length and none of its content", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => new Response('{"ok": "canary'))
      const error = failure(yield* finish(api.call(get())))
      assert.strictEqual(error._tag, "Protocol")
      assert.include(error.message, "14 bytes")
      assert.notInclude(error.message, "canary")
      assert.strictEqual(sent.length, 5)
    }),
  )

  it.effect("C04: for a write that must not be repeated the same is in doubt", () =>
    Effect.gen(function* () {
      const { api } = yield* vendor(() => new Response("<html>"))
      const error = failure(yield* finish(api.call(get({ repeatable: false }))))
      assert.deepInclude(error, { _tag: "Unavailable", inDoubt: true })
    }),
  )

  it.effect("rule 9: an answer of another shape names the place and not the value", () =>
    Effect.gen(function* () {
      const { api } = yield* vendor(() => json({ ok: "canary" }))
      const error = failure(yield* finish(api.call(get())))
      assert.strictEqual(error._tag, "Protocol")
      assert.include(error.message, "at ok")
      assert.notInclude(error.message, "canary")
    }),
  )

  it.effect("C06: a body above the bound is not read to its end and not asked for again", () =>
    Effect.gen(function* () {
      let pulled = 0
      const endless = () => {
        const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
          pulled += 1
          controller.enqueue(new Uint8Array(1024))
        }
        return new Response(new ReadableStream<Uint8Array>({ pull }))
      }
      const { api, sent } = yield* vendor(endless, { maxBytes: 10_000 })
      assert.strictEqual(failure(yield* finish(api.call(get())))._tag, "Protocol")
      assert.strictEqual(sent.length, 1)
      assert.isBelow(pulled, 20)
    }),
  )

  it.effect("C06: JSON nested 100,000 deep is an error, not a crash", () =>
    Effect.gen(function* () {
      const { api } = yield* vendor(() => new Response(`{"ok":${"[".repeat(100_000)}${"]".repeat(100_000)}}`))
      const call = { ...get(), decode: (answer: Answer) => Effect.sync(() => JSON.stringify(answer.body)) }
      const result = yield* finish(api.call(call))
      assert.strictEqual(failure(result)._tag, "Protocol")
    }),
  )

  it.effect("rule 5: integers beyond 2^53 keep their digits, fractions and other numbers stay numbers", () =>
    Effect.gen(function* () {
      const text = '{"id": 9007199254740993, "list": [-12345678901234567890], "pi": 3.141592653589793115, "n": 42}'
      const { api } = yield* vendor(() => new Response(text))
      const call = { ...get(), decode: (answer: Answer) => Effect.succeed(answer.body) }
      const body = Result.getOrThrow(yield* finish(api.call(call)))
      assert.deepStrictEqual(body, { id: "9007199254740993", list: ["-12345678901234567890"], pi: Math.PI, n: 42 })
    }),
  )

  it("rule 5: a long integer is found wherever it may stand as a value", () => {
    const long = /[:[,]\s*-?\d{16,}/
    const piece = fc.constantFrom("1234567890123456", "12345", "-", ":", "[", ",", " ", "\n", "a", '"', ".", "é", "7")
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""))
    fc.assert(
      fc.property(text, (each) => hasLongInteger(each) === long.test(each)),
      { numRuns: 5_000, examples: [[":1234567890123456"], ["1234567890123456"], [":  -12345678901234567890"]] },
    )
  })

  it.effect("rule 12: what runs around a call does not see its result and cannot keep it", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const watched = <E>(self: Effect.Effect<void, E>) =>
        Effect.tap(Effect.exit(self), (exit) => Effect.sync(() => seen.push(exit)))
      const outcome = yield* apart(Effect.succeed("a page"), (self) => Effect.flatten(watched(self)))
      assert.strictEqual(outcome, "a page")
      assert.deepStrictEqual(seen, [Exit.void])
      const failed = yield* Effect.flip(apart(Effect.fail("cut"), (self) => Effect.flatten(watched(self))))
      assert.strictEqual(failed, "cut")
    }),
  )

  it.effect("C15: a refusal is final", () =>
    Effect.gen(function* () {
      const { api, sent } = yield* vendor(() => json({}, { status: 403 }))
      const error = failure(yield* finish(api.call(get())))
      assert.deepInclude(error, { _tag: "Forbidden", message: "The scope read:users is missing." })
      assert.strictEqual(sent.length, 1)
    }),
  )
})

describe("http unit: credentials", () => {
  const tokens = () => {
    const state = { token: 1, refreshed: 0 }
    const options: Partial<ApiOptions> = {
      authorize: (request) => Effect.succeed(HttpClientRequest.setHeader(request, "authorization", `t${state.token}`)),
      refresh: Effect.gen(function* () {
        yield* Effect.sleep("1 second")
        state.token += 1
        state.refreshed += 1
      }),
    }
    return { state, options }
  }

  it.effect("C13: one 401 in many concurrent calls refreshes once, and each call is repeated once", () =>
    Effect.gen(function* () {
      const { state, options } = tokens()
      const { api, sent } = yield* vendor((nth) => (nth <= 20 ? json({}, { status: 401 }) : good()), options)
      const all = Effect.forEach(Array.from({ length: 20 }), () => api.call(get()), { concurrency: "unbounded" })
      Result.getOrThrow(yield* finish(all))
      assert.strictEqual(state.refreshed, 1)
      assert.strictEqual(sent.length, 40)
      assert.isTrue(sent.slice(20).every(({ authorization }) => authorization === "t2"))
    }),
  )

  it.effect("C13: a second 401 ends as Unauthorized without a loop", () =>
    Effect.gen(function* () {
      const { state, options } = tokens()
      const { api, sent } = yield* vendor(() => json({}, { status: 401 }), options)
      assert.strictEqual(failure(yield* finish(api.call(get())))._tag, "Unauthorized")
      assert.deepStrictEqual([state.refreshed, sent.length], [1, 2])
    }),
  )
})

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

  it.effect("S01: spans carry the call's name and neither query nor secret", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        },
      })
      const { api } = yield* vendor(good, {
        authorize: (request) => Effect.succeed(HttpClientRequest.setHeader(request, "api-key", "canary")),
      })
      yield* api.call(get()).pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["things.list"],
      )
      assert.notInclude(JSON.stringify(spans.map(({ attributes }) => [...attributes])), "canary")
    }),
  )
})
