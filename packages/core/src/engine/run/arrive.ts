/** From a page's mapped records to rows that wait to be sent; all else is settled here. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { StoredDeadLetter } from "../../state/deadLetters.ts"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import type { LedgerRow, Wanted } from "../../state/ledger.ts"
import { overBudget } from "./budget.ts"
import type { RunContext } from "./context.ts"
import type { Settled } from "./counts.ts"
import type { Arrival, Entry } from "./entry.ts"
import { isOverrun, judge, type Known, rowHash, type Verdict } from "./judge.ts"
import { type RouteState, wake } from "./routeState.ts"
import { grouped, nothingSettled, type Settlement, settle } from "./settle.ts"

/**
 * Judges arrivals against the ledger, with the same few questions for all of them, and buffers those to be sent. Called
 * without arrivals, it judges the parked ones that need not wait any more.
 */
export const arrive = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  arrivals: ReadonlyArray<Arrival>,
): Effect.fn.Return<void, StateFailure> {
  yield* judgeAll(ctx, state, arrivals)
  while (state.lane.canUnpark()) yield* judgeAll(ctx, state, [])
})

const judgeAll = Effect.fnUntraced(
  function* (ctx: RunContext, state: RouteState, arrivals: ReadonlyArray<Arrival>) {
    // In one step with their admission: a stop must not find rows that are counted and nowhere (rule 2).
    for (const { tally } of arrivals) if (tally === "run") state.counts.read += 1
    const { free, superseded } = state.lane.admit(arrivals)
    if (free.length + superseded.length === 0) return
    const found = yield* recall(state, free)
    const changed = pass(ctx, state, free, found)
    const knownOf = yield* ask(state, changed, found)
    const settled: Array<Judged> = []
    for (const entry of changed) {
      const known = knownOf(entry)
      if (!state.lane.claim(entry, known.mine?.row_key)) continue
      const verdict = judge(ctx, state, entry, known)
      if (verdict._tag === "Send") state.lane.enqueue(entry, verdict.write)
      else settled.push({ entry, known, verdict })
    }
    for (const { verdict } of settled) if (verdict.kept !== undefined) state.kept[verdict.kept] += 1
    if (settled.length + superseded.length > 0) yield* settle(ctx, state, settlementOf(settled, superseded))
    stopOverBudget(state, settled)
    wake(state)
  },
  (effect, _ctx, state) => Semaphore.withPermit(state.judging, effect),
)

/** What the state has of these records, by id. */
interface Found {
  readonly rows: ReadonlyMap<string, LedgerRow>
  readonly letters: ReadonlyMap<string, StoredDeadLetter>
}

const recall = Effect.fnUntraced(function* (state: RouteState, entries: ReadonlyArray<Entry>) {
  const ids = entries.map((entry) => entry.id)
  const rows = new Map<string, LedgerRow>()
  const letters = new Map<string, StoredDeadLetter>()
  for (const row of yield* state.ledger.byIds(ids)) rows.set(row.id, row)
  if (state.knownLetters > 0) for (const letter of yield* state.letters.byIds(ids)) letters.set(letter.id, letter)
  const found: Found = { rows, letters }
  return found
}, Effect.mapError(stateFailure))

/** Settles the common case, rows that come out as they were last written, and returns the others. */
const pass = (
  ctx: RunContext,
  state: RouteState,
  entries: ReadonlyArray<Entry>,
  found: Found,
): ReadonlyArray<Entry> => {
  if (found.rows.size === 0) return entries
  const unchanged: Array<Entry> = []
  const changed: Array<Entry> = []
  for (const entry of entries) (isUnchanged(ctx, state, entry, found) ? unchanged : changed).push(entry)
  for (const entry of unchanged) {
    for (const page of entry.pages) page.open -= 1
    state.lane.release(entry)
  }
  state.counts.unchanged += unchanged.length
  return changed
}

/** Recovered rows are judged whatever the ledger says of them, and those with a dead letter: it may have to be closed. */
const isUnchanged = (ctx: RunContext, state: RouteState, entry: Entry, { rows, letters }: Found): boolean => {
  const { id, mapped, tally } = entry
  const row = rows.get(id)
  if (row === undefined || ctx.force || tally === "recovered" || letters.has(id)) return false
  if (mapped._tag !== "Row" || mapped.row.change === "delete" || mapped.row.key !== row.row_key) return false
  return !isOverrun(mapped.record, row) && row.hash === rowHash(ctx, state, mapped.canonical)
}

/** Nothing is to be written of it. */
interface Judged {
  readonly entry: Entry
  readonly known: Known
  readonly verdict: Extract<Verdict, { _tag: "Settle" }>
}

/** What else judging needs: who else has the row key. */
const ask = Effect.fnUntraced(function* (state: RouteState, entries: ReadonlyArray<Entry>, { rows, letters }: Found) {
  const keyIn = (entry: Entry): string | undefined => wantedKey(entry) ?? rows.get(entry.id)?.row_key
  const wanted = entries.flatMap((entry): Wanted | ReadonlyArray<never> => {
    const key = keyIn(entry)
    return key === undefined ? [] : { id: entry.id, key }
  })
  // After a lost answer two records can stand under one key.
  const holders = Map.groupBy(yield* state.ledger.byKeys(wanted), (row) => row.row_key)
  return (entry: Entry): Known => {
    const key = keyIn(entry)
    return {
      mine: rows.get(entry.id),
      holder: key === undefined ? undefined : holders.get(key)?.find((row) => row.id !== entry.id),
      letter: letters.get(entry.id),
    }
  }
}, Effect.mapError(stateFailure))

/** A record that goes has the key it was delivered under. */
const wantedKey = ({ mapped }: Arrival): string | undefined =>
  mapped._tag === "Row" && mapped.row.change === "upsert" ? mapped.row.key : undefined

const settlementOf = (settled: ReadonlyArray<Judged>, replaced: ReadonlyArray<Entry>): Settlement => ({
  ...nothingSettled,
  replaced,
  rows: grouped(settled, ({ verdict }) => verdict.as),
  removed: settled.flatMap(({ entry, verdict }) => (verdict.removed === true ? [entry.id] : [])),
  letters: settled.flatMap(({ verdict }) => verdict.letter ?? []),
  closed: settled.flatMap(({ entry, known, verdict }) => (isOvertaken(known, entry, verdict.as) ? [entry.id] : [])),
})

/** What was refused is no longer what the source has, or the destination has something newer. */
const isOvertaken = ({ letter, mine }: Known, arrival: Arrival, as: Settled): boolean => {
  if (letter === undefined) return false
  const { version } = arrival.mapped.record
  // A newer one whose write is unknown overtakes nothing.
  if (as === "superseded") return mine?.hash !== null && isAtMost(letter.version, mine?.version)
  // What is in doubt stays so while `where` excludes the record: it may come back as the very row that was sent.
  const settles = as === "unchanged" || (as === "filtered" && letter.kind !== "in_doubt")
  return settles && (version === undefined || isAtMost(letter.version, version))
}

const isAtMost = (version: string | null, than: string | null | undefined): boolean =>
  version === null || (typeof than === "string" && version <= than)

/** Dead letters that an earlier run had written do not count. */
const stopOverBudget = (state: RouteState, settled: ReadonlyArray<Judged>): void => {
  for (const { entry, known, verdict } of settled) {
    const isKnown = known.letter?.kind === verdict.letter?.kind && known.letter?.message === verdict.letter?.message
    if (verdict.letter !== undefined && !isKnown && entry.tally === "run") state.refused += 1
  }
  state.stopped ??= overBudget(state)
}
