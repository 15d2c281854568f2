/** Writes aims until each has an outcome: in rounds, for an answer may say that another record is meant. */
import { BatchRefused, Outcome, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import { type Problem, writeReason } from "../errors.ts"
import type { Sought } from "../match/seek.ts"
import type { ObjectOptions } from "../options.ts"
import type { Aim } from "./aim.ts"
import type { Aims } from "./aims.ts"
import type { Pace } from "./pace.ts"
import { type Chunk, type PartitionOf, planWrites, type Sizes, type Unit } from "./plan.ts"
import { type Answered, sendUnit, type Writing } from "./send.ts"
import { rejected, type Verdict, verdictOf } from "./verdict.ts"

/** A row changes its record at most so often: a stale id, then a converted Lead. */
const MOST_ROUNDS = 4

/** From this attempt on rows that met a lock go one call after the other. */
const SERIAL_FROM = 3

export interface Route {
  readonly writing: Writing
  readonly pace: Pace
  readonly sizes: () => Sizes
  readonly options: ObjectOptions
  readonly partitionOf: PartitionOf
  /** Which records are meant where a write was refused for another. */
  readonly again: Aims["again"]
}

/** What is known by now. */
interface Ledger {
  readonly outcomes: Array<Outcome>
  readonly sought: Array<Sought>
  failure: SinkError | undefined
  halve: Problem | undefined
}

type Fatal = Extract<Verdict, { readonly _tag: "Fatal" }>

/** What befalls every row of several is the route's fault; what befalls some, or a single one, is theirs. */
const judgeFatal = (fatal: ReadonlyArray<Fatal>, rows: number, ledger: Ledger) => {
  const [first] = fatal
  if (first === undefined) return
  const full = fatal.find(({ problem }) => problem.handling === "storage")
  const isAll = fatal.length === rows && rows > 1
  if (full === undefined && !isAll) {
    ledger.outcomes.push(...fatal.map(({ aim, problem }) => rejected(aim, problem)))
    return
  }
  const { problem } = full ?? first
  const fields = problem.fields.length === 0 ? "" : `: ${problem.fields.join(", ")}`
  const told = { ...problem, message: `${problem.message}${fields}` }
  ledger.failure ??= new SinkError({ reason: writeReason({ _tag: "Trouble", status: 200, problem: told }) })
}

const take = (chunk: Chunk, answered: Answered, { options, pace }: Route, ledger: Ledger) => {
  if (answered._tag === "Trouble") {
    ledger.failure ??= new SinkError({ reason: writeReason(answered) })
    return
  }
  const verdicts = chunk.aims.map((aim, n): Verdict | undefined => {
    const result = answered.value[n]
    return result === undefined ? undefined : verdictOf(aim, result, options)
  })
  const fatal: Array<Fatal> = []
  let locked = 0
  for (const verdict of verdicts) {
    if (verdict?._tag === "Settled") ledger.outcomes.push(verdict.outcome)
    else if (verdict?._tag === "Seek") ledger.sought.push(verdict)
    else if (verdict?._tag === "Halve") ledger.halve ??= verdict.problem
    else if (verdict?._tag === "Fatal") fatal.push(verdict)
    if (verdict?._tag === "Settled" && verdict.outcome._tag === "Deferred") locked += 1
  }
  pace.locked(locked, chunk.aims.length)
  judgeFatal(fatal, chunk.aims.length, ledger)
}

/** After a failure no further call begins; what is in flight is taken in. */
const lane = (route: Route, units: ReadonlyArray<Unit>, ledger: Ledger): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const unit of units) {
      if (ledger.failure !== undefined) return
      const answers = yield* route.pace.through(unit.length, sendUnit(route.writing, unit)).pipe(
        Effect.catchTag("SinkError", (error) => {
          ledger.failure ??= error
          return Effect.succeed([])
        }),
      )
      for (const [n, chunk] of unit.entries()) {
        const answered = answers[n]
        if (answered !== undefined) take(chunk, answered, route, ledger)
      }
    }
  })

const round = Effect.fnUntraced(function* (route: Route, aims: ReadonlyArray<Aim>, attempt: number, ledger: Ledger) {
  const concurrency = attempt >= SERIAL_FROM ? 1 : route.pace.concurrency()
  for (const step of planWrites(aims, route.sizes(), route.partitionOf)) {
    yield* Effect.forEach(step, (units) => lane(route, units, ledger), { concurrency, discard: true })
  }
})

const failed = ({ outcomes, failure, halve }: Ledger): SinkError | undefined => {
  const settled = outcomes.length > 0 ? { settled: outcomes } : {}
  if (failure !== undefined) return new SinkError({ reason: failure.reason, ...settled })
  if (halve === undefined) return undefined
  return new SinkError({ reason: new BatchRefused({ message: halve.message, code: halve.code }), ...settled })
}

export const writeAims = Effect.fnUntraced(function* (
  route: Route,
  aims: ReadonlyArray<Aim>,
  attempt: number,
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  const ledger: Ledger = { outcomes: [], sought: [], failure: undefined, halve: undefined }
  let open = aims
  for (let count = 0; open.length > 0 && count < MOST_ROUNDS && ledger.failure === undefined; count++) {
    yield* round(route, open, attempt, ledger)
    const found = yield* Effect.catchTag(route.again(ledger.sought.splice(0)), "SinkError", (error) => {
      ledger.failure ??= error
      return Effect.succeed([])
    })
    open = found.flatMap((each) => ("aim" in each ? [each.aim] : []))
    ledger.outcomes.push(...found.flatMap((each) => ("outcome" in each ? [each.outcome] : [])))
  }
  const changing = "Salesforce: the record changes while it is written"
  if (ledger.failure === undefined) {
    ledger.outcomes.push(...open.map(({ row }) => Outcome.Deferred({ id: row.id, message: changing })))
  }
  const error = failed(ledger)
  return error === undefined ? ledger.outcomes : yield* error
})
