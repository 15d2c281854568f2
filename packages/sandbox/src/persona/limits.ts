/** Persona's one limit: 300 requests a minute of an environment, in windows that begin with a request. persona.md §0.3 */
import { type Grant, type Limiter, unlimited } from "../limits.ts"
import type { Limits } from "../options.ts"

const WINDOW_MILLIS = 60_000
const PER_WINDOW = 300

export interface EnvironmentLimit extends Limiter {
  /** Requests of others, such as people who are being verified. */
  readonly used: (requests: number, nowMillis: number) => void
  /** As it stands, without a request. */
  readonly state: (nowMillis: number) => Grant
}

export const makeEnvironmentLimit = (limits: Limits): EnvironmentLimit => {
  const limit = PER_WINDOW * (limits === "high" ? 100 : 1)
  let began = Number.NEGATIVE_INFINITY
  let used = 0

  const enter = (now: number) => {
    if (now < began + WINDOW_MILLIS) return
    began = now
    used = 0
  }
  const state = (now: number): Grant => ({
    allowed: used < limit,
    limit,
    remaining: Math.max(0, limit - used),
    resetMillis: Math.max(0, began + WINDOW_MILLIS - now),
  })
  if (limits === "off") return { take: unlimited.take, state: unlimited.take, used: () => {} }
  return {
    state,
    used: (requests, now) => {
      enter(now)
      used += requests
    },
    take: (now) => {
      enter(now)
      const { allowed } = state(now)
      if (allowed) used += 1
      return { ...state(now), allowed }
    },
  }
}

export const headersOf = (grant: Grant): { readonly [name: string]: string } => ({
  "ratelimit-limit": String(grant.limit),
  "ratelimit-remaining": String(grant.remaining),
  "ratelimit-reset": String(Math.ceil(grant.resetMillis / 1000)),
})
