/** How often each vendor was read and written, and what it was asked that the sandbox does not model. */
import type { RouteKind, Vendor } from "./exchange.ts"

export interface UnmodelledRequest {
  readonly vendor: Vendor | "none"
  readonly method: string
  readonly path: string
  readonly reason: string
}

export interface Counters {
  /** Requests that arrived, answered or not. */
  readonly requests: { readonly [vendor in Vendor]: { reads: number; writes: number } }
  /** By vendor, method and route: `brevo POST /contacts`. */
  readonly routes: Map<string, number>
  /** Answers by vendor and status: `auth0 429`. */
  readonly statuses: Map<string, number>
  readonly unmodelled: Array<UnmodelledRequest>
}

export const makeCounters = (): Counters => ({
  requests: {
    auth0: { reads: 0, writes: 0 },
    brevo: { reads: 0, writes: 0 },
    salesforce: { reads: 0, writes: 0 },
    persona: { reads: 0, writes: 0 },
  },
  routes: new Map(),
  statuses: new Map(),
  unmodelled: [],
})

export const resetCounters = (counters: Counters): void => {
  for (const each of Object.values(counters.requests)) Object.assign(each, { reads: 0, writes: 0 })
  counters.routes.clear()
  counters.statuses.clear()
  counters.unmodelled.length = 0
}

export const bump = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export const countRequest = (counters: Counters, vendor: Vendor, kind: RouteKind, route: string): void => {
  counters.requests[vendor][kind === "read" ? "reads" : "writes"] += 1
  bump(counters.routes, `${vendor} ${route}`)
}
