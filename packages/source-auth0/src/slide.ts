/**
 * The keyset scan: always the first page of what is not earlier than the last user seen. Users that move while it
 * runs only move forward, so none is skipped, and no page number grows towards the wall.
 */
import { type Page, Protocol, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Found, User } from "./management.ts"
import { type Sliding, slidingFrom } from "./position.ts"
import { at, between, from } from "./query.ts"
import { isAll, type Reading } from "./reading.ts"
import { readSet } from "./set.ts"
import { compare, timeOf } from "./times.ts"

type Pages = Stream.Stream<Page, SourceError>

const nonsense = (message: string) => new SourceError({ reason: new Protocol({ message: `Auth0: ${message}` }) })

/** The times of a page, checked: an order or a bound that is not kept would lose users without a word. */
const checkedTimes = Effect.fnUntraced(function* (
  reading: Reading,
  { bound, exclusive }: Sliding,
  users: ReadonlyArray<User>,
) {
  const times = users.flatMap((user) => timeOf(user, reading.field) ?? [])
  const [first] = times
  if (first === undefined) return yield* nonsense(`search found users by ${reading.field} and sent none of it.`)
  const ahead = bound === undefined ? 1 : compare(first, bound)
  if (exclusive ? ahead <= 0 : ahead < 0) {
    return yield* nonsense("search answered with users from before the time it was asked for.")
  }
  if (times.some((time, place) => place > 0 && compare(times[place - 1] ?? time, time) > 0)) {
    return yield* nonsense("search did not sort its answer.")
  }
  return times.at(-1) ?? first
})

const idsAt = (reading: Reading, users: ReadonlyArray<User>, time: string): ReadonlySet<string> =>
  new Set(users.filter((user) => timeOf(user, reading.field) === time).map(({ user_id }) => user_id))

export interface SlideOptions {
  readonly start: Sliding
  /** Whether this is the scan's beginning, so that its first total counts all of it. */
  readonly whole: boolean
  /** Its first search, where that has been made. */
  readonly first: Found | undefined
}

export const slide = (reading: Reading, { start, whole, first: searched }: SlideOptions): Pages => {
  const { tally, field } = reading
  const before = tally.delivered
  let latest = start.bound

  /** Nobody was counted who did not arrive, or the count says how many. Deleted users make the first count too high. */
  const recheck = Effect.gen(function* () {
    const arrived = tally.delivered - before
    if (!whole || latest === undefined || tally.expected === undefined || arrived >= tally.expected) return
    const { total } = yield* reading.search([...reading.base, between(field, start.bound, latest)], 0)
    if (total === undefined || total <= arrived) return
    tally.gap = `Auth0 counts ${total} users up to ${latest} and search brought ${arrived}. Run again to read the rest.`
  })

  const ended = (found: Pages) => [[found, Stream.fromEffectDrain(recheck)], Option.none<State>()] as const

  const tied = (state: State, users: ReadonlyArray<User>, bound: string) => {
    tally.ties += 1
    const handedOver = new Set([...state.known, ...users.map(({ user_id }) => user_id)])
    const position = slidingFrom(field, bound, { seen: handedOver, next: start.next })
    const set = readSet(reading, { clauses: [...reading.base, at(field, bound)], position, handedOver })
    const next = {
      position: slidingFrom(field, bound, { exclusive: true, next: start.next }),
      known: new Set<string>(),
    }
    return Effect.map(reading.page(users, position), (page) => [[Stream.make(page), set], Option.some(next)] as const)
  }

  const step = Effect.fnUntraced(function* (state: State) {
    const { bound, exclusive } = state.position
    const found =
      tally.windows === 0 && searched !== undefined
        ? searched
        : yield* reading.search([...reading.base, from(field, bound, exclusive)], 0)
    tally.windows += 1
    if (whole && tally.windows === 1 && tally.expected === undefined) tally.expected = found.total
    if (found.users.length === 0) return ended(Stream.empty)
    const last = yield* checkedTimes(reading, state.position, found.users)
    latest = last
    const users = found.users.filter(({ user_id }) => !state.known.has(user_id))
    tally.duplicates += found.users.length - users.length
    const known = idsAt(reading, found.users, last)
    const position = slidingFrom(field, last, { seen: known, next: start.next })
    if (isAll(found)) return ended(Stream.make(yield* reading.page(users, position)))
    if (bound !== undefined && compare(last, bound) === 0) return yield* tied(state, users, bound)
    return [[Stream.make(yield* reading.page(users, position))], Option.some({ position, known })] as const
  })

  const first: State = { position: start, known: new Set(start.seen) }
  return Stream.flatten(Stream.paginate(first, step))
}

interface State {
  readonly position: Sliding
  /** Ids at the bound that were handed over. */
  readonly known: ReadonlySet<string>
}
