/** From a sink's outcomes to what the state keeps of them. */
import { Outcome } from "../../plugin/outcome.ts"
import type { DeadLetter } from "../../state/deadLetters.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import type { Mark } from "../../state/sending.ts"
import type { RunContext } from "./context.ts"
import type { Settled } from "./counts.ts"
import { hashOf, makeLetter } from "./judge.ts"
import { type Entry, recordOf } from "./lane.ts"
import type { RouteState } from "./routeState.ts"
import { nothingSettled, type Settlement } from "./settle.ts"

export const markOf = (entry: Entry): Mark => ({
  id: entry.arrival.id,
  row_key: entry.row.key,
  hash: hashOf(entry),
  version: recordOf(entry).version ?? null,
})

export interface Answered {
  readonly entry: Entry
  readonly outcome: Outcome
}

/**
 * A deferred row here is one that is given up for this run: a dead letter that each run tries again. `afterSilence`: an
 * earlier try of these rows was not answered and may have written them.
 */
export const settlementOf = (
  ctx: RunContext,
  state: RouteState,
  answered: ReadonlyArray<Answered>,
  afterSilence: boolean,
): Settlement => {
  const delivered = answered.flatMap(({ entry, outcome }) => (outcome._tag === "Delivered" ? [{ entry, outcome }] : []))
  const unknown = answered.filter(({ outcome }) =>
    afterSilence ? outcome._tag !== "Delivered" : outcome._tag === "InDoubt",
  )
  const isDeletion = (entry: Entry): boolean => entry.row.change === "delete"
  return {
    ...nothingSettled,
    rows: answered.map(({ entry, outcome }) => ({ arrival: entry.arrival, as: settledAs(outcome) })),
    written: delivered.flatMap(({ entry, outcome }) => (isDeletion(entry) ? [] : [ledgerRow(entry, outcome.remoteId)])),
    removed: delivered.flatMap(({ entry }) => [
      ...(isDeletion(entry) ? [entry.row.id] : []),
      ...(entry.displaces === undefined ? [] : [entry.displaces]),
    ]),
    // A row whose answer was lost is never called unchanged later.
    forgotten: unknown.map(({ entry }) => markOf(entry)),
    letters: answered.flatMap(({ entry, outcome }) => letterFor(ctx, state, entry, outcome) ?? []),
    closed: state.knownLetters === 0 ? [] : delivered.map(({ entry }) => entry.row.id),
    dropped: delivered.flatMap(({ entry, outcome }) =>
      outcome.dropped === undefined || outcome.dropped.length === 0
        ? []
        : [{ id: entry.row.id, fields: outcome.dropped }],
    ),
  }
}

const settledAs = (outcome: Outcome): Settled => {
  switch (outcome._tag) {
    case "Delivered":
      return outcome.effect
    case "InDoubt":
      return "in_doubt"
    default:
      return "rejected"
  }
}

const ledgerRow = (entry: Entry, remoteId: string | undefined): LedgerRow => ({
  id: entry.row.id,
  row_key: entry.row.key,
  hash: entry.hash,
  version: recordOf(entry).version ?? null,
  remote_id: remoteId ?? entry.row.remoteId ?? null,
})

const letterFor = (ctx: RunContext, state: RouteState, entry: Entry, outcome: Outcome): DeadLetter | undefined => {
  const common = { hash: hashOf(entry), row: entry.row }
  return Outcome.$match(outcome, {
    Delivered: () => undefined,
    Rejected: ({ code, message, fields }) =>
      makeLetter(ctx, state, entry.arrival, { ...common, kind: "rejected", code, message, fields: fields ?? [] }),
    Deferred: ({ message }) =>
      makeLetter(ctx, state, entry.arrival, { ...common, kind: "deferred", code: "deferred", message, fields: [] }),
    InDoubt: ({ message }) =>
      makeLetter(ctx, state, entry.arrival, { ...common, kind: "in_doubt", code: "in_doubt", message, fields: [] }),
  })
}
