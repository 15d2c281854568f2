/**
 * Runs jobs by the clock: nothing runs by itself, `advance` does what is due and is called before anything is asked of
 * the org. A job is cut into batches of 10,000 that run in no promised order, and those into calls of 200 rows.
 */
import { bulkError } from "../errors.ts"
import { save } from "../save.ts"
import type { Session } from "../session.ts"
import type { Usage } from "../usage.ts"
import { type Columns, cellsWrite, columnsOf } from "./columns.ts"
import { cellsOf, delimiters, splitRows } from "./csv.ts"
import { type BulkFault, fates, isOver, type Job, type JobRows } from "./job.ts"

const batchRows = 10_000
const callRows = 200

export interface Processing {
  readonly close: (job: Job, takes: number) => void
  readonly advance: () => void
}

const end = (job: Job, state: Job["state"], time: number, errorMessage?: string): void => {
  job.state = state
  job.changed = time
  job.errorMessage = errorMessage
}

const ends: { readonly [fate in BulkFault["fate"]]?: readonly [state: Job["state"], message?: string] } = {
  failed: ["Failed", "Unknown : An internal error occurred"],
  half: ["Failed", "Timeout : The batch was retried too often"],
  locks: ["Failed", "TooManyLockFailure : Too many lock failures"],
  aborted: ["Aborted"],
}

/** Splits the file; a job whose file is none fails when it would have begun. */
const rowsOf = (job: Job): JobRows | string => {
  const bytes = job.upload ?? Buffer.alloc(0)
  const split = splitRows(bytes, delimiters[job.delimiter].charCodeAt(0), job.ending)
  if ("error" in split) return `ClientInputError : ${split.error}`
  const { bounds, count } = split
  if (count === 0) return "ClientInputError : The file has no header"
  const line = bytes.toString("utf8", bounds[0], bounds[1]).replace(/^\uFEFF/, "")
  const rows = count - 1
  return {
    bytes,
    bounds: bounds.subarray(2, count * 2),
    count: rows,
    header: cellsOf(line, delimiters[job.delimiter]),
    fates: new Uint8Array(rows),
    records: new Int32Array(rows),
    errors: new Map(),
  }
}

export const lineAt = ({ bytes, bounds }: JobRows, row: number): string =>
  bytes.toString("utf8", bounds[row * 2], bounds[row * 2 + 1])

export const makeProcessing = (session: Session, usage: Usage): Processing => {
  const { org } = session
  let active: Array<Job> = []

  const shuffled = (length: number): ReadonlyArray<number> => {
    const order = Array.from({ length }, (_, at) => at)
    for (let at = length - 1; at > 0; at--) {
      const other = org.dice.below(at + 1)
      const [a = 0, b = 0] = [order[at], order[other]]
      order[at] = b
      order[other] = a
    }
    return order
  }

  /** How many of its rows get a turn. */
  const limitOf = ({ fault }: Job, count: number): number => {
    switch (fault?.fate) {
      case "failed":
        return 0
      case "half":
      case "locks":
      case "aborted":
      case "unrecorded":
        return Math.ceil(count / 2)
      default:
        return count
    }
  }

  /** What can be run of it, or why nothing can. */
  const readyOf = (job: Job, rows: JobRows | string): JobRows | string => {
    if (typeof rows === "string") return rows
    job.rows = rows
    job.upload = undefined
    if (job.table === undefined) return `InvalidBatch : Object ${job.object} not found`
    const columns = columnsOf(org, job.table, rows.header, job.operation, job.key)
    if ("error" in columns) return columns.error
    return usage.bulkRecords.take(rows.count) ? rows : "ExceededQuota : The day's records are used up"
  }

  const begin = (job: Job): void => {
    job.state = "InProgress"
    const rows = readyOf(job, rowsOf(job))
    if (typeof rows === "string") end(job, "Failed", job.startsAt, rows)
    else job.order = shuffled(Math.ceil(limitOf(job, rows.count) / batchRows))
  }

  const runCall = (job: Job, rows: JobRows, columns: Columns, from: number, to: number, number: number): void => {
    if (job.table === undefined || "error" in columns) return
    const writes = Array.from({ length: to - from }, (_, at) =>
      cellsWrite(org, columns.columns, cellsOf(lineAt(rows, from + at), delimiters[job.delimiter]), job.operation),
    )
    const call = { ...job.call, number, autoAssign: job.assignmentRuleId !== undefined, allowSave: false }
    const outcomes = save(session, job.table, writes, { call, allOrNone: false, fault: job.rowsFault })
    org.commit()
    for (const [at, { number: record, created, errors }] of outcomes.entries()) {
      const [error] = errors
      if (error !== undefined) {
        rows.errors.set(from + at, bulkError(error))
        job.failed += 1
      } else rows.records[from + at] = record ?? 0
      rows.fates[from + at] = error === undefined ? (created ? fates.created : fates.updated) : fates.failed
    }
    job.processed += to - from
  }

  const runBatch = (job: Job, rows: JobRows, batch: number): void => {
    if (job.table === undefined) return
    const last = Math.min((batch + 1) * batchRows, limitOf(job, rows.count))
    if (!usage.batches.take(1)) {
      rows.fates.fill(fates.unrecorded, batch * batchRows, last)
      return
    }
    const number = session.next()
    const columns = columnsOf(org, job.table, rows.header, job.operation, job.key)
    for (let from = batch * batchRows; from < last; from += callRows)
      runCall(job, rows, columns, from, Math.min(from + callRows, last), number)
  }

  const finish = (job: Job, rows: JobRows): void => {
    const fate = job.fault?.fate
    if (fate === "unrecorded") rows.fates.fill(fates.unrecorded, limitOf(job, rows.count))
    if (fate === "retried" || fate === "half") job.retries = fate === "half" ? 20 : 2
    const [state, message] = ends[fate ?? "retried"] ?? ["JobComplete"]
    end(job, state, job.endsAt, message)
  }

  /** When the next batch of a job runs, or its end comes. */
  const dueOf = (job: Job): number => {
    if (job.state === "UploadComplete") return job.startsAt
    return job.startsAt + ((job.endsAt - job.startsAt) * (job.done + 1)) / Math.max(1, job.order.length)
  }

  const step = (job: Job): void => {
    const { rows } = job
    if (job.state === "UploadComplete") begin(job)
    const batch = job.order[job.done]
    if (rows === undefined) return
    if (batch !== undefined) runBatch(job, rows, batch)
    job.done += 1
    if (job.done >= job.order.length) finish(job, rows)
  }

  return {
    close: (job, takes) => {
      const now = org.now()
      job.state = "UploadComplete"
      job.changed = now
      const factor = job.fault?.fate === "retried" ? 3 : 1
      job.startsAt = now + takes / 4
      job.endsAt = now + takes * factor
      active.push(job)
    },
    advance: () => {
      const now = org.now()
      for (;;) {
        active = active.filter((job) => !isOver(job))
        const due = active
          .filter((job) => dueOf(job) <= now && !(job.fault?.fate === "stuck" && job.state === "InProgress"))
          .sort((a, b) => dueOf(a) - dueOf(b))
        const [next] = due
        if (next === undefined) return
        step(next)
      }
    },
  }
}
