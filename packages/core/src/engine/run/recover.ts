/** RECOVER: what an earlier run left open is settled before anything is read. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { SourceError } from "../../plugin/errors.ts"
import type { SourceRecord } from "../../plugin/record.ts"
import type { DeadLetter, StoredDeadLetter } from "../../state/deadLetters.ts"
import { StateError, type StateFailure, stateFailure } from "../../state/errors.ts"
import type { Job } from "../../state/jobs.ts"
import type { Mark } from "../../state/sending.ts"
import type { Line, SpooledRow } from "../../state/spool.ts"
import { arrive } from "./arrive.ts"
import type { RunContext } from "./context.ts"
import type { Entry } from "./entry.ts"
import { giveUp, makeJob, runJob } from "./job.ts"
import { letterPlace } from "./judge.ts"
import { markOf } from "./outcomes.ts"
import { mapRecords } from "./read.ts"
import type { RouteState, RouteStore } from "./routeState.ts"
import { entryOf } from "./spooled.ts"
import { awaitRoom } from "./workers.ts"

/**
 * Batches whose outcome a crash took: where writing twice is harmless, their rows count as unknown and are sent again
 * when the source still has them, or are found deleted; elsewhere each row is in doubt, and never sent again by itself.
 */
export const recoverMarks = (ctx: RunContext, state: RouteState): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    const lost = yield* closeMarks(ctx, state, state.writer.repeatable)
    state.recovered.in_doubt += lost
    state.knownLetters += lost
  })

/** Routes that the file no longer has: nobody will send or follow their rows again, so they are in doubt. */
export const recoverAbandoned = (ctx: RunContext): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    for (const store of ctx.abandoned) {
      const lost = (yield* closeMarks(ctx, store, false)) + (yield* closeJobs(ctx, store))
      if (lost > 0) ctx.notices.push(`${store.route}: no longer in the file; ${lost} rows it was sending are in doubt`)
    }
  })

/**
 * Jobs that an earlier run handed over are followed to their end. One without a reference may have been handed over too:
 * it is submitted again where that is harmless.
 */
export const recoverJobs = (ctx: RunContext, state: RouteState): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    for (const left of yield* Effect.mapError(state.jobs.left, stateFailure)) {
      if (ctx.halt.current() !== undefined) return
      if (left.rows === null) {
        yield* ctx.transact(state.jobs.drop(left.batch))
        continue
      }
      const entries = yield* adopt(state, left)
      const { jobs, repeatable } = state.writer
      const job = makeJob(left, entries)
      if (jobs === undefined) yield* giveUp(ctx, state, job, "the sink has no jobs any more; look at the destination")
      else if (left.ref === null && !repeatable) yield* giveUp(ctx, state, job, lost)
      else yield* runJob(ctx, state, jobs, job)
    }
  })

/** The rows of a job, in flight again. Of each only what the spool does not keep is held in memory. */
const adopt = (state: RouteState, left: Job): Effect.Effect<ReadonlyArray<Entry>, StateFailure> =>
  Effect.gen(function* () {
    const entries: Array<Entry> = []
    yield* Stream.runForEach(state.spool.pages(left.batch), (lines) =>
      Effect.sync(() => {
        const found = lines.map(entryOf)
        state.lane.adopt(found)
        entries.push(...found)
      }),
    )
    if (entries.length !== left.rows) {
      return yield* new StateError({ message: `job ${left.batch} is damaged in the state: rows of it are missing` })
    }
    return entries
  }).pipe(Effect.mapError(stateFailure))

/** Returns how many rows are in doubt now. */
const closeJobs = (ctx: RunContext, store: RouteStore): Effect.Effect<number, StateFailure> =>
  Effect.gen(function* () {
    let lost = 0
    for (const { batch, rows } of yield* Effect.mapError(store.jobs.left, stateFailure)) {
      const pages = rows === null ? Stream.empty : Stream.mapError(store.spool.pages(batch), stateFailure)
      yield* Stream.runForEach(pages, (lines) =>
        Effect.gen(function* () {
          const rest = yield* unanswered(store, batch, lines)
          lost += rest.length
          yield* closeRows(ctx, store, rest)
        }),
      )
      yield* ctx.transact(store.jobs.drop(batch))
    }
    return lost
  })

/** Rows of a job that nothing was recorded of: neither delivered as they are spooled nor refused by the run of the job. */
const unanswered = (store: RouteStore, batch: string, lines: ReadonlyArray<Line>) =>
  Effect.gen(function* () {
    const ids = lines.map(({ spooled }) => spooled.row.id)
    const known = new Map((yield* store.ledger.byIds(ids)).map(({ id, hash }) => [id, hash]))
    const letters = yield* store.letters.byIds(ids)
    const refused = new Set(letters.filter(({ run }) => batch.startsWith(`${run}.`)).map(({ id }) => id))
    const isOpen = ({ row, hash }: SpooledRow): boolean =>
      !refused.has(row.id) && (row.change === "delete" ? known.has(row.id) : known.get(row.id) !== hash)
    return lines.filter(({ spooled }) => isOpen(spooled)).map((line) => markOf(entryOf(line)))
  }).pipe(Effect.mapError(stateFailure))

const closeRows = (ctx: RunContext, store: RouteStore, marks: ReadonlyArray<Mark>) =>
  ctx.transact(
    Effect.gen(function* () {
      yield* store.ledger.forget(marks)
      yield* store.letters.put(
        marks.map(lostLetter),
        ctx.runId,
        DateTime.formatIso(DateTime.makeUnsafe(ctx.startMillis)),
      )
    }),
  )

/** Returns how many rows are in doubt now. */
const closeMarks = (ctx: RunContext, store: RouteStore, repeatable: boolean): Effect.Effect<number, StateFailure> =>
  Effect.gen(function* () {
    let lost = 0
    for (const { batch, marks } of yield* Effect.mapError(store.sending.left, stateFailure)) {
      const letters = repeatable ? [] : marks.map(lostLetter)
      yield* ctx.transact(
        Effect.gen(function* () {
          yield* store.ledger.forget(marks)
          yield* store.letters.put(letters, ctx.runId, DateTime.formatIso(DateTime.makeUnsafe(ctx.startMillis)))
          yield* store.sending.unmark(batch)
        }),
      )
      lost += letters.length
    }
    return lost
  })

const lost = "the process ended before the destination's answer was recorded; look there, then retry or drop"

const lostLetter = (mark: Mark): DeadLetter => ({
  id: mark.id,
  row_key: mark.row_key,
  kind: "in_doubt",
  code: "in_doubt",
  message: lost,
  fields: [],
  hash: mark.hash,
  version: mark.version,
  payload: null,
  position: null,
})

const Payload = Schema.fromJsonString(
  Schema.Struct({
    record: Schema.Struct({
      key: Schema.String,
      change: Schema.Literals(["upsert", "delete"]),
      version: Schema.optionalKey(Schema.String),
      data: Schema.JsonObject,
    }),
  }),
)

/** Tries dead letters again: the record as the source has it now, by today's mapping; never over a newer one. */
export const replay = (
  ctx: RunContext,
  state: RouteState,
  letters: ReadonlyArray<StoredDeadLetter>,
): Effect.Effect<void, StateFailure | SourceError> =>
  Effect.gen(function* () {
    const untried: Array<number> = []
    const closed: Array<number> = []
    for (const letter of letters) {
      yield* awaitRoom(ctx, 1)
      const records = yield* currentRecords(ctx, state, letter)
      if (records === undefined) {
        untried.push(letter.number)
        continue
      }
      if (records.length === 0) {
        yield* ctx.transact(state.letters.close([letter.id]))
        closed.push(letter.number)
        continue
      }
      const arrivals = yield* mapRecords(ctx, state, records, { pages: [], position: undefined, tally: "recovered" })
      yield* arrive(ctx, state, arrivals)
    }
    if (untried.length > 0) {
      ctx.notices.push(`${named(untried)} cannot be tried: not kept in the state, and the source cannot find records`)
    }
    if (closed.length > 0) ctx.notices.push(`${named(closed)} closed: gone from the source`)
  })

/** One notice however many there are (rule 12). */
const named = (numbers: ReadonlyArray<number>): string => {
  const shown = numbers.slice(0, 10).join(", ")
  const more = numbers.length > 10 ? ` and ${numbers.length - 10} more` : ""
  return `${numbers.length === 1 ? "dead letter" : "dead letters"} ${shown}${more}`
}

const currentRecords = (
  ctx: RunContext,
  state: RouteState,
  letter: StoredDeadLetter,
): Effect.Effect<ReadonlyArray<SourceRecord> | undefined, StateFailure | SourceError> => {
  const { reader, request } = ctx
  if (reader.find !== undefined) return reader.find(request, { field: "key", value: letter.id })
  if (letter.payload === null) return Effect.undefined
  return ctx.cipher.open(letter.payload, letterPlace(state.ns, letter.id)).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Payload)),
    Effect.map(({ record }) => [record]),
    Effect.mapError(stateFailure),
  )
}
