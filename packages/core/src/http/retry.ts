/** When to try again, and how long to wait before: full jitter, a few attempts, and a budget against retry storms. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Attempts at one call that end in a passing fault. */
export const maxAttempts = 5

/** Answers of "slow down" that one call sits out before it hands the wait to the engine. */
export const maxThrottles = 60

const cap = 60_000

/** A random wait below an exponential bound, in milliseconds; `nth` counts from 1. */
export const backoff = (nth: number, base: number): Effect.Effect<number> =>
  Effect.map(Random.next, (part) => Math.ceil(part * Math.min(cap, base * 2 ** (nth - 1))))

export interface Budget {
  /** Takes one retry; false when the budget is used up. */
  readonly spend: () => boolean
  readonly earn: () => void
}

/**
 * In an outage every call fails, and retrying each of them multiplies the load. So calls that succeed earn a fifth of
 * a retry each, up to what a short disturbance needs; without budget a call is tried once.
 */
export const makeBudget = (most = 20): Budget => {
  let left = most
  return {
    spend: () => {
      if (left < 1) return false
      left -= 1
      return true
    },
    earn: () => {
      left = Math.min(most, left + 0.2)
    },
  }
}
