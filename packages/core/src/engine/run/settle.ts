/** SETTLE: outcomes become durable in one transaction, and only then count (rules 1, 4 and 8). */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { SqlError } from "effect/sql/SqlError"
import type { DroppedField } from "../../plugin/outcome.ts"
import type { DeadLetter } from "../../state/deadLetters.ts"
import type { StateFailure } from "../../state/errors.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import type { RouteCounts, RunEvent } from "../report.ts"
import type { RunContext } from "./context.ts"
import { count, countRecovered, type Settled } from "./counts.ts"
import type { Entry } from "./entry.ts"
import type { OpenPage, Passed } from "./frontier.ts"
import { startScan } from "./resume.ts"
import type { RouteState } from "./routeState.ts"

export interface Settlement {
  /** Versions that a newer one replaced before they were sent. Their pages wait for that one. */
  readonly replaced: ReadonlyArray<Entry>
  /** By what they count as. */
  readonly rows: ReadonlyMap<Settled, ReadonlyArray<Entry>>
  readonly written: ReadonlyArray<LedgerRow>
  /** Ledger rows of deleted records and of records that lost their key. */
  readonly removed: ReadonlyArray<string>
  /** Ledger rows whose content is unknown from now on. */
  readonly forgotten: ReadonlyArray<Pick<LedgerRow, "id" | "row_key" | "version">>
  readonly letters: ReadonlyArray<DeadLetter>
  /** Records whose earlier dead letters are overtaken. */
  readonly closed: ReadonlyArray<string>
  readonly dropped: ReadonlyArray<{ readonly id: string; readonly fields: ReadonlyArray<DroppedField> }>
  /** What else the state says from then on: what stays in the batch's mark, that a job is over. */
  readonly also?: Effect.Effect<unknown, SqlError>
  /** Rows of a job that goes on: nothing newer may be sent for them yet. */
  readonly concludes?: true
}

export const nothingSettled: Settlement = {
  replaced: [],
  rows: new Map(),
  written: [],
  removed: [],
  forgotten: [],
  letters: [],
  closed: [],
  dropped: [],
}

/** Entries by what they count as. */
export const grouped = <A extends { readonly entry: Entry }>(
  rows: ReadonlyArray<A>,
  as: (row: A) => Settled,
): Settlement["rows"] => {
  const groups = new Map<Settled, Array<Entry>>()
  for (const row of rows) {
    const counted = as(row)
    const group = groups.get(counted)
    if (group === undefined) groups.set(counted, [row.entry])
    else group.push(row.entry)
  }
  return groups
}

/** Commits a settlement. Parked entries may be free to be judged afterwards. */
export const settle = (
  ctx: RunContext,
  state: RouteState,
  settlement: Settlement,
): Effect.Effect<void, StateFailure> =>
  isDurable(settlement)
    ? commit(ctx, state, settlement)
    : Effect.sync(() => remember(state, settlement, pagesOf(settlement)))

const commit = Effect.fnUntraced(
  function* (ctx: RunContext, state: RouteState, settlement: Settlement): Effect.fn.Return<void, StateFailure> {
    const settling = pagesOf(settlement)
    const passed = ctx.frontier.passable(settling)
    yield* ctx.transact(write(ctx, state, settlement, passed))
    remember(state, settlement, settling)
    if (passed !== undefined) {
      ctx.frontier.pass(passed)
      ctx.committedMillis = yield* Clock.currentTimeMillis
    }
    yield* ctx.emit(progress(ctx))
  },
  Effect.uninterruptible,
  (effect, ctx) => Semaphore.withPermit(ctx.committing, effect),
)

/** A position alone waits so long for the next settlement's commit: what it saves after a crash is reading again. */
const longestUncommitted = { records: 10_000, millis: 1000 }

/** Commits the pages that nothing holds open: at the latest after 10,000 records or a second. */
export const commitFrontier = Effect.fnUntraced(
  function* (ctx: RunContext, how: "due" | "now"): Effect.fn.Return<void, StateFailure> {
    const now = yield* Clock.currentTimeMillis
    if (how === "due" && !isPositionDue(ctx, now)) return
    const passed = ctx.frontier.passable(new Map())
    if (passed === undefined) return
    yield* ctx.transact(savePosition(ctx, passed, yield* DateTime.now))
    ctx.frontier.pass(passed)
    ctx.committedMillis = now
  },
  Effect.uninterruptible,
  (effect, ctx) => Semaphore.withPermit(ctx.committing, effect),
)

const isPositionDue = ({ committedMillis, frontier }: RunContext, now: number): boolean =>
  frontier.uncommitted() >= longestUncommitted.records || now - committedMillis >= longestUncommitted.millis

/** The scan starts over: the keys of its pages and the positions of those under way count no more. */
export const restartScan = (ctx: RunContext): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    ctx.frontier.restart()
    if (ctx.scan.saves) yield* ctx.transact(startScan(ctx.checkpoints, ctx.scan, ctx.scan.id))
  }).pipe(Effect.uninterruptible, Semaphore.withPermit(ctx.committing))

const isDurable = (settlement: Settlement): boolean =>
  settlement.also !== undefined ||
  settlement.written.length + settlement.removed.length + settlement.forgotten.length > 0 ||
  settlement.letters.length + settlement.closed.length > 0

const pagesOf = (settlement: Settlement): ReadonlyMap<OpenPage, number> => {
  const pages = new Map<OpenPage, number>()
  for (const entries of settlement.rows.values()) {
    for (const entry of entries) for (const page of entry.pages) pages.set(page, (pages.get(page) ?? 0) + 1)
  }
  return pages
}

const write = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  settlement: Settlement,
  passed: Passed | undefined,
) {
  const now = yield* DateTime.now
  const at = DateTime.formatIso(now)
  yield* state.ledger.remove(settlement.removed)
  yield* state.ledger.upsert(settlement.written)
  yield* state.ledger.forget(settlement.forgotten)
  yield* state.letters.close(settlement.closed)
  yield* state.letters.put(settlement.letters, ctx.runId, at)
  yield* state.letters.noteDropped(settlement.dropped, ctx.runId, at)
  if (settlement.also !== undefined) yield* settlement.also
  yield* ctx.saveProgress(JSON.stringify(countsAfter(ctx, state, settlement)))
  if (passed !== undefined) yield* savePosition(ctx, passed, now)
})

const savePosition = Effect.fnUntraced(function* (ctx: RunContext, passed: Passed, now: DateTime.Utc) {
  const { scan } = ctx
  if (!scan.saves) return
  if (scan.tracksKeys) {
    for (const page of passed.pages) yield* ctx.checkpoints.see(scan.id, page.keys)
  }
  const checkpoint = { covers: scan.covers, position: Option.some(passed.position), scan: scan.id, open: true }
  yield* ctx.checkpoints.save(checkpoint, DateTime.formatIso(now))
})

/** What the counters will be, for the transaction that makes it so. */
const countsAfter = (ctx: RunContext, state: RouteState, settlement: Settlement) => {
  const routes: Record<string, RouteCounts> = {}
  for (const each of ctx.states) routes[each.route.name] = { ...each.counts }
  const mine = routes[state.route.name]
  if (mine !== undefined) for (const { as, run } of countedAs(settlement)) count(mine, as, run)
  return { read: ctx.read, routes }
}

interface Counted {
  readonly as: Settled
  readonly run: number
  readonly recovered: number
}

const countedAs = (settlement: Settlement): ReadonlyArray<Counted> => [
  tallied("superseded", settlement.replaced),
  ...Array.from(settlement.rows, ([as, entries]) => tallied(as, entries)),
]

const tallied = (as: Settled, entries: ReadonlyArray<Entry>): Counted => {
  let run = 0
  for (const { tally } of entries) if (tally === "run") run += 1
  return { as, run, recovered: entries.length - run }
}

const remember = (state: RouteState, settlement: Settlement, settling: ReadonlyMap<OpenPage, number>): void => {
  for (const { as, run, recovered } of countedAs(settlement)) {
    count(state.counts, as, run)
    countRecovered(state.recovered, as, recovered)
  }
  for (const [page, rows] of settling) page.open -= rows
  for (const { fields } of settlement.dropped) state.dropped += fields.length
  state.knownLetters += settlement.letters.length
  state.lane.forget(settlement.replaced)
  for (const entries of settlement.rows.values()) {
    for (const entry of entries) {
      if (settlement.concludes === true) state.lane.conclude(entry)
      else state.lane.release(entry)
    }
  }
  state.work.openUnsafe()
  state.room.openUnsafe()
}

export const progress = (ctx: RunContext): RunEvent => {
  const routes: Record<string, RouteCounts> = {}
  for (const state of ctx.states) routes[state.route.name] = state.counts
  return {
    _tag: "Progress",
    pipeline: ctx.pipeline.name,
    read: ctx.read,
    routes,
    waited_ms: ctx.waitedMillis(),
    connections: ctx.traffic(),
  }
}
