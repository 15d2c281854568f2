/**
 * Reads all users of one search that cannot slide on: those of a single millisecond, or those without a time. Page by
 * page while the wall allows, else in parts by connection and by the first characters of user_id.
 */
import { type Page, type Position, Protocol, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { User } from "./management.ts"
import { inConnection, not, withId, withIdPrefix } from "./query.ts"
import { isAll, lastPage, type Reading, WALL } from "./reading.ts"

type Pages = Stream.Stream<Page, SourceError>

/** By what a set is read in parts; `shared`: how many first characters of user_id its users are known to share. */
type Dimension = { readonly _tag: "connection" } | { readonly _tag: "user_id"; readonly shared: number }

const byConnection: Dimension = { _tag: "connection" }
const byId = (shared: number): Dimension => ({ _tag: "user_id", shared })

export interface UserSet {
  readonly clauses: ReadonlyArray<string>
  /** Of the pages that come of it: reading the set again from its start loses nothing. */
  readonly position: Position
  /** Ids that were handed over already; grows. */
  readonly handedOver: Set<string>
}

/** More than this is not remembered: handing a user over twice costs a comparison, a set without end costs memory. */
const MOST_REMEMBERED = 50_000

const fresh = (reading: Reading, { handedOver }: UserSet, users: ReadonlyArray<User>): ReadonlyArray<User> => {
  const found = users.filter(({ user_id }) => !handedOver.has(user_id))
  reading.tally.duplicates += users.length - found.length
  if (handedOver.size > MOST_REMEMBERED) handedOver.clear()
  for (const { user_id } of found) handedOver.add(user_id)
  return found
}

const pages = (reading: Reading, set: UserSet, users: ReadonlyArray<User>): Effect.Effect<Pages, SourceError> => {
  const found = fresh(reading, set, users)
  return found.length === 0
    ? Effect.succeed(Stream.empty)
    : Effect.map(reading.page(found, set.position), (page) => Stream.make(page))
}

interface Pass {
  readonly nth: number
  readonly page: number
  /** Ids of this pass so far, in the order of the pages, and those of the pass before. */
  readonly ids: ReadonlyArray<string>
  readonly before: ReadonlyArray<string> | undefined
}

/** After so many differing passes the set is read in parts, of which each fits one page, so nothing can shift. */
const MOST_PASSES = 3

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string> | undefined) =>
  b !== undefined && a.length === b.length && a.every((id, place) => id === b[place])

/**
 * A user who leaves the set while it is paged shifts those behind by one, and one is skipped (auth0 trap 8). So more
 * than one page is read until two passes in a row agree: whoever left in between stands in one of them only.
 */
export const readSet = (reading: Reading, set: UserSet, by: Dimension = byConnection): Pages => {
  const step = Effect.fnUntraced(function* (pass: Pass) {
    const found = yield* reading.search(set.clauses, pass.page)
    const arrived = yield* pages(reading, set, found.users)
    const ids = [...pass.ids, ...found.users.map(({ user_id }) => user_id)]
    const inParts = [[arrived, split(reading, set, by)], Option.none<Pass>()] as const
    if (found.total !== undefined && found.total >= WALL) return inParts
    const ended = pass.page === 0 ? isAll(found) : found.users.length === 0
    if (!ended) {
      if (pass.page >= lastPage(found)) return inParts
      return [[arrived], Option.some({ ...pass, page: pass.page + 1, ids })] as const
    }
    if (pass.page === 0 || same(ids, pass.before)) return [[arrived], Option.none<Pass>()] as const
    if (pass.nth >= MOST_PASSES) return inParts
    return [[arrived], Option.some({ nth: pass.nth + 1, page: 0, ids: [], before: ids })] as const
  })
  const first: Pass = { nth: 1, page: 0, ids: [], before: undefined }
  return Stream.flatten(Stream.paginate(first, step))
}

/** The connection of a user's first identity, which linking and unlinking never changes. */
const connections = (users: ReadonlyArray<User>): ReadonlyArray<string> =>
  users.flatMap(({ identities }) => {
    const first = Array.isArray(identities) ? identities[0] : undefined
    const name = first !== null && typeof first === "object" && "connection" in first ? first.connection : undefined
    return typeof name === "string" && name !== "" ? [inConnection(name)] : []
  })

const commonPrefix = (a: string, b: string): string => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}

/** The first characters as a clause: `length` of them, or one more where that would be half a character. */
const startingWith = (id: string, length: number): string => {
  if (id.length < length) return withId(id)
  return withIdPrefix(id.slice(0, id.slice(0, length).isWellFormed() ? length : length + 1))
}

/** Search takes no shorter wildcard. */
const SHORTEST = 3

/**
 * How many characters all ids of a set share, at least `known`. Ids of a bulk import differ only near their end, and
 * the first page shows a few that are alike, so search is asked for any that is not.
 */
const sharedLength = Effect.fnUntraced(function* (
  reading: Reading,
  set: UserSet,
  users: ReadonlyArray<User>,
  known: number,
) {
  let ids = users.map(({ user_id }) => user_id)
  while (true) {
    const shared = ids.reduce(commonPrefix)
    if (shared.length <= Math.max(known, SHORTEST)) return known
    const others = yield* reading.search([...set.clauses, not(startingWith(shared, shared.length))], 0)
    if (others.users.length === 0) return shared.length
    ids = [shared, ...others.users.map(({ user_id }) => user_id)]
  }
})

/** Longer searches are refused (414); Auth0 does not say from which length on. */
const mostParts = { connection: 15, user_id: 70 } as const

interface Division {
  readonly parts: ReadonlyArray<string>
  /** For parts by user_id: how many characters all share; undefined until asked. */
  readonly shared: number | undefined
}

/**
 * Asks for what no known part holds, learns parts from the answer, reads them, and asks again until nothing is left.
 * So a part nobody knew of cannot be missed.
 */
const split = (reading: Reading, set: UserSet, by: Dimension): Pages => {
  const step = Effect.fnUntraced(function* ({ parts, shared: before }: Division) {
    const rest = { ...set, clauses: [...set.clauses, ...parts.map(not)] }
    const found = yield* reading.search(rest.clauses, 0, by._tag === "connection")
    const none = Option.none<Division>()
    if (isAll(found)) return [[yield* pages(reading, set, found.users)], none] as const
    const shared =
      by._tag === "connection" ? 0 : (before ?? (yield* sharedLength(reading, set, found.users, by.shared)))
    const length = Math.max(shared + 1, SHORTEST)
    const named =
      by._tag === "connection"
        ? connections(found.users)
        : found.users.map((user) => startingWith(user.user_id, length))
    const learned = [...new Set(named)].filter((part) => !parts.includes(part))
    if (learned.length === 0 || parts.length + learned.length > mostParts[by._tag]) {
      if (by._tag === "connection") return [[split(reading, rest, byId(0))], none] as const
      const message = "Auth0: users of one millisecond cannot be told apart by search."
      return yield* new SourceError({ reason: new Protocol({ message }) })
    }
    reading.tally.partitions += learned.length
    const inner = byId(by._tag === "connection" ? 0 : length)
    const streams = learned.map((part) => readSet(reading, { ...set, clauses: [...set.clauses, part] }, inner))
    return [streams, Option.some({ parts: [...parts, ...learned], shared })] as const
  })
  return Stream.flatten(Stream.paginate<Division, Pages, SourceError>({ parts: [], shared: undefined }, step))
}
