/**
 * Keeps calls within a vendor's rate limit: one queue per account and bucket, first come first served, corrected by
 * what the answers' headers say.
 *
 * Effect's RateLimiter is not used: those already waiting in it keep their time when a later answer closes the window,
 * and it knows no share, no second bound and no way to tell how long a call waited.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { LimitState, RateLimit } from "./api.ts"
import { monotonicMillis } from "./monotonic.ts"

/** The longest a call waits by itself, in milliseconds: 15 minutes. */
export const longestWait = 15 * 60_000

/** No vendor's window is longer, in milliseconds: one hour. What asks for more is an allowance, or nonsense. */
export const longestWindow = 60 * 60_000

/** The bucket opens again in so long, which is more than a call waits by itself. */
export interface Closed {
  readonly _tag: "Closed"
  readonly millis: number
}

/** `nowMillis` is of the monotonic clock. */
export interface Bucket {
  /** Waits for this call's turn; answers how many milliseconds that took. */
  readonly take: Effect.Effect<number, Closed>
  /** Lets nobody through for so long, one window at most: the vendor said so. */
  readonly close: (millis: number, nowMillis: number) => void
  /** Takes in what an answer's headers say. */
  readonly observe: (state: LimitState, nowMillis: number) => void
}

/** How many calls may start, and when: at most `calls` in any window, and of these `burst` at once. */
interface Pace {
  readonly calls: number
  readonly windowMillis: number
  readonly burst: number
}

/** The share rounds down to whole calls, but never to none: less than one call is one call in a longer window. */
const paceOf = (limit: RateLimit, share: number): Pace => {
  const wanted = Math.max(limit.limit * share, Number.MIN_VALUE)
  const calls = Math.max(1, Math.floor(wanted))
  const burst = limit.burst === undefined ? calls : Math.max(1, Math.floor(limit.burst * share))
  return { calls, windowMillis: limit.windowMillis * Math.max(1, calls / wanted), burst: Math.min(burst, calls) }
}

const makeBucket = (preset: RateLimit, share: number): Bucket => {
  let pace = paceOf(preset, share)
  // Start times of the last calls, oldest first: exact in every window, which a token bucket alone is not.
  let starts: Array<number> = []
  let tokens = pace.burst
  let filledAt = 0
  let closedUntil = 0
  const turn = Semaphore.makeUnsafe(1)

  const advance = (now: number) => {
    if (now > filledAt) {
      tokens = Math.min(pace.burst, tokens + ((now - filledAt) * pace.calls) / pace.windowMillis)
      filledAt = now
    }
    let old = 0
    while (old < starts.length && (starts[old] ?? 0) + pace.windowMillis <= now) old++
    if (old > 0) starts = starts.slice(old)
  }

  const waitMillis = (now: number): number => {
    advance(now)
    if (now < closedUntil) return closedUntil - now
    const first = starts[starts.length - pace.calls]
    const window = first === undefined ? 0 : first + pace.windowMillis - now
    const burst = tokens >= 1 - 1e-9 ? 0 : ((1 - tokens) * pace.windowMillis) / pace.calls
    return Math.max(0, window, burst)
  }

  const take = Effect.gen(function* () {
    const started = yield* monotonicMillis
    const wait = Effect.gen(function* () {
      let now = yield* monotonicMillis
      for (let millis = waitMillis(now); millis > 0; millis = waitMillis(now)) {
        if (millis > longestWait) return yield* Effect.fail<Closed>({ _tag: "Closed", millis })
        yield* Effect.sleep(Math.ceil(millis))
        now = yield* monotonicMillis
      }
      starts.push(now)
      tokens -= 1
      return Math.max(0, now - started)
    })
    return yield* turn.withPermits(1)(wait)
  })

  const close = (millis: number, now: number) => {
    advance(now)
    closedUntil = Math.max(closedUntil, now + Math.min(millis, longestWindow))
    // What opens then is one refill, not a full bucket.
    tokens = Math.min(tokens, 1)
    filledAt = Math.max(filledAt, closedUntil)
  }

  const observe = (state: LimitState, now: number) => {
    advance(now)
    if (state.limit !== undefined && state.limit > 0) {
      // The header gives the vendor's own bucket: the burst where there is one, else the window. Both scale with it.
      const factor = state.limit / (preset.burst ?? preset.limit)
      const burst = preset.burst === undefined ? {} : { burst: preset.burst * factor }
      const next = paceOf({ ...preset, limit: preset.limit * factor, ...burst }, share)
      if (next.calls !== pace.calls || next.burst !== pace.burst) {
        tokens = tokens >= pace.burst - 1 ? next.burst : Math.min(tokens, next.burst)
        pace = next
      }
    }
    if (state.remaining === undefined || state.resetAfterMillis === undefined || state.resetAfterMillis <= 0) return
    // What the share leaves to others stays untouched.
    const reserved = Math.floor((state.limit ?? preset.burst ?? preset.limit) * (1 - share))
    if (state.remaining <= reserved) close(state.resetAfterMillis, now)
  }

  return { take, close, observe }
}

export interface Limiters {
  /** The first to ask decides limit and share; an `account` is a key and may be a secret's hash: it is never shown. */
  readonly bucket: (account: string, name: string, limit: RateLimit, share: number) => Bucket
}

export const makeLimiters = (): Limiters => {
  const buckets = new Map<string, Bucket>()
  return {
    bucket: (account, name, limit, share) => {
      const key = JSON.stringify([account, name])
      const found = buckets.get(key) ?? makeBucket(limit, share)
      buckets.set(key, found)
      return found
    },
  }
}

/** The buckets that connections share. One for the process unless a run or a test provides its own. */
export const CurrentLimiters = Context.Reference<Limiters>("@sluice/core/CurrentLimiters", {
  defaultValue: makeLimiters,
})
