/** Auth0's rate limits by plan and the headers that report them, auth0.md §5. */
import { type Grant, type Limiter, tokenBucket, unlimited } from "../limits.ts"
import type { Auth0Plan, Limits } from "../options.ts"

/** Which bucket a route draws on. */
export type Bucket = "users" | "jobs" | "token"

interface Size {
  readonly burst: number
  readonly perMinute: number
}

/** Bucket size, and requests that flow back per minute. `jobs`: a bucket of their own, "all other endpoints". */
const plans: { readonly [plan in Auth0Plan]: Size & { readonly jobs?: Size } } = {
  free: { burst: 2, perMinute: 120 },
  professional: { burst: 40, perMinute: 500, jobs: { burst: 10, perMinute: 150 } },
  enterprise: { burst: 50, perMinute: 960 },
  "enterprise-dev": { burst: 10, perMinute: 120 },
}

export const limitersOf = (plan: Auth0Plan, limits: Limits): { readonly [bucket in Bucket]: Limiter } => {
  if (limits === "off") return { users: unlimited, jobs: unlimited, token: unlimited }
  const factor = limits === "high" ? 100 : 1
  const bucket = ({ burst, perMinute }: Size) => tokenBucket(burst * factor, 60_000 / (perMinute * factor))
  const { jobs, ...users } = plans[plan]
  const shared = bucket(users)
  return {
    users: shared,
    jobs: jobs === undefined ? shared : bucket(jobs),
    token: tokenBucket(30 * factor, 1000 / (30 * factor)),
  }
}

export const headersOf = (grant: Grant, nowMillis: number): { readonly [name: string]: string } => ({
  "x-ratelimit-limit": String(grant.limit),
  "x-ratelimit-remaining": String(grant.remaining),
  // Epoch seconds of the next refill, not of a full bucket.
  "x-ratelimit-reset": String(Math.ceil((nowMillis + grant.resetMillis) / 1000)),
})
