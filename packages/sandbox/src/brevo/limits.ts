/** Brevo's rate limits by plan and the headers that report them, brevo.md §4. Both windows hold for contacts. */
import { allOf, fixedWindow, type Grant, type Limiter, unlimitedAt } from "../limits.ts"
import type { BrevoPlan, Limits } from "../options.ts"

export type Family = "contacts" | "other"

const hour = 3_600_000

const plans: {
  readonly [plan in BrevoPlan]: { readonly perSecond: number; readonly perHour: number; readonly other: number }
} = {
  general: { perSecond: 10, perHour: 36_000, other: 100 },
  advanced: { perSecond: 20, perHour: 72_000, other: 200 },
  extended: { perSecond: 60, perHour: 216_000, other: 600 },
}

/** A hundred times the largest plan. A client may take more for a header gone wrong. */
const boundless = unlimitedAt(6_000)

export const limitersOf = (plan: BrevoPlan, limits: Limits): { readonly [family in Family]: Limiter } => {
  if (limits === "off") return { contacts: boundless, other: boundless }
  const factor = limits === "high" ? 100 : 1
  const { perSecond, perHour, other } = plans[plan]
  return {
    contacts: allOf([fixedWindow(perSecond * factor, 1000), fixedWindow(perHour * factor, hour)]),
    other: fixedWindow(other * factor, hour),
  }
}

export const headersOf = (grant: Grant): { readonly [name: string]: string } => ({
  "x-sib-ratelimit-limit": String(grant.limit),
  "x-sib-ratelimit-remaining": String(grant.remaining),
  // Seconds from now.
  "x-sib-ratelimit-reset": String(Math.max(1, Math.ceil(grant.resetMillis / 1000))),
})
