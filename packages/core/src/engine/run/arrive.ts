/** From a page's mapped records to rows that wait to be sent; all else is settled here. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { StoredDeadLetter } from "../../state/deadLetters.ts"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import { overBudget } from "./budget.ts"
import type { RunContext } from "./context.ts"
import type { Settled } from "./counts.ts"
import { judge, type Known, type Verdict } from "./judge.ts"
import type { Arrival, Entry } from "./lane.ts"
import type { RouteState } from "./routeState.ts"
import { nothingSettled, progress, type Settlement, settle } from "./settle.ts"
import { pass, type Sifted, sift } from "./unchanged.ts"

/**
 * Judges arrivals against the ledger, with one question to it for all of them, and buffers those to be sent. Called
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
    const { changed, asked, unchanged } = yield* sift(ctx, state, arrivals)
    // In one step with their admission: a stop must not find rows that are counted and nowhere (rule 2).
    state.counts.read += arrivals.filter((arrival) => arrival.tally === "run").length
    pass(state, unchanged)
    const { free, superseded } = state.lane.admit(changed)
    if (free.length + superseded.length === 0) return yield* ctx.emit(progress(ctx))
    const knownOf = yield* ask(state, free, asked)
    const settled: Array<Judged> = []
    const entries: Array<Entry> = []
    for (const arrival of free) {
      const known = knownOf(arrival)
      if (!state.lane.claim(arrival, known.mine?.row_key)) continue
      const verdict = judge(ctx, state, arrival, known)
      if (verdict._tag === "Send") entries.push(verdict.entry)
      else settled.push({ arrival, known, verdict })
    }
    for (const entry of entries) state.lane.enqueue(entry)
    state.work.openUnsafe()
    for (const { verdict } of settled) if (verdict.kept !== undefined) state.kept[verdict.kept] += 1
    yield* settle(ctx, state, settlementOf(settled, superseded))
    stopOverBudget(state, settled)
  },
  (effect, _ctx, state) => Semaphore.withPermit(state.judging, effect),
)

/** Nothing is to be written of it. */
interface Judged {
  readonly arrival: Arrival
  readonly known: Known
  readonly verdict: Extract<Verdict, { _tag: "Settle" }>
}

/** What the state knows about these records. */
const ask = Effect.fnUntraced(function* (state: RouteState, arrivals: ReadonlyArray<Arrival>, asked: Sifted["asked"]) {
  const ids = arrivals.map((arrival) => arrival.id)
  const mine = new Map(asked)
  const letters = new Map<string, StoredDeadLetter>()
  const unasked = ids.filter((id) => !asked.has(id))
  for (const row of yield* state.ledger.byIds(unasked)) mine.set(row.id, row)
  const keyIn = (arrival: Arrival): string | undefined => wantedKey(arrival) ?? mine.get(arrival.id)?.row_key
  const keys = arrivals.flatMap((arrival) => keyIn(arrival) ?? [])
  // After a lost answer two records can stand under one key.
  const holders = Map.groupBy(yield* state.ledger.byKeys(keys), (row) => row.row_key)
  if (state.knownLetters > 0) for (const letter of yield* state.letters.byIds(ids)) letters.set(letter.id, letter)
  return (arrival: Arrival): Known => {
    const key = keyIn(arrival)
    return {
      mine: mine.get(arrival.id),
      holder: key === undefined ? undefined : holders.get(key)?.find((row) => row.id !== arrival.id),
      letter: letters.get(arrival.id),
    }
  }
}, Effect.mapError(stateFailure))

/** A record that goes has the key it was delivered under. */
const wantedKey = ({ mapped }: Arrival): string | undefined =>
  mapped._tag === "Row" && mapped.row.change === "upsert" ? mapped.row.key : undefined

const settlementOf = (settled: ReadonlyArray<Judged>, replaced: ReadonlyArray<Arrival>): Settlement => ({
  ...nothingSettled,
  replaced,
  rows: settled.map(({ arrival, verdict }) => ({ arrival, as: verdict.as })),
  removed: settled.flatMap(({ arrival, verdict }) => (verdict.removed === true ? [arrival.id] : [])),
  letters: settled.flatMap(({ verdict }) => verdict.letter ?? []),
  closed: settled.flatMap(({ arrival, known, verdict }) =>
    isOvertaken(known, arrival, verdict.as) ? [arrival.id] : [],
  ),
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
  for (const { arrival, known, verdict } of settled) {
    const isKnown = known.letter?.kind === verdict.letter?.kind && known.letter?.message === verdict.letter?.message
    if (verdict.letter !== undefined && !isKnown && arrival.tally === "run") state.refused += 1
  }
  state.stopped ??= overBudget(state)
}
