/** The error budget of a route (rule 13). */
import type { Route } from "../pipeline.ts"
import type { Answered } from "./outcomes.ts"
import type { RouteState } from "./routeState.ts"

/** Percent counts from here on: one bad row of three says little. */
const percentFrom = 100

/** Where the file says nothing: a mapping that fails for a tenth of the records is wrong. */
const defaultPercent = 10

const bounds = (route: Route) => ({
  percent: route.maxRejected.percent ?? (route.maxRejected.count === undefined ? defaultPercent : undefined),
  count: route.maxRejected.count,
})

/** Says why a route has to stop. */
export const overBudget = (state: RouteState): { readonly code: string; readonly message: string } | undefined => {
  const { percent, count } = bounds(state.route)
  const { refused } = state
  if (count !== undefined && refused > count) {
    return {
      code: "MaxRejected",
      message: `${refused} rows were refused or left in doubt, more than max_rejected.count: ${count}`,
    }
  }
  const { read } = state.counts
  if (percent !== undefined && read >= percentFrom && refused * 100 > percent * read) {
    return {
      code: "MaxRejected",
      message: `${refused} of ${read} rows were refused or left in doubt, more than max_rejected.percent: ${percent}`,
    }
  }
  return undefined
}

/** A first batch of which every row is refused says that the route is wrong, not its records. One row says nothing. */
const firstBatchRefused = (rows: number, refused: number) =>
  rows > 1 && refused === rows
    ? { code: "FirstBatchRefused", message: `every row of the first batch (${rows}) was refused: check the mapping` }
    : undefined

/** What became of rows that this run read. */
export interface Answers {
  readonly rows: number
  readonly rejected: number
  /** Rejected ones too. */
  readonly undelivered: number
}

/** What recovery sends says nothing about this run's mapping. */
export const answersOf = (answered: ReadonlyArray<Answered>): Answers => {
  const answers = { rows: 0, rejected: 0, undelivered: 0 }
  for (const { entry, outcome } of answered) {
    if (entry.tally !== "run") continue
    answers.rows += 1
    if (outcome._tag === "Rejected") answers.rejected += 1
    if (outcome._tag !== "Delivered") answers.undelivered += 1
  }
  return answers
}

/** Counts what became of a batch or a job, and stops the route where it must not go on. */
export const watchBudget = (state: RouteState, answers: Answers): void => {
  const { rows, rejected, undelivered } = answers
  if (rows === 0) return
  state.refused += undelivered
  if (!state.answered) state.stopped ??= firstBatchRefused(rows, rejected)
  state.answered = true
  state.stopped ??= overBudget(state)
}
