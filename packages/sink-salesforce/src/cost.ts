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
/** Of a query by keys alone: ids of Auth0 are so long that fewer fit in its address. */
const KEY_ROWS = 150

/** Calls for a batch of rows that look for people: they may be found as records of two kinds. */
const callsOfMatch = (rows: number, queries: number): number =>
  queries === 0 || rows === 0 ? 0 : Math.ceil((Math.ceil(rows / QUERY_ROWS) * queries) / MOST_CHUNKS) + 1

const callsOfKeys = (rows: number): number => Math.ceil(Math.ceil(rows / KEY_ROWS) / MOST_CHUNKS)

/** Calls that look before rows are written, batch by batch: each search waits for the one before it. */
const looksFor = (rows: number, batch: number, { queries, searches }: Pick<CostOptions, "queries" | "searches">) => {
  const perBatch = (size: number) => callsOfMatch(size, queries) + callsOfKeys(size) * searches
  return Math.floor(rows / batch) * perBatch(batch) + perBatch(rows % batch)
}

export interface CostOptions {
  readonly options: ObjectOptions
  readonly concurrency: number
  /** Queries for each 200 rows before the first write of any: none where nothing is matched. */
  readonly queries: number
  /** Searches by one key for each row: of keys in other capitals, of owners, of records that are not to be made. */
  readonly searches: number
  readonly isScarce: () => boolean
}

export const makeCost =
  ({ options, concurrency, queries, searches, isScarce }: CostOptions) =>
  (rows: number): { readonly calls: number; readonly seconds: number } => {
    const batch = options.path === "collections" ? CHUNK_ROWS : CHUNK_ROWS * MOST_CHUNKS
    const looks = looksFor(rows, batch, { queries, searches })
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
