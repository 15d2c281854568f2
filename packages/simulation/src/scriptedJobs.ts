/** The jobs of a scripted sink: hand-overs and polls that fail, answers that are lost, results in any order. */
import {
  BatchRefused,
  JobLost,
  type JobWriter,
  type Outcome,
  Protocol,
  QuotaExhausted,
  RateLimited,
  Refused,
  type Row,
  SinkError,
  type SinkReason,
  type StoredBatch,
  Unavailable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"
import type { JobOracles } from "./jobOracles.ts"
import type { JobQueue, VendorJob } from "./jobQueue.ts"
import type { Machine } from "./machine.ts"
import type { JobScenario } from "./scenario.ts"

export interface JobsScript {
  readonly machine: Machine
  readonly destination: Destination
  readonly dice: Dice
  readonly scenario: JobScenario
  readonly queue: JobQueue
  readonly oracles: JobOracles
  readonly faults: () => number
  readonly latencyMillis: () => number
  readonly turned: () => void
  readonly isRefused: (row: Row) => boolean
  /** The engine cannot know whether these were written. */
  readonly lose: (rows: ReadonlyArray<Row>) => void
  readonly told: (outcomes: ReadonlyArray<Outcome>) => unknown
}

const fail = (reason: SinkReason) => Effect.fail(new SinkError({ reason }))
const cut = new Unavailable({ message: "cut", inDoubt: true })
const garbled = new Protocol({ message: "garbled" })
const slowDown = new RateLimited({ message: "slow down", retryAfterMillis: 700 })
const away = new Unavailable({ message: "away", inDoubt: false })
const usedUp = new QuotaExhausted({ message: "used up" })
const badLine = new BatchRefused({ message: "one of them is bad", code: "poison" })

const mayHaveArrived = (reason: SinkReason): boolean => reason === cut || reason === garbled

export const scriptedJobs = (script: JobsScript): JobWriter => {
  const { destination, dice, machine, oracles, queue, scenario } = script
  const { route } = destination.options

  /** A call that may crash before or after, takes its time and may fail. */
  const call = <A>(label: string, answer: () => A | SinkReason): Effect.Effect<A, SinkError> =>
    Effect.gen(function* () {
      yield* Effect.sleep(script.latencyMillis())
      const given = yield* machine.operation(
        `job ${label}`,
        Effect.sync(() => {
          queue.catchUp()
          return { answer: answer() }
        }),
      )
      script.turned()
      yield* Effect.sleep(script.latencyMillis())
      return isReason(given.answer) ? yield* fail(given.answer) : given.answer
    })

  /** Why a call is not answered well; `arrived` happens where it had come through all the same. */
  const fault = (reasons: ReadonlyArray<SinkReason>, arrived: () => void): SinkReason | undefined => {
    if (!dice.chance(script.faults())) return undefined
    const reason = dice.pick(reasons)
    if (mayHaveArrived(reason) && dice.chance(0.7)) arrived()
    machine.note(reason._tag)
    return reason
  }

  const start = (job: VendorJob): void => {
    if (dice.chance(script.faults() * scenario.loses)) job.state = "lost"
    else queue.start(job)
  }

  const isBad = (rows: ReadonlyArray<Row>): boolean =>
    scenario.refusesBatches && rows.some((row) => row.change === "upsert" && script.isRefused(row))

  const handOver = (job: VendorJob) => (): VendorJob | SinkReason => {
    if (isBad(job.rows)) return badLine
    const failed = fault([away, slowDown, usedUp, cut, cut, cut, cut, garbled, badLine], () => start(job))
    if (failed === undefined) start(job)
    return failed ?? job
  }

  const save = (job: VendorJob, saveRef: (ref: string) => Effect.Effect<void>) =>
    Effect.map(saveRef(job.ref), () => {
      job.saved = true
    })

  /** The reference first, and rows that take effect when the job is started. */
  const refFirst = (batch: StoredBatch, rows: ReadonlyArray<Row>, saveRef: (ref: string) => Effect.Effect<void>) =>
    Effect.gen(function* () {
      const job = yield* call(
        `make ${route} ${batch.id}`,
        () => fault([away, slowDown, usedUp, cut, garbled], () => {}) ?? queue.make(batch.id, rows),
      )
      yield* save(job, saveRef)
      yield* call(`start ${route} ${job.ref}`, handOver(job))
    })

  /** Rows first: only the answer says what the job is called. */
  const rowsFirst = (batch: StoredBatch, rows: ReadonlyArray<Row>, saveRef: (ref: string) => Effect.Effect<void>) =>
    Effect.gen(function* () {
      const job = queue.make(batch.id, rows)
      yield* call(`submit ${route} ${batch.id}`, handOver(job))
      yield* save(job, saveRef)
      const failed = fault([cut, garbled, away], () => {})
      if (failed !== undefined) yield* fail(failed)
    })

  const submit: JobWriter["submit"] = (batch, saveRef) =>
    Effect.gen(function* () {
      const rows = (yield* Stream.runCollect(batch.rows)).flat()
      oracles.submitted(batch, rows)
      yield* (scenario.refFirst ? refFirst : rowsFirst)(batch, rows, saveRef).pipe(
        Effect.tapError(({ reason }) =>
          Effect.sync(() => {
            const isKnown = oracles.refused(batch, reason)
            if (!isKnown && mayHaveArrived(reason)) script.lose(rows)
          }),
        ),
      )
    })

  const reading = [away, away, slowDown, slowDown, cut, garbled, usedUp]

  const untilDone = (ref: string): Effect.Effect<VendorJob, SinkError> =>
    Effect.gen(function* () {
      for (let wait = 1000; ; wait *= 2) {
        const job = yield* call(`poll ${route} ${ref}`, (): VendorJob | SinkReason | undefined => {
          const found = queue.find(ref)
          if (found === undefined || found.state === "idle" || found.state === "lost") {
            return new JobLost({ message: "no such job" })
          }
          if (found.state === "queued") return fault(reading, () => {})
          return fault([...reading, new Refused({ message: "no results", code: "gone" })], () => {}) ?? found
        })
        if (job !== undefined) return job
        yield* Effect.sleep(wait)
      }
    })

  const settle: JobWriter["settle"] = (ref, batch) =>
    Stream.unwrap(
      Effect.gen(function* () {
        oracles.followed(ref, (yield* Stream.runCollect(batch.rows)).flat())
        const job = yield* untilDone(ref)
        return Stream.fromIterable(parts(dice, job.outcomes)).pipe(
          Stream.rechunk(1),
          Stream.mapEffect((part) =>
            Effect.gen(function* () {
              yield* Effect.sleep(dice.below(scenario.resultMillis + 1))
              const outcomes = yield* call(`results ${route} ${ref}`, () => fault(reading, () => {}) ?? part)
              script.told(outcomes)
              oracles.answered(job, outcomes)
              return outcomes
            }),
          ),
          Stream.concat(
            Stream.unwrap(
              Effect.as(
                Effect.sync(() => oracles.over(job)),
                Stream.empty,
              ),
            ),
          ),
        )
      }),
    ).pipe(Stream.tapError(({ reason }) => Effect.sync(() => oracles.failed(ref, reason))))

  return {
    limits: { rows: scenario.rows, ...(scenario.bytes === undefined ? {} : { bytes: scenario.bytes }) },
    worth: oracles.worth,
    submit,
    settle,
  }
}

const isReason = (answer: unknown): answer is SinkReason =>
  typeof answer === "object" && answer !== null && "message" in answer && "_tag" in answer

/** In any order, and in pieces of any size. */
const parts = (dice: Dice, outcomes: ReadonlyArray<Outcome>): ReadonlyArray<ReadonlyArray<Outcome>> => {
  const shuffled = outcomes
    .map((outcome) => ({ outcome, at: dice.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ outcome }) => outcome)
  const pieces: Array<ReadonlyArray<Outcome>> = []
  for (let from = 0; from < shuffled.length; ) {
    const size = 1 + dice.below(3)
    pieces.push(shuffled.slice(from, from + size))
    from += size
  }
  return pieces
}
