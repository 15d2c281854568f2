/** How much of a limit is used: ten minutes of callers that never rest, against vendors whose windows nobody announces. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import { fixedWindow, type Limiter, tokenBucket } from "../../sandbox/src/limits.ts"
import type { Answer, RateLimit, Verdict } from "../src/http/api.ts"
import { makeApi } from "../src/http/call.ts"
import { CurrentLimiters, makeLimiters } from "../src/http/limiter.ts"

const minutes = 10

const resets = {
  "in seconds": (millis: number) => Math.max(1, Math.ceil(millis / 1000)) * 1000,
  "in whole seconds gone by": (millis: number) => Math.floor(millis / 1000) * 1000,
  "as an epoch second": (millis: number, now: number) =>
    Math.ceil((now + millis) / 1000) * 1000 - Math.floor(now / 1000) * 1000,
}

interface Shape {
  readonly limit: RateLimit
  /** What the account really has. */
  readonly real?: RateLimit
  readonly share: number
  readonly callers: number
  /** Milliseconds of a call, there and back. */
  readonly latency: number
  /** Each call takes another time, up to `latency`. */
  readonly jitter: boolean
  readonly reset: keyof typeof resets
  /** The part of the limit that someone else takes. */
  readonly others: number
  readonly seed: number
}

/** Mulberry32. */
const dice = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const limiterOf = ({ limit, windowMillis, burst }: RateLimit): Limiter =>
  burst === undefined ? fixedWindow(limit, windowMillis) : tokenBucket(burst, windowMillis / limit)

const number = (value: string | undefined) => Number(value ?? Number.NaN)

const classify = ({ status, headers }: Answer): Verdict =>
  status === 429 ? { _tag: "Throttled", retryAfterMillis: number(headers["x-reset"]) } : { _tag: "Accept" }

const busy = (shape: Shape) =>
  Effect.gen(function* () {
    const random = dice(shape.seed)
    const real = shape.real ?? shape.limit
    const vendor = limiterOf(real)
    const phase = Math.floor(random() * 3_600_000)
    const counts = { accepted: 0, refused: 0 }
    const half = () => (shape.jitter ? random() : 1) * (shape.latency / 2)
    const client = HttpClient.make((request) =>
      Effect.gen(function* () {
        yield* Effect.sleep(half())
        const now = yield* Clock.currentTimeMillis
        const grant = vendor.take(now + phase)
        counts[grant.allowed ? "accepted" : "refused"]++
        const headers = {
          "x-limit": String(grant.limit),
          "x-remaining": String(grant.remaining),
          "x-reset": String(resets[shape.reset](grant.resetMillis, now + 7_654_321)),
        }
        yield* Effect.sleep(half())
        const init = { status: grant.allowed ? 200 : 429, headers }
        return HttpClientResponse.fromWeb(request, new Response(undefined, init))
      }),
    )
    const api = yield* makeApi({
      baseUrl: "https://vendor.example",
      insecure: false,
      share: shape.share,
      limits: { calls: shape.limit },
      account: "vendor.example",
      readLimit: (headers) => ({
        limit: number(headers["x-limit"]),
        remaining: number(headers["x-remaining"]),
        resetAfterMillis: number(headers["x-reset"]),
      }),
      authorize: Effect.succeed,
      classify,
    }).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentLimiters, makeLimiters()),
    )
    const call = api.call({
      name: "calls",
      bucket: "calls",
      request: HttpClientRequest.get("/"),
      repeatable: true,
      decode: () => Effect.void,
    })
    const caller = Effect.forever(Effect.catch(call, () => Effect.sleep("1 minute")))
    const other = Effect.suspend(() => {
      const gap = (-Math.log(1 - random()) * real.windowMillis) / real.limit / shape.others
      return Effect.andThen(
        Effect.sleep(gap),
        Effect.map(Clock.currentTimeMillis, (now) => vendor.take(now + phase)),
      )
    })
    yield* Effect.forkChild(
      Effect.all(
        Array.from({ length: shape.callers }, () => caller),
        { concurrency: "unbounded" },
      ),
    )
    if (shape.others > 0) yield* Effect.forkChild(Effect.forever(other))
    yield* TestClock.adjust(`${minutes} minutes`)
    return counts
  }).pipe(Effect.scoped)

/** Calls that the share allows in the time, or that so many callers can make. */
const possible = ({ limit, real = limit, share, callers, latency, jitter, others }: Shape): number => {
  const pace = real.burst === undefined ? Math.max(1, Math.floor(real.limit * share)) : real.limit * share
  const left = real.limit * (1 - others)
  const allowed = (Math.min(pace, left) / real.windowMillis) * minutes * 60_000
  return Math.min(allowed, (callers * minutes * 60_000) / (latency * (jitter ? 0.5 : 1)))
}

const windows = (limit: number, windowMillis: number): RateLimit => ({ limit, windowMillis })
const refilled = (burst: number, perMinute: number): RateLimit => ({ limit: perMinute, windowMillis: 60_000, burst })

const limits: { readonly [name: string]: RateLimit } = {
  "10 a second": windows(10, 1000),
  "60 a minute": windows(60, 60_000),
  "500 a minute": windows(500, 60_000),
  "100 an hour": windows(100, 3_600_000),
  "a bucket of 2, 120 a minute": refilled(2, 120),
  "a bucket of 10, 120 a minute": refilled(10, 120),
  "a bucket of 40, 500 a minute": refilled(40, 500),
  "a bucket of 50, 960 a minute": refilled(50, 960),
}

const pick = <A>(random: () => number, from: ReadonlyArray<A>): A => {
  const [first] = from.slice(Math.floor(random() * from.length))
  if (first === undefined) throw new Error("Nothing to pick from.")
  return first
}

const drawn = (limit: RateLimit, share: number, seed: number): Shape => {
  const random = dice(seed * 1_000_003 + limit.limit + share * 10)
  const latency = pick(random, [2, 60, 150, 300])
  return {
    limit,
    share,
    others: 0,
    seed,
    latency,
    jitter: random() < 0.6,
    callers: latency === 2 ? 1 : pick(random, [1, 4, 16]),
    reset: pick(random, ["in seconds", "in whole seconds gone by", "as an epoch second"]),
  }
}

// More of them by hand: SEEDS=50 pnpm exec vitest run packages/core/test/http-pace.test.ts
const seeds = Array.from({ length: Number(process.env.SEEDS ?? 1) }, (_, nth) => nth + 1)

const measured = (shape: Shape) =>
  Effect.map(busy(shape), ({ accepted, refused }) => ({
    used: accepted / possible(shape),
    refused: refused / (accepted + refused),
    text: `${JSON.stringify(shape)}: ${accepted} accepted of ${possible(shape)}, ${refused} refused`,
  }))

describe("ten minutes at a limit", { timeout: 60_000 * seeds.length }, () => {
  const fully = (name: string, limit: RateLimit, share: number, over: Partial<Shape> = {}) =>
    it.effect(`G01: ${name}, share ${share}: 95 % of it is used and nothing is refused`, () =>
      Effect.gen(function* () {
        for (const seed of seeds) {
          const { used, refused, text } = yield* measured({ ...drawn(limit, share, seed), ...over })
          assert.isAtLeast(used, 0.95, text)
          assert.strictEqual(refused, 0, text)
        }
      }),
    )
  for (const [name, limit] of Object.entries(limits)) {
    for (const share of [0.5, 0.8, 1]) fully(name, limit, share)
  }
  const uneven = { callers: 16, latency: 300, jitter: true }
  fully("10 a second, 16 callers and up to 300 ms", windows(10, 1000), 1, uneven)
  fully("20 a second, 16 callers and up to 300 ms", windows(20, 1000), 1, uneven)

  // Two calls of somebody else between our last answer and our next call empty a small limit: nobody can foresee that.
  for (const [name, limit, share, most] of [
    ["10 a second", windows(10, 1000), 0.5, 0.01],
    ["10 a second", windows(10, 1000), 1, 0.04],
    ["500 a minute", windows(500, 60_000), 0.8, 0.01],
    ["a bucket of 2, 120 a minute", refilled(2, 120), 0.5, 0.1],
    ["a bucket of 40, 500 a minute", refilled(40, 500), 1, 0],
    ["a bucket of 50, 960 a minute", refilled(50, 960), 0.8, 0],
  ] as const) {
    it.effect(`C09: ${name}, share ${share}, of which others take 30 %: the rest is used without a storm of 429`, () =>
      Effect.gen(function* () {
        for (const seed of seeds) {
          const { used, refused, text } = yield* measured({ ...drawn(limit, share, seed), others: 0.3 })
          assert.isAtLeast(used, 0.75, text)
          assert.isAtMost(refused, most, text)
        }
      }),
    )
  }

  const auth0 = [refilled(2, 120), refilled(40, 500), refilled(50, 960), refilled(10, 120)]
  for (const [name, limit, real] of [
    ["more calls a second", windows(10, 1000), windows(20, 1000)],
    ["fewer calls a second", windows(60, 1000), windows(10, 1000)],
    ["a larger bucket", refilled(2, 120), refilled(40, 500)],
    ["a smaller bucket", refilled(50, 960), refilled(2, 120)],
    ["a larger bucket of the same pace", refilled(2, 120), refilled(10, 120)],
  ] as const) {
    it.effect(`the account has ${name} than the preset: its headers are followed`, () =>
      Effect.gen(function* () {
        for (const seed of seeds) {
          const shape = { ...drawn({ ...limit, plans: auth0 }, 0.8, seed), callers: 4, real }
          const { used, refused, text } = yield* measured(shape)
          assert.isAtLeast(used, 0.95, text)
          // Calls that were on their way before the first answer.
          assert.isAtMost(refused, 0.01, text)
        }
      }),
    )
  }
})
