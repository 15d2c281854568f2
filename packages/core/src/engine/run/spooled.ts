/** Rows in the spool: what is kept of them, and how they come back. */
import * as Effect from "effect/Effect"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import type { Line, SpooledRow } from "../../state/spool.ts"
import type { RunContext } from "./context.ts"
import { type Entry, newEntry, recordOf, setWrite } from "./entry.ts"
import { type RouteState, spoolPage } from "./routeState.ts"

/** Rows leave the spool for the next batches, as fast as those are sent. */
export const bringBack = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  batch: string,
  lines: ReadonlyArray<number>,
): Effect.fn.Return<void, StateFailure> {
  const { lane, writer } = state
  const page = spoolPage(state)
  for (let start = 0; start < lines.length; start += page) {
    yield* awaitBatches(ctx, state)
    // What nobody sends any more is pending where it is.
    if (!isSending(ctx, state)) break
    const found = yield* Effect.mapError(state.spool.read(batch, lines.slice(start, start + page)), stateFailure)
    for (const line of found) lane.bringBack(entryOf(line), writer.partition?.(line.spooled.row))
    state.work.openUnsafe()
  }
  yield* ctx.transact(state.jobs.drop(batch))
})

const awaitBatches = (ctx: RunContext, state: RouteState): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (state.lane.buffered() >= 2 * state.writer.limits.rows && isSending(ctx, state)) {
      state.room.closeUnsafe()
      yield* Effect.raceFirst(state.room.await, ctx.halt.requested)
    }
  })

const isSending = (ctx: RunContext, state: RouteState): boolean =>
  ctx.halt.current() === undefined && state.stopped === undefined

export const spooledRow = (ctx: RunContext, entry: Entry): SpooledRow => {
  const { row, hash, bytes, displaces, position } = entry
  const record = recordOf(entry)
  return {
    row,
    record: ctx.pipeline.deadLetters.payload === "none" ? { ...record, data: {} } : record,
    hash,
    bytes,
    displaces,
    position: position === undefined ? undefined : JSON.stringify(position),
  }
}

/** As it was when it was spooled; the pages that wait for it are not known any more. */
export const entryOf = ({ line, spooled }: Line): Entry => {
  const { row, record, hash, bytes, displaces, position } = spooled
  const entry = newEntry({
    id: row.id,
    mapped: { _tag: "Row", record, row, canonical: "" },
    pages: [],
    position: position === undefined ? undefined : JSON.parse(position),
    tally: "recovered",
  })
  setWrite(entry, { row, hash, bytes, partition: undefined, displaces })
  entry.line = line
  return entry
}
