/** Auth0's rate limits by plan and the headers that report them, auth0.md §5. */
import { allOf, type Grant, type Limiter, tokenBucket, unlimited } from "../limits.ts"
import type { Auth0Plan, Limits } from "../options.ts"

/** Which bucket a route draws on. */
export type Bucket = "users" | "token"

/** Bucket size, and requests that flow back per minute. */
const plans: { readonly [plan in Auth0Plan]: { readonly burst: number; readonly perMinute: number } } = {
  free: { burst: 2, perMinute: 120 },
  professional: { burst: 40, perMinute: 500 },
  enterprise: { burst: 50, perMinute: 960 },
  "enterprise-dev": { burst: 10, perMinute: 120 },
}

export const limitersOf = (plan: Auth0Plan, limits: Limits): { readonly [bucket in Bucket]: Limiter } => {
  if (limits === "off") return { users: unlimited, token: unlimited }
  const factor = limits === "high" ? 100 : 1
  const { burst, perMinute } = plans[plan]
  return {
    users: allOf([tokenBucket(burst * factor, 60_000 / (perMinute * factor))]),
    token: tokenBucket(30 * factor, 1000 / (30 * factor)),
  }
}

export const headersOf = (grant: Grant, nowMillis: number): { readonly [name: string]: string } => ({
  "x-ratelimit-limit": String(grant.limit),
  "x-ratelimit-remaining": String(grant.remaining),
  // Epoch seconds of the next refill, not of a full bucket.
  "x-ratelimit-reset": String(Math.ceil((nowMillis + grant.resetMillis) / 1000)),
})
