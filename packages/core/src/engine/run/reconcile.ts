/** Deletion by absence (rule 15): what was delivered and is no longer at the source. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SourceError } from "../../plugin/errors.ts"
import type { Page, SourceRecord } from "../../plugin/record.ts"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import { isIrreversible } from "../pipeline.ts"
import { arrive } from "./arrive.ts"
import type { RunContext } from "./context.ts"
import type { Arrival } from "./entry.ts"
import { readPages } from "./read.ts"
import type { RouteState } from "./routeState.ts"
import { awaitRoom } from "./workers.ts"

/** More than this many keys and this part of the ledger at once is more likely a broken scan than deletions. */
const guard = { keys: 100, share: 0.05 }

/** Candidates handled at a time. */
const pageSize = 200

/** Sends the route's `on_delete` for every ledger row that the complete scan `scan` did not see. */
export const reconcile = (
  ctx: RunContext,
  scan: string,
  allowDeletes: number,
): Effect.Effect<void, StateFailure | SourceError> =>
  Effect.forEach(ctx.states, (state) => reconcileRoute(ctx, state, scan, allowDeletes), { discard: true })

const reconcileRoute = (ctx: RunContext, state: RouteState, scan: string, allowDeletes: number) =>
  Effect.gen(function* () {
    const absent = yield* Effect.mapError(state.ledger.countAbsent(scan), stateFailure)
    if (absent === 0) return
    if (state.route.onDelete === "keep") {
      state.kept.absent += absent
      return
    }
    const total = yield* Effect.mapError(state.ledger.count, stateFailure)
    const isMass = absent > Math.max(guard.keys, allowDeletes) && absent > guard.share * total
    if (isIrreversible(state.route) ? absent > allowDeletes : isMass) {
      state.kept.absent += absent
      state.guarded = true
      ctx.notices.push(
        `${state.route.name}: ${absent} of ${total} delivered records are gone from the source; nothing was deleted. ` +
          `If that is right, run with --allow-deletes ${absent}`,
      )
      return
    }
    let after = ""
    while (state.stopped === undefined) {
      yield* awaitRoom(ctx, pageSize)
      const candidates = yield* Effect.mapError(state.ledger.absent(scan, after, pageSize), stateFailure)
      const last = candidates.at(-1)
      if (last === undefined) return
      after = last.id
      yield* arrive(ctx, state, (yield* confirm(ctx, candidates)).map(deletionOf))
    }
  })

/** Asks the source for each candidate by its key: a scan may have missed what is there. */
const confirm = (
  ctx: RunContext,
  candidates: ReadonlyArray<LedgerRow>,
): Effect.Effect<ReadonlyArray<LedgerRow>, SourceError> =>
  Effect.gen(function* () {
    const { reader, request } = ctx
    if (reader.find === undefined) return candidates
    const gone: Array<LedgerRow> = []
    for (const candidate of candidates) {
      const found = yield* reader.find(request, { field: "key", value: candidate.id })
      if (found.every((record) => record.change === "delete")) gone.push(candidate)
    }
    return gone
  })

const deletionOf = (row: LedgerRow): Arrival => {
  const record: SourceRecord = { key: row.id, change: "delete", data: {} }
  return {
    id: row.id,
    mapped: {
      _tag: "Row",
      record,
      row: { id: row.id, key: row.row_key, change: "delete", fields: {} },
      canonical: "",
    },
    pages: [],
    position: undefined,
    tally: "run",
  }
}

/** The keys of everything there is, for an incremental run with `--reconcile`. Returns the scan's id. */
export const scanKeys = (ctx: RunContext): Effect.Effect<string, StateFailure | SourceError> =>
  Effect.gen(function* () {
    // One name for all runs: what a run that was killed left of its keys is dropped here, not kept for ever.
    const scan = `${ctx.pipeline.id}.keys`
    yield* ctx.transact(ctx.checkpoints.clearSeen(scan))
    const request = {
      ...ctx.request,
      sync: "full",
      from: Option.none(),
      since: Option.none(),
      fields: [],
      purpose: "keys",
    } as const
    const each = (page: Page) => {
      const keys = page.records.filter(isPresent).map((record) => record.key)
      return Effect.as(ctx.transact(ctx.checkpoints.see(scan, keys)), true)
    }
    yield* readPages(ctx, { request, each, restarted: ctx.transact(ctx.checkpoints.clearSeen(scan)) })
    return scan
  })

const isPresent = (record: SourceRecord): boolean => record.change === "upsert"
