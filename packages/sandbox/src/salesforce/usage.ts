/** The org's allowances over a rolling day, and the header that reports the calls. salesforce.md §5.1 to §5.3. */
import { json, type Now } from "../exchange.ts"
import type { Limits } from "../options.ts"
import type { Route } from "../vendor.ts"
import { failure } from "./errors.ts"
import type { Org } from "./org.ts"

const hour = 3_600_000

/** Counts by the hour over the last 24: what was used comes back an hour at a time. */
export interface Allowance {
  readonly max: number
  readonly used: () => number
  readonly take: (count: number) => boolean
}

export const allowance = (max: number, now: Now): Allowance => {
  const hours = new Map<number, number>()
  const used = () => {
    const first = Math.floor(now() / hour) - 23
    let sum = 0
    for (const [each, count] of hours) {
      if (each < first) hours.delete(each)
      else sum += count
    }
    return sum
  }
  return {
    max,
    used,
    take: (count) => {
      if (used() + count > max) return false
      const current = Math.floor(now() / hour)
      hours.set(current, (hours.get(current) ?? 0) + count)
      return true
    },
  }
}

/** Calls that take 20 seconds or more are long; only so many may be under way at once. */
export interface LongCalls {
  readonly mayBegin: () => boolean
  readonly began: (millis: number) => void
}

const longMillis = 20_000
const maxLong = 25

export const makeLongCalls = (now: Now): LongCalls => {
  let ends: Array<number> = []
  return {
    mayBegin: () => {
      ends = ends.filter((end) => end > now())
      return ends.length < maxLong
    },
    began: (millis) => {
      if (millis >= longMillis) ends.push(now() + millis)
    },
  }
}

export interface Usage {
  readonly requests: Allowance
  readonly batches: Allowance
  readonly bulkRecords: Allowance
  readonly longCalls: LongCalls
}

export const makeUsage = (limits: Limits, now: Now, dailyRequests: number | undefined): Usage => {
  const factor = limits === "real" ? 1 : limits === "high" ? 100 : 10_000
  return {
    requests: allowance(dailyRequests ?? 100_000 * factor, now),
    batches: allowance(15_000 * factor, now),
    bulkRecords: allowance(150_000_000 * factor, now),
    longCalls: makeLongCalls(now),
  }
}

/** Several directives, of which the calls are one. */
export const limitInfo = ({ requests }: Usage): { readonly [name: string]: string } => ({
  "sforce-limit-info": `api-usage=${requests.used()}/${requests.max}; api-bursts=0/750`,
})

export const limitRoutes = (org: Org, usage: Usage): ReadonlyArray<Route> => [
  {
    method: "GET",
    pattern: "/services/data/:version/limits",
    kind: "read",
    run: () => {
      const shown = ({ max, used }: Allowance) => ({ Max: max, Remaining: Math.max(0, max - used()) })
      return json(200, {
        DailyApiRequests: shown(usage.requests),
        DailyBulkApiBatches: shown(usage.batches),
        DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 10_000 },
        DailyBulkV2QueryFileStorageMB: { Max: 976_562, Remaining: 976_562 },
        DataStorageMB: { Max: 1_024, Remaining: 1_000 },
      })
    },
  },
  {
    method: "GET",
    pattern: "/services/data/:version/limits/recordCount",
    kind: "read",
    run: ({ query }) => {
      const names = (query.get("sObjects") ?? "").split(",").filter((name) => name !== "")
      const tables = names.length === 0 ? org.tables : names.flatMap((name) => org.table(name) ?? [])
      if (tables.length < names.length) return failure(400, "INVALID_TYPE", "sObject type is not supported.")
      return json(200, { sObjects: tables.map(({ spec, size }) => ({ count: size, name: spec.name })) })
    },
  },
]
