/** A route while a run goes on: its lane, its part of the state, its counters. */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import { type RowValidator, rowValidator } from "../../mapping/validate.ts"
import type { Field, JobWriter, Writer } from "../../plugin/sink.ts"
import type { Cipher } from "../../state/cipher.ts"
import { type DeadLetters, makeDeadLetters } from "../../state/deadLetters.ts"
import { type Jobs, makeJobs } from "../../state/jobs.ts"
import { type Ledger, makeLedger } from "../../state/ledger.ts"
import { makeSending, type Sending } from "../../state/sending.ts"
import { makeSpool, type Spool } from "../../state/spool.ts"
import type { Route } from "../pipeline.ts"
import type { RecoveredCounts, RouteCounts } from "../report.ts"
import { noCounts, noRecovered } from "./counts.ts"
import { type Lane, makeLane } from "./lane.ts"

/** A route's part of the state. */
export interface RouteStore {
  readonly ledger: Ledger
  readonly letters: DeadLetters
  readonly sending: Sending
  readonly jobs: Jobs
  readonly spool: Spool
}

export interface RouteState extends RouteStore {
  readonly route: Route
  readonly ns: number
  readonly writer: Writer
  /** Holds a row against the live schema. */
  readonly validate: RowValidator
  readonly lane: Lane
  readonly counts: RouteCounts
  readonly recovered: RecoveredCounts
  readonly kept: { absent: number; left: number }
  dropped: number
  /** The mass-change guard held deletions back. */
  guarded: boolean
  /** Rows of pages that a stopped route did not map. */
  unmapped: number
  /** Dead letters in the state: none means that no page needs to ask for them. */
  knownLetters: number
  /** Rows refused or left in doubt in this run that no earlier run had refused (rule 13). */
  refused: number
  /** A batch of this run's own rows has been answered. */
  answered: boolean
  stopped: { readonly code: string; readonly message: string } | undefined
  /** No further row will arrive: what is buffered may go as a short batch. */
  flushing: boolean
  /** Rows go to the spool first, because a job may be worth it. */
  readonly spools: boolean
  /** A job is under way. */
  jobOpen: boolean
  /** Rows of batches that are marked and wait for their turn. */
  ready: number
  /** READ waits for this route to take rows off its buffer. */
  blocking: boolean
  /** Opens when workers should look again. */
  readonly work: Latch.Latch
  /** Opens when READ should look again. */
  readonly room: Latch.Latch
  /** Arrivals are judged one page at a time, so that what the ledger says holds until they are buffered. */
  readonly judging: Semaphore.Semaphore
  /** As many batches may be at the vendor. */
  readonly turns: Semaphore.Semaphore
}

export const makeRouteState = Effect.fnUntraced(function* (options: {
  readonly route: Route
  readonly ns: number
  readonly writer: Writer
  readonly fields: ReadonlyArray<Field>
  readonly store: StoreOptions
}) {
  const { ns, writer } = options
  const store = makeStore(options.store, ns)
  const spools = writer.jobs?.worth(jobRows(writer.jobs)) === true
  const state: RouteState = {
    ...store,
    route: options.route,
    ns,
    writer,
    spools,
    validate: options.fields.length === 0 ? () => [] : rowValidator(options.fields, options.route.mapping.key),
    lane: makeLane({ rows: writer.limits.rows, bytes: writer.limits.bytes ?? Number.POSITIVE_INFINITY }, spools),
    counts: noCounts(),
    recovered: noRecovered(),
    kept: { absent: 0, left: 0 },
    dropped: 0,
    guarded: false,
    unmapped: 0,
    knownLetters: yield* store.letters.count,
    refused: 0,
    answered: false,
    stopped: undefined,
    flushing: false,
    jobOpen: false,
    ready: 0,
    blocking: false,
    work: Latch.makeUnsafe(false),
    room: Latch.makeUnsafe(false),
    judging: Semaphore.makeUnsafe(1),
    turns: Semaphore.makeUnsafe(writer.limits.concurrency ?? 1),
  }
  return state
})

/** Senders need not wait for a full batch, or there is one. */
export const isBatchDue = (state: RouteState): boolean =>
  state.lane.isFull() || state.flushing || state.blocking || state.spools

/** Rows have moved. Senders are left alone where there is nothing for them. */
export const wake = (state: RouteState): void => {
  state.room.openUnsafe()
  if (isBatchDue(state) || state.stopped !== undefined) state.work.openUnsafe()
}

/** What a route's part of the state is made of. */
export interface StoreOptions {
  readonly sql: SqlClient
  readonly cipher: Cipher["Service"]
  readonly sha256: (text: string) => string
}

export const makeStore = ({ sql, cipher, sha256 }: StoreOptions, ns: number): RouteStore => ({
  ledger: makeLedger(sql, ns),
  letters: makeDeadLetters(sql, ns),
  sending: makeSending(sql, ns),
  jobs: makeJobs(sql, ns, sha256),
  spool: makeSpool(sql, cipher),
})

/** Of each row of a job something stays in memory, so it is bounded whatever the vendor takes (rule 12). */
export const jobRows = (jobs: JobWriter): number => Math.min(100_000, jobs.limits.rows)

/** Rows that go to the spool and come back together, unless READ waits or nothing more comes. */
export const spoolPage = (state: RouteState): number => Math.min(1000, state.writer.jobs?.limits.rows ?? 1000)

/** Rows a route may hold before READ waits: two batches or a page, whichever is more (rule 12). */
export const capacity = (state: RouteState, pageSize: number): number =>
  Math.max(2 * state.writer.limits.rows, pageSize, state.spools ? 2 * spoolPage(state) : 0)
