/** The reader of a tenant's users. */
import type { Completeness, Estimate, RateLimit, Reader, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Exports } from "./export/export.ts"
import { exportCost } from "./export/job.ts"
import { findBy, findUsers } from "./find.ts"
import type { Management } from "./management.ts"
import type { UserOptions } from "./options.ts"
import { filters, from } from "./query.ts"
import { makeTally, type Tally, WALL } from "./reading.ts"
import type { UsersRequest } from "./request.ts"
import { begin, countUsers, scanUsers, takesExport } from "./scan.ts"

interface Scan {
  readonly purpose: UsersRequest["purpose"]
  readonly tally: Tally
}

/** A total of exactly the wall may be a capped one. */
const believed = ({ expected, delivered }: Tally): number | undefined =>
  expected === WALL && delivered !== WALL ? undefined : expected

const completenessOf = (scans: ReadonlyArray<Scan>): Completeness => {
  const { tally } = scans.findLast(({ purpose }) => purpose === "run") ?? scans.at(-1) ?? { tally: makeTally() }
  const { windows, ties, partitions, duplicates, swept, reread, overlap, exported, polls, delivered } = tally
  return {
    expected: believed(tally),
    delivered,
    gap: scans.find(({ tally: { gap } }) => gap !== undefined)?.tally.gap,
    facts: { windows, ties, partitions, duplicates, swept, reread, overlap_seconds: overlap, exported, polls },
  }
}

/** Each page starts with the last user of the one before, and a scan looks ahead once, sweeps once. */
const callsFor = (users: number, perPage: number): number => 2 + Math.ceil(users / Math.max(1, perPage - 1))

const secondsFor = (calls: number, limit: RateLimit, share: number): number => {
  const atOnce = Math.floor((limit.burst ?? limit.limit) * share)
  return Math.ceil((Math.max(0, calls - atOnce) * limit.windowMillis) / 1000 / (limit.limit * share))
}

const estimate = (management: Management, limit: RateLimit, share: number) =>
  Effect.fnUntraced(function* (request: UsersRequest): Effect.fn.Return<Estimate, SourceError> {
    const beginning = yield* begin(request)
    if (beginning === undefined) return { records: 0, calls: 0, seconds: 0 }
    const { position } = beginning
    if (position.phase === "export") {
      const total = yield* countUsers(management, [...filters(request.options), from("created_at")])
      const records = total === undefined ? undefined : Math.max(0, total - position.lines)
      return { records, ...exportCost(records) }
    }
    const bound = position.phase === "slide" ? position.bound : undefined
    const clauses = [...filters(request.options), from(position.field, bound)]
    const sort = `${position.field}:1`
    const { total } = yield* management.search({ clauses, sort, page: 0, perPage: 1, fields: ["user_id"] })
    const records = position.phase === "sweep" ? 0 : total
    if (takesExport(request, position, total)) {
      return { records: total === WALL ? undefined : total, ...exportCost(total) }
    }
    const calls = callsFor(records ?? WALL, request.options.per_page)
    return { records: records === WALL ? undefined : records, calls, seconds: secondsFor(calls, limit, share) }
  })

export const makeUsers = (
  management: Management,
  exports: Exports,
  identify: Reader["identify"],
  { limit, share }: { readonly limit: RateLimit; readonly share: number },
): Reader<UserOptions> => {
  const scans: Array<Scan> = []
  return {
    identify,
    estimate: estimate(management, limit, share),
    find: (request, by) => findUsers(management, request, by),
    findBy,
    read: (request) =>
      Stream.suspend(() => {
        const tally = makeTally()
        scans.push({ purpose: request.purpose, tally })
        return scanUsers(management, exports, request, tally)
      }),
    completeness: Effect.sync(() => completenessOf(scans)),
  }
}
