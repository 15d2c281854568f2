/** From a sink's outcomes to what the state keeps of them. */
import { Outcome } from "../../plugin/outcome.ts"
import type { DeadLetter } from "../../state/deadLetters.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import type { Mark } from "../../state/sending.ts"
import type { RunContext } from "./context.ts"
import type { Settled } from "./counts.ts"
import { type Entry, recordOf } from "./entry.ts"
import { hashOf, makeLetter } from "./judge.ts"
import type { RouteState } from "./routeState.ts"
import { grouped, nothingSettled, type Settlement } from "./settle.ts"

export const markOf = (entry: Entry): Mark => ({
  id: entry.id,
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
  const written: Array<LedgerRow> = []
  const removed: Array<string> = []
  const forgotten: Array<Mark> = []
  const letters: Array<DeadLetter> = []
  const closed: Array<string> = []
  const dropped: Array<Settlement["dropped"][number]> = []
  for (const { entry, outcome } of answered) {
    const { id, change } = entry.row
    if (outcome._tag === "Delivered") {
      if (change === "delete") removed.push(id)
      else written.push(ledgerRow(entry, outcome.remoteId))
      if (entry.displaces !== undefined) removed.push(entry.displaces)
      if (state.knownLetters > 0) closed.push(id)
      const fields = outcome.dropped ?? []
      if (fields.length > 0) dropped.push({ id, fields })
    } else {
      // A row whose answer was lost is never called unchanged later.
      if (afterSilence || outcome._tag === "InDoubt") forgotten.push(markOf(entry))
      const letter = letterFor(ctx, state, entry, outcome)
      if (letter !== undefined) letters.push(letter)
    }
  }
  const rows = grouped(answered, ({ outcome }) => settledAs(outcome))
  return { ...nothingSettled, rows, written, removed, forgotten, letters, closed, dropped }
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
      makeLetter(ctx, state, entry, { ...common, kind: "rejected", code, message, fields: fields ?? [] }),
    Deferred: ({ message }) =>
      makeLetter(ctx, state, entry, { ...common, kind: "deferred", code: "deferred", message, fields: [] }),
    InDoubt: ({ message }) =>
      makeLetter(ctx, state, entry, { ...common, kind: "in_doubt", code: "in_doubt", message, fields: [] }),
  })
}
