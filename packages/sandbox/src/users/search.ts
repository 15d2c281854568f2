/** Search over generated and changed users: index arithmetic where a range and a sort allow it, a scan where not. */
import type { Overlay } from "./directory.ts"
import type { User, UserGenerator } from "./generate.ts"
import { matches, type Query, type Range } from "./query.ts"

export interface Sort {
  readonly field: string
  readonly descending: boolean
}

export interface SearchRequest {
  readonly query: Query | undefined
  readonly sort: Sort
  readonly skip: number
  readonly take: number
}

export interface SearchResult {
  readonly users: ReadonlyArray<User>
  readonly total: number
}

export interface Search {
  readonly find: (overlay: Overlay, request: SearchRequest) => SearchResult
}

/** Generated users in the order of a field; place → number of the user. Absent: the users are in that order already. */
interface Order {
  readonly at: (place: number) => number
  readonly value: (place: number) => number
}

/** Remembered for a clause or an order; each is one number per user. */
const remembered = 4

export const makeSearch = (generator: UserGenerator): Search => {
  const { timeline } = generator
  const size = timeline.users
  const counts = new Map<string, Uint32Array>()
  const byCreation: Order = { at: (place) => place, value: timeline.createdAt }
  let byUpdate: Order | undefined

  const updateOrder = (): Order => {
    const times = Float64Array.from({ length: size }, (_, index) => timeline.updatedAt(index))
    const places = Uint32Array.from({ length: size }, (_, index) => index)
    places.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b)
    const at = (place: number) => places[place] ?? 0
    return { at, value: (place) => times[at(place)] ?? 0 }
  }

  const orderOf = (field: string): Order => {
    if (field !== "updated_at") return byCreation
    byUpdate ??= updateOrder()
    return byUpdate
  }

  /** How many of the first n users match; built once per clause, so that a total costs two look-ups. */
  const countsOf = (key: string, query: Query): Uint32Array => {
    const known = counts.get(key)
    if (known !== undefined) return known
    const made = new Uint32Array(size + 1)
    for (let index = 0; index < size; index++) {
      made[index + 1] = (made[index] ?? 0) + (matches(query, generator.user(index)) ? 1 : 0)
    }
    const oldest = counts.keys().next().value
    if (counts.size >= remembered && oldest !== undefined) counts.delete(oldest)
    counts.set(key, made)
    return made
  }

  /** The first place whose value is not below the bound. */
  const placeOf = (order: Order, at: number, after: boolean): number => {
    let low = 0
    let high = size
    while (low < high) {
      const middle = (low + high) >>> 1
      const value = order.value(middle)
      if (value < at || (after && value === at)) low = middle + 1
      else high = middle
    }
    return low
  }

  const window = (order: Order, ranges: ReadonlyArray<Range>) => {
    let first = 0
    let end = size
    for (const { from, to } of ranges) {
      if (from !== undefined) first = Math.max(first, placeOf(order, from.at, !from.inclusive))
      if (to !== undefined) end = Math.min(end, placeOf(order, to.at, to.inclusive))
    }
    return { first, end: Math.max(first, end) }
  }

  const plan = ({ query, sort }: SearchRequest): Plan => {
    const { ranges, rest } = split(query, sort.field)
    const field = ranges[0]?.field ?? sort.field
    const order = orderOf(field)
    const table = rest !== undefined && order === byCreation ? countsOf(describe(rest), rest) : undefined
    const fits = (index: number): boolean => {
      if (table !== undefined) return table[index] !== table[index + 1]
      return rest === undefined || matches(rest, generator.user(index))
    }
    return {
      ...window(order, ranges),
      order,
      ranges,
      table,
      fits,
      all: rest === undefined,
      sorted: field === sort.field && isTime(field),
    }
  }

  /** Without a walk wherever arithmetic or a table of counts can tell. */
  const totalOf = ({ first, end, order, ranges, table, fits, all }: Plan, hidden: ReadonlySet<number>): number => {
    let found = all ? end - first : 0
    if (table !== undefined) found = (table[end] ?? 0) - (table[first] ?? 0)
    else if (!all) for (let place = first; place < end; place++) found += fits(order.at(place)) ? 1 : 0
    for (const index of hidden) {
      const value = order === byUpdate ? timeline.updatedAt(index) : timeline.createdAt(index)
      if (inside(value, ranges) && fits(index)) found -= 1
    }
    return found
  }

  function* walk(plan: Plan, hidden: ReadonlySet<number>, backwards: boolean): Generator<User> {
    const { first, end, order, fits } = plan
    for (let step = 0; step < end - first; step++) {
      const index = order.at(backwards ? end - 1 - step : first + step)
      if (fits(index) && !hidden.has(index)) yield generator.user(index)
    }
  }

  const find = (overlay: Overlay, request: SearchRequest): SearchResult => {
    const { query, sort, skip, take } = request
    const found = plan(request)
    const compare = comparison(sort)
    const changed = overlay.users.filter((user) => query === undefined || matches(query, user)).sort(compare)
    const generated = walk(found, overlay.hidden, found.sorted && sort.descending)
    const users = found.sorted ? merge(generated, changed, compare) : [...generated, ...changed].sort(compare).values()
    return { users: users.drop(skip).take(take).toArray(), total: totalOf(found, overlay.hidden) + changed.length }
  }

  return { find }
}

/** How the generated users are gone through: a stretch of an order, and what each must pass. */
interface Plan {
  readonly order: Order
  readonly first: number
  readonly end: number
  readonly ranges: ReadonlyArray<Range>
  readonly table: Uint32Array | undefined
  readonly fits: (index: number) => boolean
  /** Every user of the stretch fits. */
  readonly all: boolean
  /** The stretch is in the order asked for. */
  readonly sorted: boolean
}

const isTime = (field: string): boolean => field === "created_at" || field === "updated_at"

const inside = (value: number, ranges: ReadonlyArray<Range>): boolean =>
  ranges.every(
    ({ from, to }) =>
      (from === undefined || value > from.at || (from.inclusive && value === from.at)) &&
      (to === undefined || value < to.at || (to.inclusive && value === to.at)),
  )

/** The ranges that arithmetic can do, all on one field and on the sort's if there is one, and what is left to test. */
const split = (query: Query | undefined, sortField: string) => {
  const parts = query === undefined ? [] : query._tag === "And" ? query.parts : [query]
  const times = parts.flatMap((part) => (part._tag === "Range" && isTime(part.range.field) ? [part.range] : []))
  const field = (times.find((range) => range.field === sortField) ?? times[0])?.field
  const ranges = times.filter((range) => range.field === field)
  const rest = parts.filter((part) => part._tag !== "Range" || part.range.field !== field || !isTime(part.range.field))
  const left: Query | undefined = rest.length === 0 ? undefined : { _tag: "And", parts: rest }
  return { ranges, rest: left }
}

/** A key for the clause: two clauses with one key are the same. */
const describe = (query: Query): string => {
  switch (query._tag) {
    case "And":
    case "Or":
      return `(${query.parts.map(describe).join(` ${query._tag} `)})`
    case "Not":
      return `NOT ${describe(query.part)}`
    case "Range":
      return `${query.range.field}:${JSON.stringify([query.range.from ?? null, query.range.to ?? null])}`
    case "Test":
      return query.text
  }
}

type Compare = (a: User, b: User) => number

/** Users without the field come last either way, ties are broken by nothing a client could know. */
const comparison = ({ field, descending }: Sort): Compare => {
  const sign = descending ? -1 : 1
  return (a, b) => {
    const [x, y] = [a[field], b[field]]
    if (x === undefined || y === undefined) return (x === undefined ? 1 : 0) - (y === undefined ? 1 : 0)
    if (typeof x === "number" && typeof y === "number") return sign * (x - y)
    const [s, t] = [String(x), String(y)]
    return sign * (s < t ? -1 : s > t ? 1 : 0)
  }
}

function* merge(base: Iterable<User>, changed: ReadonlyArray<User>, compare: Compare): Generator<User> {
  let next = 0
  for (const user of base) {
    for (let other = changed[next]; other !== undefined && compare(other, user) < 0; other = changed[next]) {
      yield other
      next += 1
    }
    yield user
  }
  yield* changed.slice(next)
}
