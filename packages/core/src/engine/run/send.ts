/** SEND: a batch goes to its sink until each of its rows is settled or the run stops (rule 3). */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { noticeable } from "../../http/watch.ts"
import { Protocol, SinkError, type SinkReason } from "../../plugin/errors.ts"
import { Outcome } from "../../plugin/outcome.ts"
import type { Batch } from "../../plugin/record.ts"
import type { StateFailure } from "../../state/errors.ts"
import { arrive } from "./arrive.ts"
import { answersOf, watchBudget } from "./budget.ts"
import type { RunContext } from "./context.ts"
import type { Entry } from "./entry.ts"
import { haltFor } from "./halt.ts"
import { letCallsLeave } from "./letCallsLeave.ts"
import { type Answered, markOf, settlementOf } from "./outcomes.ts"
import type { RouteState } from "./routeState.ts"
import { settle } from "./settle.ts"
import { makeTurn, type Turn } from "./turn.ts"

/** Answers that a batch, or a deferred row, is tried with before it is left. The first wait is a second. */
export const maxAttempts = 5

/** A batch on its way. `open` is what its mark holds. */
interface MarkedBatch {
  readonly mark: string
  open: ReadonlyArray<Entry>
  readonly turn: Turn
  /** An answer was lost: rows still open may have been written. */
  inDoubt: boolean
}

export const send = (
  ctx: RunContext,
  state: RouteState,
  entries: ReadonlyArray<Entry>,
): Effect.Effect<void, StateFailure> =>
  Effect.withSpan(sendMarked(ctx, state, entries), "sluice.batch", {
    captureStackTrace: false,
    attributes: { "sluice.route": state.route.name, "sluice.rows": entries.length },
  })

const sendMarked = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  entries: ReadonlyArray<Entry>,
): Effect.fn.Return<void, StateFailure> {
  ctx.batches += 1
  const mark = `${ctx.runId}.${ctx.batches}`
  const marked: MarkedBatch = { mark, open: entries, turn: makeTurn(state.turns), inDoubt: false }
  state.ready += entries.length
  yield* ctx.transact(state.sending.mark(mark, entries.map(markOf)))
  yield* Effect.ensuring(inTurn(ctx, state, marked, entries), marked.turn.pass)
  // What is still open was answered and not written: it is pending, and no ghost.
  if (marked.open.length > 0 && !marked.inDoubt) yield* ctx.transact(state.sending.unmark(mark))
})

/** Only the calls stand in line: this batch's mark was committed while the one before was at the vendor. */
const inTurn = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  marked: MarkedBatch,
  entries: ReadonlyArray<Entry>,
): Effect.fn.Return<void, StateFailure> {
  yield* marked.turn.take
  state.ready -= entries.length
  state.room.openUnsafe()
  if (state.stopped === undefined) yield* deliver(ctx, state, marked, marked.mark, entries)
})

/** Writes rows under one batch id until they are settled; halves them where the vendor refuses all for one. */
const deliver = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  marked: MarkedBatch,
  id: string,
  entries: ReadonlyArray<Entry>,
): Effect.fn.Return<void, StateFailure> {
  let rest = entries
  let attempt = 1
  for (let tries = 1; rest.length > 0 && ctx.halt.current() === undefined; tries += 1) {
    yield* marked.turn.take
    const batch: Batch = { id, attempt, rows: rest.map((entry) => entry.row) }
    const answer = yield* write(state, batch).pipe(Effect.result)
    if (Result.isSuccess(answer)) {
      // What was refused counts before the next batch goes (rule 13); what was delivered is committed while that is away,
      // so it has to be on its way before the commit keeps the one thread.
      if (answer.success.every(isDelivered)) yield* passOn(state, marked)
      rest = yield* settleAnswers(ctx, state, marked, rest, answer.success, tries >= maxAttempts)
      attempt += 1
      if (rest.length > 0) yield* ctx.halt.sleep(deferral(answer.success, tries))
      continue
    }
    const { reason, settled } = answer.failure
    rest = yield* settleAnswers(ctx, state, marked, rest, inOrder(rest, settled ?? []), false)
    const next = decide(reason, tries, rest.length)
    if (next === "halve") return yield* halve(ctx, state, marked, id, rest)
    if (next === "stopRoute") state.stopped ??= { code: reason._tag, message: reason.message }
    if (next === "reject") return yield* settleAs(ctx, state, marked, rest, rejected(reason))
    if (mayHaveWritten(reason) && !state.writer.repeatable) {
      // What the sink has deferred was not written, whatever became of the others.
      const deferred = new Set((settled ?? []).map((outcome) => outcome.id))
      const silent = rest.filter((entry) => !deferred.has(entry.row.id))
      yield* settleAs(ctx, state, marked, silent, (entry) =>
        Outcome.InDoubt({ id: entry.row.id, message: reason.message }),
      )
      rest = rest.filter((entry) => deferred.has(entry.row.id))
      if (rest.length === 0 && next === "again") return
      attempt += 1
    } else if (mayHaveWritten(reason)) marked.inDoubt = true
    // Id and attempt make an idempotency key: after silence the same is asked again, after an answer it is a new one.
    else attempt += 1
    if (next === "stopRoute") return
    if (next === "stop") return yield* ctx.halt.stop(haltFor(reason, state.route.name))
    yield* pause(ctx, state, reason, tries)
  }
})

/** Where no batch is made ready, none can go: a crash before the commit would only leave more in doubt. */
const passOn = (state: RouteState, { turn }: MarkedBatch): Effect.Effect<void> =>
  state.writer.repeatable ? Effect.andThen(turn.pass, letCallsLeave) : turn.pass

const isDelivered = (outcome: Outcome): boolean => outcome._tag === "Delivered"

/** Core's own check: exactly one outcome for each row of the batch. They come back in its order. */
const write = (state: RouteState, batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, SinkError> =>
  state.writer.write(batch).pipe(
    Effect.flatMap((outcomes) => {
      const ordered = inOrder(batch.rows, outcomes).filter((outcome) => outcome !== undefined)
      if (outcomes.length === batch.rows.length && ordered.length === outcomes.length) return Effect.succeed(ordered)
      const message = `the sink answered ${outcomes.length} outcomes for a batch of ${batch.rows.length} rows, or for other rows`
      return Effect.fail(new SinkError({ reason: new Protocol({ message }) }))
    }),
  )

/** What was said of each row. Most sinks answer in the order of the batch. */
const inOrder = (
  rows: ReadonlyArray<{ readonly id: string }>,
  outcomes: ReadonlyArray<Outcome>,
): ReadonlyArray<Outcome | undefined> => {
  if (rows.length === outcomes.length && outcomes.every(({ id }, at) => id === rows[at]?.id)) return outcomes
  const answers = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
  return rows.map(({ id }) => answers.get(id))
}

export const mayHaveWritten = (reason: SinkReason): boolean =>
  reason._tag === "Protocol" || (reason._tag === "Unavailable" && reason.inDoubt)

export type Next = "again" | "halve" | "reject" | "stop" | "stopRoute"

/** What each reason means for the batch; see plugin/errors.ts for what it says to the user. */
export const decide = (reason: SinkReason, tries: number, rows: number): Next => {
  switch (reason._tag) {
    case "BatchRefused":
      return rows > 1 ? "halve" : "reject"
    case "RateLimited":
    case "Unavailable":
      return tries < maxAttempts ? "again" : "stop"
    case "Refused":
      return "stopRoute"
    default:
      return "stop"
  }
}

const rejected =
  (reason: SinkReason) =>
  (entry: Entry): Outcome =>
    Outcome.Rejected({ id: entry.row.id, code: "code" in reason ? reason.code : reason._tag, message: reason.message })

const halve = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  marked: MarkedBatch,
  id: string,
  rest: ReadonlyArray<Entry>,
) {
  const middle = Math.ceil(rest.length / 2)
  yield* deliver(ctx, state, marked, `${id}a`, rest.slice(0, middle))
  yield* deliver(ctx, state, marked, `${id}b`, rest.slice(middle))
})

const settleAs = (
  ctx: RunContext,
  state: RouteState,
  marked: MarkedBatch,
  entries: ReadonlyArray<Entry>,
  outcome: (entry: Entry) => Outcome,
) => Effect.asVoid(settleAnswers(ctx, state, marked, entries, entries.map(outcome), true))

/** Settles what was answered, outcome by entry, and returns the rows that were not, or not for good. */
const settleAnswers = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  marked: MarkedBatch,
  entries: ReadonlyArray<Entry>,
  outcomes: ReadonlyArray<Outcome | undefined>,
  isLast: boolean,
): Effect.fn.Return<ReadonlyArray<Entry>, StateFailure> {
  const answered: Array<Answered> = []
  const rest: Array<Entry> = []
  entries.forEach((entry, at) => {
    const outcome = outcomes[at]
    if (outcome === undefined || (outcome._tag === "Deferred" && !isLast)) rest.push(entry)
    else answered.push({ entry, outcome })
  })
  if (answered.length === 0) return rest
  marked.open = without(marked.open, answered)
  const also = state.sending.remark(marked.mark, marked.open.map(markOf))
  yield* settle(ctx, state, { ...settlementOf(ctx, state, answered, marked.inDoubt), also })
  watchBudget(state, answersOf(answered))
  if (state.lane.canUnpark()) yield* arrive(ctx, state, [])
  return rest
})

const without = (entries: ReadonlyArray<Entry>, answered: ReadonlyArray<Answered>): ReadonlyArray<Entry> => {
  if (answered.length === entries.length) return []
  const gone = new Set(answered.map(({ entry }) => entry))
  return entries.filter((entry) => !gone.has(entry))
}

const deferral = (outcomes: ReadonlyArray<Outcome>, tries: number): number => {
  let longest = 1000 * 2 ** (tries - 1)
  for (const outcome of outcomes) {
    if (outcome._tag === "Deferred") longest = Math.max(longest, outcome.retryAfterMillis ?? 0)
  }
  return longest
}

/** Waits before the next try, and says so where a person would notice. */
export const pause = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  reason: SinkReason,
  tries: number,
) {
  const millis = yield* backoff(reason, tries)
  if (millis >= noticeable) {
    const why = reason._tag === "RateLimited" ? "limit" : "retry"
    const connection = state.route.sink.endpoint.name
    yield* ctx.emit({ _tag: "Waiting", pipeline: ctx.pipeline.name, connection, why, millis })
  }
  yield* ctx.halt.sleep(millis)
})

/** Full jitter, so that many runs do not come back at once. */
const backoff = (reason: SinkReason, tries: number): Effect.Effect<number> =>
  reason._tag === "RateLimited"
    ? Effect.succeed(reason.retryAfterMillis)
    : Effect.map(Random.next, (random) => Math.ceil(random * 1000 * 2 ** tries))
