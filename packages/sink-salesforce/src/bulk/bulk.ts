/** The job lane of a route: many rows in some ten calls, by Bulk API 2.0. */
import type { JobWriter, SinkError, StoredBatch } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Connected } from "../connection.ts"
import type { Column } from "../describe/columns.ts"
import type { Keying } from "../describe/keying.ts"
import type { Claims } from "../match/claims.ts"
import type { ObjectOptions } from "../options.ts"
import type { Aims } from "../write/aims.ts"
import { makeBulkApi } from "./api.ts"
import { follow } from "./follow.ts"
import { jobLost, settleJobs } from "./settle.ts"
import { readRef, submit } from "./submit.ts"

/**
 * A file is at most 100 MB before Salesforce encodes it. Values are no smaller as JSON, but a cell costs its comma even
 * where a row has no value, and a record's id is in no row.
 */
export const BULK_ROWS = 100_000
const BULK_BYTES = 98_000_000
const bytesFor = (columns: number): number => BULK_BYTES - BULK_ROWS * columns

/** More rows than that go by bulk, says Salesforce itself: some ten calls a job, where Collections take more. */
const WORTH_ROWS = 2_000

export interface BulkOptions {
  readonly connected: Connected
  /** Our name (salesforce trap 40), the one header of writes that jobs take: no assignment rule fires for them unasked. */
  readonly headers: Readonly<Record<string, string>>
  readonly object: string
  readonly key: string
  readonly keying: Keying
  readonly columns: ReadonlyArray<Column>
  readonly options: ObjectOptions
  readonly aims: Aims
  readonly claims: Claims
  readonly share: number
}

/** A job takes an assignment rule by its id alone, and its rows as they are. */
export const isWorth = ({ assignment_rule, owner_from, path }: ObjectOptions, rows: number): boolean => {
  if (path === "collections" || path === "composite") return false
  if (assignment_rule === "default" || owner_from !== undefined) return false
  return path === "bulk" ? rows > 0 : rows > WORTH_ROWS
}

/** Jobs between two looks at the allowance. */
const LOOK_EVERY = 20

/** The day's batches: asked at first, then counted down. */
const makeAllows = (api: Pick<ReturnType<typeof makeBulkApi>, "batchesLeft">, share: number) => {
  let left = 0
  let jobs = 0
  return Effect.fnUntraced(function* (batches: number): Effect.fn.Return<boolean, SinkError> {
    if (jobs % LOOK_EVERY === 0) {
      const allowance = yield* api.batchesLeft
      left = allowance === undefined ? Number.POSITIVE_INFINITY : allowance.Remaining - allowance.Max * (1 - share)
    }
    jobs += 1
    if (left < batches) {
      yield* Effect.logWarning("Salesforce: the day's bulk batches are used up: rows go by Collections")
      return false
    }
    left -= batches
    return true
  })
}

export const makeBulk = ({ connected, headers, claims, share, ...route }: BulkOptions): JobWriter => {
  const api = makeBulkApi(connected, headers)
  const submitting = {
    ...route,
    api,
    fewest: route.options.path === "bulk" ? 1 : WORTH_ROWS,
    allows: makeAllows(api, share),
  }

  /** The engine asks again after a failure: the longest wait is for all of it. */
  let waiting: { readonly ref: string; readonly since: number } | undefined

  const settle = Effect.fnUntraced(function* (text: string, batch: StoredBatch) {
    const ref = Option.getOrUndefined(readRef(text))
    if (ref === undefined) return yield* jobLost()
    if (waiting?.ref !== text) waiting = { ref: text, since: yield* Clock.currentTimeMillis }
    const { since } = waiting
    const ended = yield* Effect.forEach(ref.jobs, ({ id, rows }) =>
      follow(api, id, rows, route.options.bulk_wait_minutes, since),
    )
    yield* Stream.runForEach(batch.rows, (page) => Effect.sync(() => claims.release(page)))
    const columns = route.columns.map(({ name }) => name)
    return settleJobs(api, ended, batch, { key: route.key, keying: route.keying, columns })
  })

  return {
    limits: { rows: BULK_ROWS, bytes: bytesFor(route.columns.length) },
    worth: (rows) => isWorth(route.options, rows),
    submit: (batch, saveRef) => submit(submitting, batch, saveRef),
    settle: (ref, batch) => Stream.unwrap(settle(ref, batch)),
  }
}
