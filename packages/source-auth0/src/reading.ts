/** What the parts of one scan share: its searches, the records it makes of users, and its counts. */
import type { Page, Position, SourceError, SourceRecord } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import type { Found, Management, User } from "./management.ts"
import type { TimeField } from "./query.ts"
import { comparable, timeOf } from "./times.ts"

/** Search refuses page N of size P where (N + 1) * P is more (auth0 trap 1). */
export const WALL = 1_000

/** What the scans of a run found out; ends as the completeness line of the report. */
export interface Tally {
  /** Users that search counted when the scan began; undefined for a resumed scan. */
  expected: number | undefined
  delivered: number
  windows: number
  ties: number
  partitions: number
  duplicates: number
  swept: number
  reread: number
  overlap: number
  /** Lines of an export's file, and how often its job was asked for. */
  exported: number
  polls: number
  gap: string | undefined
}

export const makeTally = (): Tally => ({
  expected: undefined,
  delivered: 0,
  windows: 0,
  ties: 0,
  partitions: 0,
  duplicates: 0,
  swept: 0,
  reread: 0,
  overlap: 0,
  exported: 0,
  polls: 0,
  gap: undefined,
})

export interface Reading {
  readonly field: TimeField
  /** The clauses of the stream's filters. */
  readonly base: ReadonlyArray<string>
  readonly tally: Tally
  /** One search; `identities` asks for them although the mapping reads none. */
  readonly search: (
    clauses: ReadonlyArray<string>,
    page: number,
    identities?: boolean,
  ) => Effect.Effect<Found, SourceError>
  readonly page: (users: ReadonlyArray<User>, position: Position) => Effect.Effect<Page, SourceError>
}

/** The last page that the wall lets us see. */
export const lastPage = (found: Found): number => Math.floor(WALL / found.limit) - 1

/**
 * Whether `found`, the first page, is all there is. Its length alone proves nothing: Auth0 cuts page sizes and filters
 * late (auth0 trap 2). Neither does `total` alone (auth0 trap 4). Where both say so, or nothing came, it is the end.
 */
export const isAll = ({ users, limit, total }: Found): boolean =>
  users.length === 0 || (users.length < limit && total !== undefined && total <= users.length)

/** Search cuts a user at 1 MB, which is 333,000 characters of three bytes; what is near is read by id (auth0 trap 25). */
const LARGE = 300_000

/** Roughly the characters of a value, counted only until they are many. */
const weight = (value: Json, most: number): number => {
  if (typeof value === "string") return value.length + 2
  if (value === null || typeof value !== "object") return 8
  let sum = 2
  for (const [key, inner] of Object.entries(value)) {
    if (sum > most) return sum
    sum += key.length + 4 + weight(inner, most - sum)
  }
  return sum
}

export interface ReadingOptions {
  readonly management: Management
  readonly field: TimeField
  readonly base: ReadonlyArray<string>
  readonly tally: Tally
  /** Root fields to ask for; all where undefined. */
  readonly fields: ReadonlyArray<string> | undefined
  readonly perPage: number
}

export const recordOf = (user: User, fields: ReadonlyArray<string> | undefined): SourceRecord => {
  const updated = timeOf(user, "updated_at")
  const extra = fields !== undefined && Object.keys(user).some((name) => !fields.includes(name))
  const data = extra ? Object.fromEntries(Object.entries(user).filter(([name]) => fields.includes(name))) : user
  return {
    key: user.user_id,
    change: "upsert",
    ...(updated === undefined ? {} : { version: comparable(updated) }),
    data,
  }
}

export const makeReading = ({ management, field, base, tally, fields, perPage }: ReadingOptions): Reading => {
  let size = perPage
  const withIdentities = fields === undefined || fields.includes("identities") ? fields : [...fields, "identities"]

  const whole = (user: User): Effect.Effect<ReadonlyArray<User>, SourceError> => {
    if (weight(user, LARGE) < LARGE) return Effect.succeed([user])
    tally.reread += 1
    return management.byId(user.user_id, fields)
  }

  return {
    field,
    base,
    tally,
    search: (clauses, page, identities = false) =>
      management
        .search({
          clauses,
          sort: `${field}:1`,
          page,
          perPage: size,
          fields: identities ? withIdentities : fields,
        })
        .pipe(
          Effect.tap((found) =>
            Effect.sync(() => {
              // Once Auth0 has cut the page size, later pages must count in the same size.
              size = Math.min(size, found.limit)
            }),
          ),
        ),
    page: (users, position) =>
      Effect.map(
        users.some((user) => weight(user, LARGE) >= LARGE)
          ? Effect.map(Effect.forEach(users, whole), (each) => each.flat())
          : Effect.succeed(users),
        (complete) => {
          tally.delivered += complete.length
          return { records: complete.map((user) => recordOf(user, fields)), position }
        },
      ),
  }
}
