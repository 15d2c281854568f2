/** What writing so many rows takes, for preview: if every row is new to Sluice. */
import { BULK_ROWS, isWorth } from "./bulk/bulk.ts"
import type { ObjectOptions } from "./options.ts"
import { CHUNK_ROWS, MOST_CHUNKS } from "./write/pace.ts"

/** Made, filled, closed, looked at four times, three result files. */
const CALLS_PER_JOB = 10
const SECONDS_PER_JOB = 30
const BULK_ROWS_PER_SECOND = 1_000

/** 200 rows with triggers of the usual kind. */
const SECONDS_PER_CHUNK = 2

/** Queries for so many rows at once, five of them a call. */
const QUERY_ROWS = 200

/** Calls that look for people before a batch of rows is written: they may be found as records of two kinds. */
const looksFor = (rows: number, batch: number, queries: number): number => {
  if (queries === 0) return 0
  const perBatch = Math.ceil((Math.ceil(Math.min(rows, batch) / QUERY_ROWS) * queries) / MOST_CHUNKS) + 1
  return Math.ceil(rows / batch) * perBatch
}

export interface CostOptions {
  readonly options: ObjectOptions
  readonly concurrency: number
  /** Queries for each 200 rows before the first write of any: none where nothing is matched. */
  readonly queries: number
  readonly isScarce: () => boolean
}

export const makeCost =
  ({ options, concurrency, queries, isScarce }: CostOptions) =>
  (rows: number): { readonly calls: number; readonly seconds: number } => {
    const batch = options.path === "collections" ? CHUNK_ROWS : CHUNK_ROWS * MOST_CHUNKS
    const looks = looksFor(rows, batch, queries)
    if (isWorth(options, rows)) {
      const jobs = Math.ceil(rows / BULK_ROWS)
      const seconds = jobs * SECONDS_PER_JOB + Math.ceil(rows / BULK_ROWS_PER_SECOND)
      return { calls: 1 + jobs * CALLS_PER_JOB + looks, seconds: seconds + looks }
    }
    const chunks = Math.ceil(rows / CHUNK_ROWS)
    const isComposite = options.path === "composite" || (options.path !== "collections" && isScarce())
    const calls = isComposite ? Math.ceil(chunks / MOST_CHUNKS) : chunks
    return { calls: calls + looks, seconds: Math.ceil((chunks * SECONDS_PER_CHUNK) / concurrency) + looks }
  }
