/** The vendor's side of jobs: rows wait in a queue and land later, in the order in which jobs were handed over. */
import type { Outcome, Row } from "@sluice/core"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"
import type { Machine } from "./machine.ts"
import type { Objects } from "./objects.ts"

export interface VendorJob {
  readonly ref: string
  readonly batch: string
  readonly rows: ReadonlyArray<Row>
  /** idle: made and not started. lost: never will be. */
  state: "idle" | "queued" | "lost" | "done"
  /** When its rows land. */
  due: number
  /** Rows without one are named by nobody. */
  outcomes: ReadonlyArray<Outcome>
  /** The engine has its reference in the state. */
  saved: boolean
  /** The engine was told that it is over. */
  told: boolean
}

export interface JobQueueScript {
  readonly machine: Machine
  readonly destination: Destination
  readonly dice: Dice
  readonly objects: Objects
  readonly contentOf: (row: Row) => string
  readonly delayMillis: number
  /** Probability that the end of a job does not name a row. */
  readonly silent: () => number
}

export interface JobQueue {
  readonly make: (batch: string, rows: ReadonlyArray<Row>) => VendorJob
  readonly start: (job: VendorJob) => void
  readonly find: (ref: string) => VendorJob | undefined
  readonly all: () => ReadonlyArray<VendorJob>
  /** What was due meanwhile has landed. */
  readonly catchUp: () => void
  /** So have jobs that nobody knows of: nothing newer could wait for them, so the vendor takes each before it. */
  readonly landUnknown: () => void
}

export const makeJobQueue = (script: JobQueueScript): JobQueue => {
  const { machine, destination, dice, objects } = script
  const jobs: Array<VendorJob> = []

  const land = (job: VendorJob): void => {
    machine.note(`job ${job.ref} lands`)
    job.state = "done"
    job.outcomes = job.rows.flatMap((row) => {
      const isUnnamed = job.saved && dice.chance(script.silent())
      if (!isUnnamed) return [objects.take(row, { isLate: true, isSilent: !job.saved })]
      if (dice.chance(0.5)) objects.take(row, { isLate: true, isSilent: true })
      destination.unnamed(row.id, row.change === "delete" ? undefined : script.contentOf(row))
      return []
    })
  }

  return {
    make: (batch, rows) => {
      const job: VendorJob = {
        ref: `j${jobs.length + 1}`,
        batch,
        rows,
        state: "idle",
        due: Number.POSITIVE_INFINITY,
        outcomes: [],
        saved: false,
        told: false,
      }
      jobs.push(job)
      return job
    },
    start: (job) => {
      const last = Math.max(0, ...jobs.filter(({ state }) => state === "queued").map(({ due }) => due))
      job.due = Math.max(last, machine.now() + dice.below(script.delayMillis + 1))
      job.state = "queued"
    },
    find: (ref) => jobs.find((job) => job.ref === ref),
    all: () => jobs,
    catchUp: () => {
      for (const job of jobs) if (job.state === "queued" && job.due <= machine.now()) land(job)
    },
    landUnknown: () => {
      for (const job of jobs) if (job.state === "queued" && !job.saved) land(job)
    },
  }
}
