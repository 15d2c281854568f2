/** JOB: a stored batch goes to the vendor and is followed to its end, also when an earlier process handed it over. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SqlError } from "effect/sql/SqlError"
import { Protocol, SinkError, type SinkReason } from "../../plugin/errors.ts"
import { Outcome } from "../../plugin/outcome.ts"
import type { StoredBatch } from "../../plugin/record.ts"
import type { JobWriter } from "../../plugin/sink.ts"
import { type StateFailure, stateFailure } from "../../state/errors.ts"
import type { Job } from "../../state/jobs.ts"
import type { RunEvent } from "../report.ts"
import { arrive } from "./arrive.ts"
import { type Answers, answersOf, watchBudget } from "./budget.ts"
import type { RunContext } from "./context.ts"
import type { Entry } from "./entry.ts"
import { haltFor } from "./halt.ts"
import { type Answered, markOf, settlementOf } from "./outcomes.ts"
import type { RouteState } from "./routeState.ts"
import { maxAttempts, mayHaveWritten, pause } from "./send.ts"
import { settle } from "./settle.ts"
import { bringBack, entryOf } from "./spooled.ts"

/** Outcomes committed together; fewer where they come slowly. */
const commitSize = 1000
const commitMillis = 1000

/** How often a vendor may lose a job before its rows go as batches. */
const maxLosses = 2

/** A job on its way. */
export interface OpenJob {
  readonly batch: string
  readonly count: number
  readonly bytes: number
  ref: string | null
  /** An earlier hand-over was not answered: the vendor may have a job that nobody knows. */
  doubtful: boolean
  losses: number
  /** Rows without an outcome that counts; deferred ones are sent as batches when the job is over. */
  readonly open: Map<string, Entry>
  readonly deferred: Set<string>
  readonly settled: Set<string>
  answers: Answers
}

/** `stored` by an earlier run without a reference is doubtful: a crash counts as a lost answer. */
export const makeJob = (stored: Job, entries: ReadonlyArray<Entry>, isNew = false): OpenJob => ({
  batch: stored.batch,
  bytes: stored.bytes,
  ref: stored.ref,
  doubtful: stored.ref === null && !isNew,
  count: entries.length,
  losses: 0,
  open: new Map(entries.map((entry) => [entry.row.id, entry])),
  deferred: new Set(),
  settled: new Set(),
  answers: { rows: 0, rejected: 0, undelivered: 0 },
})

/** Hands the job over where it has no reference yet, and follows it until every row is settled or the run stops. */
export const runJob = (
  ctx: RunContext,
  state: RouteState,
  jobs: JobWriter,
  job: OpenJob,
): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    let tries = 0
    if (job.ref !== null) yield* ctx.emit(jobEvent(ctx, state, job, "submitted"))
    while (ctx.halt.current() === undefined) {
      const isSettling = job.ref !== null
      const step = isSettling ? follow(ctx, state, jobs, job) : submit(ctx, state, jobs, job)
      const failed = yield* step.pipe(Effect.as(undefined), Effect.catchTag("SinkError", Effect.succeed))
      if (failed === undefined) {
        if (isSettling && ctx.halt.current() === undefined)
          return yield* giveUp(ctx, state, job, "the job named no outcome")
        if (!isSettling) {
          tries = 0
          yield* ctx.emit(jobEvent(ctx, state, job, "submitted"))
        }
        continue
      }
      const { reason } = failed
      tries += 1
      const next = decide(state, job, reason, isSettling, tries)
      if (next === "finish") return yield* giveUp(ctx, state, job, reason.message)
      if (next === "batches") return yield* giveBack(ctx, state, job)
      if (next === "stopRoute") state.stopped ??= { code: reason._tag, message: reason.message }
      if (next === "stop") yield* ctx.halt.stop(haltFor(reason, state.route.name))
      if (next === "stop" || next === "stopRoute") return yield* leave(ctx, state, job)
      if (reason._tag === "JobLost") yield* keepRef(ctx, state, job, null)
      else yield* pause(ctx, state, reason, tries)
    }
    yield* leave(ctx, state, job)
  }).pipe(
    Effect.withSpan(
      "sluice.job",
      { attributes: { "sluice.route": state.route.name, "sluice.rows": job.count } },
      { captureStackTrace: false },
    ),
  )

/** again: submit or settle, as the reference says. batches: nothing of it took effect, and its rows go as batches. */
type Next = "again" | "batches" | "finish" | "stop" | "stopRoute"

const decide = (state: RouteState, job: OpenJob, reason: SinkReason, isSettling: boolean, tries: number): Next => {
  // A reference that was saved says where to look; without one nobody knows.
  if (!isSettling && job.ref === null && mayHaveWritten(reason)) {
    job.doubtful = true
    if (!state.writer.repeatable) return "finish"
  }
  switch (reason._tag) {
    case "JobLost":
      job.losses += 1
      return job.losses < maxLosses ? "again" : "batches"
    case "BatchRefused":
      return "batches"
    case "Refused":
      return isSettling ? "finish" : "stopRoute"
    case "RateLimited":
    case "Unavailable":
      return tries < maxAttempts ? "again" : "stop"
    default:
      return "stop"
  }
}

const submit = (ctx: RunContext, state: RouteState, jobs: JobWriter, job: OpenJob): Effect.Effect<void, SinkError> =>
  Effect.gen(function* () {
    const saveRef = (ref: string) => Effect.orDie(keepRef(ctx, state, job, ref))
    yield* jobs.submit(storedBatch(state, job), saveRef)
    if (job.ref === null) {
      return yield* new SinkError({ reason: new Protocol({ message: "the sink named no job for what it submitted" }) })
    }
  })

const keepRef = (ctx: RunContext, state: RouteState, job: OpenJob, ref: string | null) =>
  Effect.gen(function* () {
    // Who finds the reference after a crash does not know that an earlier hand-over was silent.
    if (job.doubtful) yield* ctx.transact(state.ledger.forget([...job.open.values()].map(markOf)))
    yield* ctx.transact(state.jobs.put({ batch: job.batch, ref, rows: job.count, bytes: job.bytes }))
    job.ref = ref
  })

const storedBatch = (state: RouteState, job: OpenJob): StoredBatch => ({
  id: job.batch,
  count: job.count,
  bytes: job.bytes,
  rows: state.spool.pages(job.batch).pipe(
    Stream.map((lines) => lines.map((line) => line.spooled.row)),
    Stream.mapError(stateFailure),
    Stream.orDie,
  ),
})

/** Commits outcomes as they come. A stop leaves the job open: the next run settles it. */
const follow = (
  ctx: RunContext,
  state: RouteState,
  jobs: JobWriter,
  job: OpenJob,
): Effect.Effect<void, SinkError | StateFailure> =>
  Effect.gen(function* () {
    const named = new Set<string>()
    let waiting: Array<Answered> = []
    let committedMillis = yield* Clock.currentTimeMillis
    const commit = Effect.gen(function* () {
      const answered = waiting
      waiting = []
      committedMillis = yield* Clock.currentTimeMillis
      yield* settleRows(ctx, state, job, answered)
    })
    const take = Effect.fnUntraced(function* (outcomes: ReadonlyArray<Outcome>) {
      for (const outcome of outcomes) {
        if (!isExpected(job, named, outcome)) return yield* misnamed
        named.add(outcome.id)
        const answered = answerTo(job, outcome)
        if (answered !== undefined) waiting.push(answered)
        if (waiting.length >= commitSize) yield* commit
      }
      if ((yield* Clock.currentTimeMillis) - committedMillis >= commitMillis) yield* commit
    })
    yield* jobs.settle(job.ref ?? "", storedBatch(state, job)).pipe(Stream.runForEach(take))
    yield* commit
  }).pipe(Effect.raceFirst(ctx.halt.requested), Effect.asVoid)

/** Core's own check: rows of this job only, and each once. */
const isExpected = (job: OpenJob, named: ReadonlySet<string>, { id }: Outcome): boolean =>
  !named.has(id) && (job.open.has(id) || job.settled.has(id))

const misnamed = new SinkError({
  reason: new Protocol({ message: "the sink named a row twice for a job, or a row that is not in it" }),
})

/** Nothing to settle where it has been settled before, or is deferred. */
const answerTo = (job: OpenJob, outcome: Outcome): Answered | undefined => {
  if (outcome._tag === "Deferred") {
    job.deferred.add(outcome.id)
    return undefined
  }
  job.deferred.delete(outcome.id)
  const entry = job.open.get(outcome.id)
  return entry === undefined ? undefined : { entry, outcome }
}

const settleRows = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  job: OpenJob,
  answered: ReadonlyArray<Answered>,
  also?: Effect.Effect<unknown, SqlError>,
) {
  if (answered.length === 0 && also === undefined) return
  const settlement = settlementOf(ctx, state, yield* filled(ctx, state, job, answered), job.doubtful)
  yield* settle(ctx, state, { ...settlement, concludes: true, ...(also === undefined ? {} : { also }) })
  for (const { entry } of answered) {
    job.open.delete(entry.row.id)
    job.settled.add(entry.row.id)
  }
  const { rows, rejected, undelivered } = answersOf(answered)
  job.answers = {
    rows: job.answers.rows + rows,
    rejected: job.answers.rejected + rejected,
    undelivered: job.answers.undelivered + undelivered,
  }
})

/** A dead letter needs the record and the row, which are in the spool. */
const filled = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  job: OpenJob,
  answered: ReadonlyArray<Answered>,
): Effect.fn.Return<ReadonlyArray<Answered>, StateFailure> {
  const needed = answered.filter(({ outcome }) => outcome._tag !== "Delivered")
  if (needed.length === 0 || ctx.pipeline.deadLetters.payload === "none") return answered
  const lines = needed.flatMap(({ entry }) => job.open.get(entry.row.id)?.line ?? [])
  const found = yield* state.spool.read(job.batch, lines).pipe(Effect.mapError(stateFailure))
  const whole = new Map(found.map((line) => [line.spooled.row.id, entryOf(line)]))
  return answered.map(({ entry, outcome }) => {
    const { mapped, row } = whole.get(entry.id) ?? entry
    return { outcome, entry: { ...entry, mapped, row } }
  })
})

const jobEvent = (ctx: RunContext, state: RouteState, job: OpenJob, step: "submitted" | "over"): RunEvent => ({
  _tag: "Job",
  pipeline: ctx.pipeline.name,
  route: state.route.name,
  rows: job.count,
  step,
})

/** The job is over. Rows it did not name are in doubt; deferred ones go as batches. */
export const giveUp = (
  ctx: RunContext,
  state: RouteState,
  job: OpenJob,
  why: string,
): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    const rest = [...job.open.values()].filter((entry) => !job.deferred.has(entry.row.id))
    for (let start = 0; start < rest.length; start += commitSize) {
      const part = rest.slice(start, start + commitSize)
      const inDoubt = part.map((entry) => ({ entry, outcome: Outcome.InDoubt({ id: entry.row.id, message: why }) }))
      yield* settleRows(ctx, state, job, inDoubt)
    }
    yield* giveBack(ctx, state, job)
    yield* ctx.emit(jobEvent(ctx, state, job, "over"))
  })

/** What is still open goes as batches. From here on a crash finds a spool without a job: its rows are read again. */
const giveBack = (ctx: RunContext, state: RouteState, job: OpenJob): Effect.Effect<void, StateFailure> =>
  Effect.gen(function* () {
    const rest = [...job.open.values()]
    const isOver = Effect.gen(function* () {
      // A hand-over without an answer may have written them: whatever they come to, what is there is unknown.
      if (job.doubtful) yield* state.ledger.forget(rest.map(markOf))
      yield* state.jobs.put({ batch: job.batch, ref: null, rows: null, bytes: job.bytes })
    })
    yield* settleRows(ctx, state, job, [], isOver)
    state.lane.releaseConcluded()
    watchBudget(state, job.answers)
    yield* bringBack(
      ctx,
      state,
      job.batch,
      rest.map((entry) => entry.line),
    )
    if (state.lane.canUnpark()) yield* arrive(ctx, state, [])
  })

/** The run or route stops. A job that was never handed over is forgotten: its rows are pending, and no ghost. */
const leave = (ctx: RunContext, state: RouteState, job: OpenJob): Effect.Effect<void, StateFailure> =>
  job.ref === null && !job.doubtful ? Effect.asVoid(ctx.transact(state.jobs.drop(job.batch))) : Effect.void
