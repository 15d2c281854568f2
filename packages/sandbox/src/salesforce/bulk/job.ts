/** An ingest job: what it was made for, its file, and what has become of each row. salesforce.md §2.7. */
import type { Call } from "../call.ts"
import { integrationUser } from "../org.ts"
import type { RowsFault } from "../save.ts"
import type { Place, Table } from "../table.ts"
import type { Operation } from "../target.ts"
import type { ColumnDelimiter, LineEnding } from "./csv.ts"

export type JobState = "Open" | "UploadComplete" | "InProgress" | "JobComplete" | "Failed" | "Aborted"

/** What fault a job was made under. */
export interface BulkFault {
  readonly fate: "stuck" | "failed" | "half" | "locks" | "aborted" | "unrecorded" | "retried" | "lost"
}

/** By row: `unrecorded` is in none of the three files. */
export const fates = { unprocessed: 0, updated: 1, created: 2, failed: 3, unrecorded: 4 } as const

/** The rows of an uploaded file. Compact: a job may hold a million. */
export interface JobRows {
  readonly bytes: Buffer
  readonly bounds: Uint32Array
  readonly count: number
  readonly header: ReadonlyArray<string>
  readonly fates: Uint8Array
  /** Numbers of the records written. */
  readonly records: Int32Array
  readonly errors: Map<number, string>
}

export interface Job {
  readonly id: string
  readonly number: number
  /** As it was asked for; there may be no such object. */
  readonly object: string
  readonly table: Table | undefined
  readonly operation: Operation
  readonly hard: boolean
  readonly key: Place | undefined
  readonly delimiter: ColumnDelimiter
  readonly ending: LineEnding
  readonly assignmentRuleId: string | undefined
  readonly call: Call
  readonly created: number
  readonly fault: BulkFault | undefined
  rowsFault: RowsFault | undefined
  state: JobState
  changed: number
  upload: Buffer | undefined
  rows: JobRows | undefined
  errorMessage: string | undefined
  startsAt: number
  endsAt: number
  /** The order in which its batches of 10,000 run, and how many have. */
  order: ReadonlyArray<number>
  done: number
  processed: number
  failed: number
  retries: number
}

export const isOver = ({ state }: Job): boolean => state === "JobComplete" || state === "Failed" || state === "Aborted"

const instant = (millis: number): string => new Date(millis).toISOString().replace("Z", "+0000")

export const jobAnswer = (job: Job, version: string) => ({
  id: job.id,
  operation: job.hard ? "hardDelete" : job.operation,
  object: job.object,
  createdById: integrationUser,
  createdDate: instant(job.created),
  systemModstamp: instant(job.changed),
  state: job.state,
  ...(job.key === undefined ? {} : { externalIdFieldName: job.key.field.name }),
  ...(job.assignmentRuleId === undefined ? {} : { assignmentRuleId: job.assignmentRuleId }),
  concurrencyMode: "Parallel",
  contentType: "CSV",
  apiVersion: Number(version.slice(1)),
  ...(job.state === "Open" ? { contentUrl: `services/data/${version}/jobs/ingest/${job.id}/batches` } : {}),
  lineEnding: job.ending,
  columnDelimiter: job.delimiter,
})

export const progressAnswer = (job: Job, version: string) => ({
  ...jobAnswer(job, version),
  jobType: "V2Ingest",
  retries: job.retries,
  totalProcessingTime: isOver(job) ? job.changed - job.startsAt : 0,
  apiActiveProcessingTime: 0,
  apexProcessingTime: 0,
  numberRecordsProcessed: job.processed,
  numberRecordsFailed: job.failed,
  ...(job.errorMessage === undefined ? {} : { errorMessage: job.errorMessage }),
})
