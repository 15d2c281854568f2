/** What a state file says is under way, read beside the process that owns it. */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"

export interface LeftOpen {
  /** Jobs that were made, handed over or not. */
  readonly jobs: ReadonlyArray<{ readonly batch: string; readonly rows: number; readonly ref: string | null }>
  /** Spools that fill or are given back, their rows, and marks of batches. */
  readonly rest: number
  /** The export job that the position is in. */
  readonly exporting: string | undefined
}

const nothing: LeftOpen = { jobs: [], rest: 0, exporting: undefined }

export const leftOpen = (file: string): LeftOpen => {
  if (!existsSync(file)) return nothing
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    const count = (from: string) => Number(database.prepare(`SELECT COUNT(*) AS n FROM ${from}`).get()?.n)
    if (count("sqlite_master WHERE name = 'jobs'") === 0) return nothing
    const jobs = database.prepare("SELECT batch, rows, ref FROM jobs WHERE rows IS NOT NULL").all()
    const position = database.prepare("SELECT position FROM checkpoints").get()?.position
    const { phase, job } = typeof position === "string" ? JSON.parse(position) : {}
    return {
      jobs: jobs.map(({ batch, rows, ref }) => ({
        batch: String(batch),
        rows: Number(rows),
        ref: ref === null ? null : String(ref),
      })),
      rest: count("jobs WHERE rows IS NULL") + count("spool") + count("sending"),
      exporting: phase === "export" ? String(job) : undefined,
    }
  } finally {
    database.close()
  }
}
