/**
 * The common case of a page: rows that come out as they were last written. They cost a question to the ledger and a
 * hash, and never reach the lanes.
 */
import * as Effect from "effect/Effect"
import { stateFailure } from "../../state/errors.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import type { RunContext } from "./context.ts"
import { isOverrun, rowHash } from "./judge.ts"
import type { Arrival } from "./lane.ts"
import type { RouteState } from "./routeState.ts"

export interface Sifted {
  readonly unchanged: ReadonlyArray<Arrival>
  readonly changed: ReadonlyArray<Arrival>
  /** What the ledger answered, undefined for a record it does not know. */
  readonly asked: ReadonlyMap<string, LedgerRow | undefined>
}

/**
 * Says what is unchanged and what is not. Only records of which nothing is under way: what the ledger says of
 * them holds until they are admitted, as arrivals are judged one page at a time.
 */
export const sift = Effect.fnUntraced(function* (ctx: RunContext, state: RouteState, arrivals: ReadonlyArray<Arrival>) {
  const ids = askable(ctx, state, arrivals)
  const asked = new Map<string, LedgerRow | undefined>(ids.map((id) => [id, undefined]))
  for (const row of yield* state.ledger.byIds(ids)) asked.set(row.id, row)
  const refused = new Set<string>()
  if (state.knownLetters > 0) for (const { id } of yield* state.letters.byIds(ids)) refused.add(id)
  const changed: Array<Arrival> = []
  const unchanged: Array<Arrival> = []
  for (const arrival of arrivals) {
    const mine = asked.get(arrival.id)
    if (mine === undefined || refused.has(arrival.id) || !isUnchanged(ctx, state, arrival, mine)) {
      changed.push(arrival)
    } else unchanged.push(arrival)
  }
  const sifted: Sifted = { unchanged, changed, asked }
  return sifted
}, Effect.mapError(stateFailure))

/** Settles what is unchanged. */
export const pass = (state: RouteState, unchanged: ReadonlyArray<Arrival>): void => {
  state.counts.unchanged += unchanged.length
  for (const { pages } of unchanged) for (const page of pages) page.open -= 1
}

/** Recovered rows are sent whatever the ledger says of them; of two versions in one page neither is alone. */
const askable = (ctx: RunContext, state: RouteState, arrivals: ReadonlyArray<Arrival>): ReadonlyArray<string> => {
  if (ctx.force) return []
  const ids = new Set<string>()
  const twice = new Set<string>()
  for (const arrival of arrivals) {
    if (arrival.tally === "recovered" || !state.lane.isIdle(arrival)) continue
    if (ids.has(arrival.id)) twice.add(arrival.id)
    ids.add(arrival.id)
  }
  return [...ids.difference(twice)]
}

const isUnchanged = (ctx: RunContext, state: RouteState, { mapped }: Arrival, mine: LedgerRow): boolean =>
  mapped._tag === "Row" &&
  mapped.row.change === "upsert" &&
  mine.row_key === mapped.row.key &&
  !isOverrun(mapped.record, mine) &&
  mine.hash === rowHash(ctx, state, mapped.canonical)
