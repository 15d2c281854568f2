/** The limiter's promises: never more calls than the share of a limit in any window, in turn, and led by the headers. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import type { LimitState, RateLimit } from "../src/http/api.ts"
import { type Bucket, makeLimiters } from "../src/http/limiter.ts"

const bucket = (limit: RateLimit, share = 1) => makeLimiters().bucket("account", "calls", limit, share)

/** A call that is answered at once; answers how long it waited. */
const call = (of: Bucket, state?: LimitState) =>
  of.through((turn) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      turn.answered(state, now)
      return turn.waitedMillis
    }),
  )

/** When `count` calls that all want to go at once may start. */
const starts = (of: Bucket, count: number, answer: (nth: number) => LimitState | undefined = () => undefined) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const one = of.through((turn) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        times.push(now)
        turn.answered(answer(times.length), now)
      }),
    )
    const fiber = yield* Effect.forkChild(
      Effect.forEach(Array.from({ length: count }), () => one, { concurrency: "unbounded" }),
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
          share: fc.constantFrom(0.1, 0.5, 0.8, 1),
        }),
        { numRuns: 60, seed: 1 },
      )
      for (const { limit, windowMillis, share } of cases) {
        const times = yield* starts(bucket({ limit, windowMillis }, share), 60)
        assert.isAtMost(busiest(times, windowMillis), Math.ceil(limit * share), `${limit} ${windowMillis} ${share}`)
      }
    }),
  )

  it.effect("G01: a bucket gives half of itself at once, then the share of what flows in", () =>
    Effect.gen(function* () {
      for (const share of [0.1, 0.5, 0.8, 1]) {
        for (const burst of [1, 2, 40]) {
          const times = yield* starts(bucket({ limit: 600, windowMillis: 60_000, burst }, share), 60)
          const atOnce = Math.max(1, Math.floor(burst * Math.min(share, 0.5)))
          assert.strictEqual(busiest(times, 1), atOnce)
          // One more that is due at the window's very beginning, and a millisecond for each wait that is rounded up.
          assert.isAtMost(busiest(times, 10_000), atOnce + 100 * share + 1, `${burst} ${share}`)
          assert.isAtMost((times.at(-1) ?? 0) - (times[0] ?? 0), ((60 - atOnce) * 101) / share, `${burst} ${share}`)
        }
      }
    }),
  )

  it.effect("G01: the whole share is used", () =>
    Effect.gen(function* () {
      const times = yield* starts(bucket({ limit: 10, windowMillis: 1000 }, 0.8), 80)
      assert.isAtMost(times[79] ?? 0, 10_000)
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
      const wanted = Array.from({ length: 20 }, (_, nth) => nth)
      const fiber = yield* Effect.forkChild(
        Effect.forEach(wanted, (nth) => of.through(() => Effect.sync(() => order.push(nth))), {
          concurrency: "unbounded",
        }),
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(order, wanted)
    }),
  )

  it.effect("auth0 trap 21: at the reset one call goes, not the whole bucket", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 600, windowMillis: 60_000, burst: 40 })
      yield* call(of, { limit: 40, remaining: 0, resetAfterMillis: 2000 })
      of.close(0, 0)
      const times = yield* starts(of, 3, () => ({ limit: 40, remaining: 0, resetAfterMillis: 100 }))
      assert.strictEqual(times[0], 2000)
      assert.isAtLeast(times[1] ?? 0, 2100)
    }),
  )

  it.effect("the share that belongs to others is left in the vendor's bucket", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 600, windowMillis: 60_000, burst: 40 }, 0.5)
      yield* call(of, { limit: 40, remaining: 15, resetAfterMillis: 1000 })
      // 15, perhaps nearly 16; five and a half more make 21, of which one is ours.
      assert.deepStrictEqual(yield* starts(of, 1), [550])
    }),
  )

  it.effect("G01: a limit of a million that headers tell of frees those who wait already", () =>
    Effect.gen(function* () {
      const answered = { limit: 1_000_000, remaining: 999_999, resetAfterMillis: 1000 }
      for (const limit of [
        { limit: 10, windowMillis: 1000 },
        { limit: 120, windowMillis: 60_000, burst: 2 },
      ]) {
        const times: Array<number> = []
        const of = bucket(limit, 0.8)
        const slow = of.through((turn) =>
          Effect.gen(function* () {
            yield* Effect.sleep("50 millis")
            turn.answered(answered, yield* Clock.currentTimeMillis)
          }),
        )
        const one = of.through(() => Effect.map(Clock.currentTimeMillis, (now) => times.push(now)))
        const from = yield* Clock.currentTimeMillis
        const all = [slow, ...Array.from({ length: 5000 }, () => one)]
        const fiber = yield* Effect.forkChild(Effect.all(all, { concurrency: "unbounded" }))
        yield* TestClock.adjust("50 millis")
        yield* Fiber.join(fiber)
        assert.strictEqual((times.at(-1) ?? 0) - from, 50)
      }
    }),
  )

  it.effect("brevo trap 19: of another window's figures only that nothing is left counts", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 10, windowMillis: 1000 })
      const hour = { limit: 36_000, windowMillis: 3_600_000, resetAfterMillis: 600_000 }
      yield* call(of, { ...hour, remaining: 2 })
      assert.deepStrictEqual(
        yield* starts(of, 9),
        Array.from({ length: 9 }, () => 0),
      )
      const now = yield* Clock.currentTimeMillis
      yield* call(of, { ...hour, remaining: 0 })
      assert.deepStrictEqual(yield* starts(of, 1), [now + 600_000])
    }),
  )

  it.effect("B18: a clock that is set back neither opens a window nor keeps it closed", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 1000 })
      yield* TestClock.setTime(7_200_000)
      of.close(60_000, 7_200_000)
      yield* TestClock.setTime(0)
      const next = yield* Effect.forkChild(call(of))
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* Fiber.join(next), 60_000)
    }),
  )

  it.effect("C09: no header closes a bucket for more than an hour", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 1000 })
      yield* call(of, { remaining: 0, resetAfterMillis: 999_999_999_000 })
      assert.deepStrictEqual(yield* Effect.flip(call(of)), { _tag: "Closed", millis: 3_600_000 })
    }),
  )

  it.effect("C09: headers that lie about rest, limit or reset neither stop a bucket for good nor open it", () =>
    Effect.gen(function* () {
      for (const lie of [
        { remaining: 1_000_000, resetAfterMillis: 0 },
        { remaining: -5, resetAfterMillis: -60_000 },
        { limit: 0, remaining: 0, resetAfterMillis: 0 },
        { limit: -1 },
        { remaining: 0, resetAfterMillis: Number.NaN },
        { limit: Number.NaN, remaining: Number.NaN, resetAfterMillis: Number.NaN },
      ]) {
        for (const limit of [
          { limit: 5, windowMillis: 1000 },
          { limit: 300, windowMillis: 60_000, burst: 4 },
        ]) {
          const from = yield* Clock.currentTimeMillis
          const times = yield* starts(bucket(limit), 50, () => lie)
          const text = `${JSON.stringify(lie)} ${JSON.stringify(limit)}`
          assert.strictEqual(times.length, 50, text)
          assert.isAtLeast((times.at(-1) ?? 0) - from, 9000, text)
          assert.isAtMost((times.at(-1) ?? 0) - from, 60_000, text)
        }
      }
    }),
  )

  it.effect("a waiting call that is interrupted gives its place up", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 1, windowMillis: 60_000 })
      yield* call(of)
      const waiting = yield* Effect.forkChild(call(of))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      const next = yield* Effect.forkChild(call(of))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* Fiber.join(next), 59_000)
    }),
  )

  it.effect("a call that ends without an answer leaves its place to the next", () =>
    Effect.gen(function* () {
      const of = bucket({ limit: 2, windowMillis: 1000 })
      const hanging = yield* Effect.forkChild(of.through(() => Effect.never))
      const failing = yield* Effect.forkChild(Effect.exit(of.through(() => Effect.fail("lost"))))
      yield* Fiber.join(failing)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(hanging)
      const two = yield* Effect.forkChild(Effect.all([call(of), call(of)], { concurrency: 2 }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(two), [0, 1000])
    }),
  )
})
