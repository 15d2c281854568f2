/** The limiter's promises: never more calls than the share of a limit in any window, in turn, and led by the headers. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import type { RateLimit } from "../src/http/api.ts"
import { type Bucket, makeLimiters } from "../src/http/limiter.ts"

const bucket = (limit: RateLimit, share = 1) => makeLimiters().bucket("account", "calls", limit, share)

/** When `count` calls that all want to go at once may start. */
const starts = (of: Bucket, count: number, onStart: (nth: number, now: number) => void = () => {}) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const call = Effect.gen(function* () {
      yield* of.take
      const now = yield* Clock.currentTimeMillis
      times.push(now)
      onStart(times.length, now)
    })
    const fiber = yield* Effect.forkChild(
      Effect.forEach(Array.from({ length: count }), () => call, { concurrency: "unbounded" }),
    )
    for (let step = 0; step < 20; step++) yield* TestClock.adjust("10 minutes")
    yield* Fiber.join(fiber)
    return times
  })

const busiest = (times: ReadonlyArray<number>, windowMillis: number) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMillis).length))

describe("limiter", () => {
  it.effect("G01: no window of any start holds more calls than the share of the limit", () =>
    Effect.gen(function* () {
      const cases = fc.sample(
        fc.record({
          limit: fc.integer({ min: 1, max: 40 }),
          windowMillis: fc.constantFrom(100, 1000, 10_000),
          burst: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
          share: fc.constantFrom(0.1, 0.5, 0.8, 1),
        }),
        { numRuns: 60, seed: 1 },
      )
      for (const { limit, windowMillis, burst, share } of cases) {
        const times = yield* starts(
          bucket({ limit, windowMillis, ...(burst === undefined ? {} : { burst }) }, share),
          60,
        )
        assert.isAtMost(
          busiest(times, windowMillis),
          Math.ceil(limit * share),
          `${limit} ${windowMillis} ${burst} ${share}`,
        )
        if (burst !== undefined) assert.isAtMost(busiest(times, 1), Math.max(1, burst * share))
      }
    }),
  )

  it.effect("G01: the whole share is used", () =>
    Effect.gen(function* () {
      const times = yield* starts(bucket({ limit: 10, windowMillis: 1000 }, 0.8), 80)
      assert.strictEqual(times[79], 9000)
    }),
  )

  it.effect("G01: two connections of one account share a bucket, other accounts and buckets do not", () =>
    Effect.sync(() => {
      const limiters = makeLimiters()
      const limit = { limit: 1, windowMillis: 1000 }
      assert.strictEqual(limiters.bucket("a", "x", limit, 1), limiters.bucket("a", "x", limit, 1))
      assert.notStrictEqual(limiters.bucket("a", "x", limit, 1), limiters.bucket("b", "x", limit, 1))
      assert.notStrictEqual(limiters.bucket("a", "x", limit, 1), limiters.bucket("a", "y", limit, 1))
    }),
  )

  it.effect("G01: calls go in the order they came", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 100 })
      const order: Array<number> = []
      const call = (nth: number) =>
        Effect.andThen(
          of.take,
          Effect.sync(() => order.push(nth)),
        )
      const wanted = Array.from({ length: 20 }, (_, nth) => nth)
      const fiber = yield* Effect.forkChild(Effect.forEach(wanted, call, { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(order, wanted)
    }),
  )

  it.effect("auth0 trap 21: at the reset one call goes, not the whole bucket", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 600, windowMillis: 60_000, burst: 40 })
      const spent = (nth: number, now: number) => {
        if (nth === 1) of.observe({ limit: 40, remaining: 0, resetAfterMillis: 2000 }, now)
      }
      const times = yield* starts(of, 20, spent)
      assert.deepStrictEqual(times.slice(0, 4), [0, 2000, 2100, 2200])
    }),
  )

  it.effect("the share that belongs to others is left in the vendor's bucket", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 600, windowMillis: 60_000, burst: 40 }, 0.5)
      of.observe({ limit: 40, remaining: 20, resetAfterMillis: 5000 }, 0)
      assert.deepStrictEqual(yield* starts(of, 1), [5000])
    }),
  )

  it.effect("a header that tells of another plan scales the preset, both ways", () =>
    Effect.gen(function* () {
      const up = bucket({ limit: 10, windowMillis: 1000 })
      up.observe({ limit: 1000 }, 0)
      assert.strictEqual((yield* starts(up, 1000))[999], 0)
      const down = bucket({ limit: 10, windowMillis: 1000 })
      down.observe({ limit: 2 }, 0)
      const times = yield* starts(down, 10)
      assert.isAtMost(busiest(times, 1000), 2)
    }),
  )

  it.effect("B18: a clock that is set back neither opens a window nor keeps it closed", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 1000 })
      yield* TestClock.setTime(7_200_000)
      of.close(60_000, 7_200_000)
      yield* TestClock.setTime(0)
      const next = yield* Effect.forkChild(of.take)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* Fiber.join(next), 60_000)
    }),
  )

  it.effect("C09: no header closes a bucket for more than an hour", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 1000 })
      of.observe({ remaining: 0, resetAfterMillis: 999_999_999_000 }, 0)
      assert.deepStrictEqual(yield* Effect.flip(of.take), { _tag: "Closed", millis: 3_600_000 })
    }),
  )

  it.effect("a waiting call that is interrupted gives its place up", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 60_000 })
      yield* of.take
      const waiting = yield* Effect.forkChild(of.take)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      const next = yield* Effect.forkChild(of.take)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* Fiber.join(next), 59_000)
    }),
  )
})
