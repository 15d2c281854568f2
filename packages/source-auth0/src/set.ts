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

interface Part {
  readonly clause: string
  /** First characters of user_id that its users share. */
  readonly length: number
}

/** The connection of a user's first identity, which linking and unlinking never changes. */
const connections = (users: ReadonlyArray<User>): ReadonlyArray<Part> =>
  users.flatMap(({ identities }) => {
    const first = Array.isArray(identities) ? identities[0] : undefined
    const name = first !== null && typeof first === "object" && "connection" in first ? first.connection : undefined
    return typeof name === "string" && name !== "" ? [{ clause: inConnection(name), length: 0 }] : []
  })

const commonStart = (a: string, b: string): string => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}

/** Search takes no shorter wildcard. */
const SHORTEST = 3

/** The users whose id goes on as this one does where most start with `shared`. */
const partOf = (id: string, shared: string): Part => {
  const telling = Math.max(commonStart(id, shared).length + 1, SHORTEST)
  // Half a character cannot be sent.
  const length = id.slice(0, telling).isWellFormed() ? telling : telling + 1
  return { clause: id.length < length ? withId(id) : withIdPrefix(id.slice(0, length)), length }
}

/**
 * What all ids of a set start with. Those of a bulk import differ only near their end, and the first page shows a few
 * that are alike, so search is asked for any that is not.
 */
const sharedStart = Effect.fnUntraced(function* (
  reading: Reading,
  set: UserSet,
  users: ReadonlyArray<User>,
  known: number,
) {
  let ids = users.map(({ user_id }) => user_id)
  while (true) {
    const shared = ids.reduce(commonStart)
    if (shared.length <= Math.max(known, SHORTEST) || !shared.isWellFormed()) return shared
    const others = yield* reading.search([...set.clauses, not(withIdPrefix(shared))], 0)
    if (others.users.length === 0) return shared
    ids = [shared, ...others.users.map(({ user_id }) => user_id)]
  }
})

/** Longer searches are refused (414); Auth0 does not say from which length on. */
const mostParts = { connection: 15, user_id: 70 } as const

interface Division {
  /** The clauses of the parts that are known. */
  readonly parts: ReadonlyArray<string>
  /** For parts by user_id: what all ids started with when the first part was learned. */
  readonly shared: string | undefined
}

/**
 * Asks for what no known part holds, learns parts from the answer, reads them, and asks again until nothing is left.
 * So a part nobody knew of cannot be missed.
 */
const split = (reading: Reading, set: UserSet, by: Dimension): Pages => {
  const learn = Effect.fnUntraced(function* (users: ReadonlyArray<User>, { parts, shared: before }: Division) {
    const shared = by._tag === "connection" ? "" : (before ?? (yield* sharedStart(reading, set, users, by.shared)))
    const named = by._tag === "connection" ? connections(users) : users.map(({ user_id }) => partOf(user_id, shared))
    const unknown = named.filter(({ clause }) => !parts.includes(clause))
    return { shared, learned: [...new Map(unknown.map((part) => [part.clause, part])).values()] }
  })

  const step = Effect.fnUntraced(function* (division: Division) {
    const rest = { ...set, clauses: [...set.clauses, ...division.parts.map(not)] }
    const found = yield* reading.search(rest.clauses, 0, by._tag === "connection")
    const none = Option.none<Division>()
    if (isAll(found)) return [[yield* pages(reading, set, found.users)], none] as const
    const { shared, learned } = yield* learn(found.users, division)
    const parts = [...division.parts, ...learned.map(({ clause }) => clause)]
    if (learned.length === 0 || parts.length > mostParts[by._tag]) {
      if (by._tag === "connection") return [[split(reading, rest, byId(0))], none] as const
      const message = "Auth0: users of one millisecond cannot be told apart by search."
      return yield* new SourceError({ reason: new Protocol({ message }) })
    }
    reading.tally.partitions += learned.length
    const read = ({ clause, length }: Part) =>
      readSet(reading, { ...set, clauses: [...set.clauses, clause] }, byId(length))
    return [learned.map(read), Option.some({ parts, shared })] as const
  })
  return Stream.flatten(Stream.paginate<Division, Pages, SourceError>({ parts: [], shared: undefined }, step))
}
