/** The vendors' rate limits: token buckets that refill (Auth0) and windows that start afresh (Brevo). */

export interface Grant {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Milliseconds until more requests are let in: one refill of a bucket, or the end of a window. */
  readonly resetMillis: number
}

export interface Limiter {
  readonly take: (nowMillis: number) => Grant
}

/** Lets everything through and says so: a client that starts from a plan's numbers lifts them by the headers. */
export const unlimitedAt = (limit: number): Limiter => ({
  take: () => ({ allowed: true, limit, remaining: limit - 1, resetMillis: 1_000 }),
})

export const unlimited = unlimitedAt(1_000_000)

/** `burst` tokens at most; one more every `refillMillis`. */
export const tokenBucket = (burst: number, refillMillis: number): Limiter => {
  let tokens = burst
  let last: number | undefined
  return {
    take: (now) => {
      const refilled = Math.floor((now - (last ?? now)) / refillMillis)
      tokens = Math.min(burst, tokens + refilled)
      last = tokens === burst ? now : (last ?? now) + refilled * refillMillis
      const allowed = tokens > 0
      if (allowed) tokens -= 1
      return { allowed, limit: burst, remaining: tokens, resetMillis: last + refillMillis - now }
    },
  }
}

/** At most `limit` requests from one multiple of `windowMillis` to the next. */
export const fixedWindow = (limit: number, windowMillis: number): Limiter => {
  let current = -1
  let used = 0
  return {
    take: (now) => {
      const window = Math.floor(now / windowMillis)
      if (window !== current) {
        current = window
        used = 0
      }
      const allowed = used < limit
      if (allowed) used += 1
      return { allowed, limit, remaining: limit - used, resetMillis: (window + 1) * windowMillis - now }
    },
  }
}

/** All must allow; the tightest speaks. */
export const allOf = (limiters: ReadonlyArray<Limiter>): Limiter => ({
  take: (now) => {
    let tightest: Grant | undefined
    for (const limiter of limiters) {
      const grant = limiter.take(now)
      if (!grant.allowed) return grant
      if (tightest === undefined || grant.remaining / grant.limit < tightest.remaining / tightest.limit)
        tightest = grant
    }
    return tightest ?? { allowed: true, limit: 1, remaining: 1, resetMillis: 0 }
  },
})
