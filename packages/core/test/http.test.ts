/** The unit of work for vendor calls, against scripted answers on a clock that the test moves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import * as Tracer from "effect/Tracer"
import fc from "fast-check"
import { apart } from "../src/http/apart.ts"
import type { Answer, ApiOptions } from "../src/http/api.ts"
import { hasLongInteger } from "../src/http/body.ts"
import { failure, finish, get, good, json, vendor } from "./scriptedVendor.ts"

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
      assert.strictEqual(failure(yield* finish(api.call(get())))._tag, "Barred")
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
