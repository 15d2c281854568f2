/** What must hold of jobs, asked at each step of one and at each end of a process. */
import type { Outcome, Row, SinkReason, StoredBatch } from "@sluice/core"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"
import type { Disk } from "./disk.ts"
import type { Flight } from "./flight.ts"
import type { JobQueue, VendorJob } from "./jobQueue.ts"
import type { Machine } from "./machine.ts"
import type { JobScenario } from "./scenario.ts"

/** How often each thing happened: a scenario must not stop covering one in silence. */
export interface JobTally {
  submitted: number
  /** Settled by a later process. */
  recovered: number
  /** Spools that became batches. */
  drained: number
  /** Jobs of which the vendor said that it has none. */
  lost: number
  /** Rows that a job left to the batches. */
  deferred: number
  /** Rows that the end of a job did not name. */
  unnamed: number
  /** Hand-overs without an answer. */
  silent: number
}

export const noJobs = (): JobTally => ({
  submitted: 0,
  recovered: 0,
  drained: 0,
  lost: 0,
  deferred: 0,
  unnamed: 0,
  silent: 0,
})

export const addJobs = (sum: JobTally, more: JobTally): void => {
  sum.submitted += more.submitted
  sum.recovered += more.recovered
  sum.drained += more.drained
  sum.lost += more.lost
  sum.deferred += more.deferred
  sum.unnamed += more.unnamed
  sum.silent += more.silent
}

export interface JobOracles {
  readonly worth: (rows: number) => boolean
  readonly submitted: (batch: StoredBatch, rows: ReadonlyArray<Row>) => void
  /** Answers whether the engine knows the job all the same. */
  readonly refused: (batch: StoredBatch, reason: SinkReason) => boolean
  readonly followed: (ref: string, rows: ReadonlyArray<Row>) => void
  readonly answered: (job: VendorJob, outcomes: ReadonlyArray<Outcome>) => void
  readonly over: (job: VendorJob) => void
  readonly failed: (ref: string, reason: SinkReason) => void
  readonly began: () => void
  readonly died: () => void
  /** A process came to its end, one way or the other: it has forgotten no job. */
  readonly checkKept: () => void
  /** Rows said to be delivered in this life: of jobs that are over, and of all. */
  readonly acknowledged: () => { readonly least: number; readonly most: number }
}

export const makeJobOracles = (script: {
  readonly machine: Machine
  readonly destination: Destination
  readonly disk: Disk
  readonly dice: Dice
  readonly queue: JobQueue
  readonly flight: Flight
  readonly scenario: JobScenario
  readonly tally: JobTally
  readonly isCalm: () => boolean
  readonly contentOf: (row: Row) => string
  readonly lose: (rows: ReadonlyArray<Row>) => void
}): JobOracles => {
  const { destination, disk, dice, flight, machine, queue, scenario, tally } = script
  const { route } = destination.options
  const handedOver = new Set<string>()
  let delivered = new Map<string, Set<string>>()
  let born = 0
  let found = new Set<string>()
  let isOff = false

  const stored = () => disk.jobs(route)
  const isOpen = (job: VendorJob): boolean => stored().get(job.batch)?.ref === job.ref
  const ofBatch = (batch: string) => queue.all().findLast((job) => job.batch === batch)

  const isOver = (job: VendorJob): void => {
    job.told = true
    flight.leave(job.batch)
  }

  const violate = (rule: string, batch: string, what: string) => machine.violate(rule, `${route}: job ${batch} ${what}`)

  return {
    worth: (rows) => {
      const isWorth = rows >= scenario.worth
      if (!isWorth && !isOff) tally.drained += 1
      return isWorth && !isOff
    },
    submitted: (batch, rows) => {
      const { id } = batch
      tally.submitted += 1
      const kept = stored().get(id)
      if (kept?.rows === undefined || kept.rows === null) return violate("rule 3", id, "is handed over and not noted")
      if (kept.ref !== null || queue.all().some((job) => job.batch === id && job.saved && !job.told)) {
        return violate("rule 3", id, "is submitted again although its reference is known")
      }
      if (rows.length !== batch.count || rows.length !== kept.rows) violate("rule 7", id, `has ${rows.length} rows`)
      if (rows.length > scenario.rows || rows.length < scenario.worth) violate("limits", id, `has ${rows.length} rows`)
      const bytes = rows.reduce((sum, row) => sum + bytesOf(row), 0)
      if (bytes !== batch.bytes) violate("limits", id, `has ${bytes} bytes, not ${batch.bytes}`)
      if (rows.length > 1 && bytes > (scenario.bytes ?? bytes)) violate("limits", id, `has ${bytes} bytes`)
      // Later the record may have come back; the job says what was right when it was made.
      const isNew = !handedOver.has(id)
      const isWrong = (row: Row) => row.change === "delete" && !destination.options.mayDelete(row.id)
      if (isNew && rows.some(isWrong)) violate("rule 15", id, "deletes what is at the source")
      handedOver.add(id)
      flight.enter(id, rows)
    },
    refused: (batch, reason) => {
      const job = ofBatch(batch.id)
      if (job?.saved === true && !job.told && reason._tag !== "BatchRefused") return true
      if (reason._tag === "Protocol" || reason._tag === "Unavailable") tally.silent += 1
      if (job !== undefined) job.told = true
      flight.leave(batch.id)
      return false
    },
    followed: (ref, rows) => {
      const job = queue.find(ref)
      if (job === undefined) return machine.violate("rule 3", `${route}: no job was ever called ${ref}`)
      if (!isOpen(job)) violate("rule 3", job.batch, `is followed as ${ref}, which the state does not have`)
      if (JSON.stringify(rows) !== JSON.stringify(job.rows)) violate("rule 3", job.batch, "has other rows now")
      if (queue.all().indexOf(job) < born && !delivered.has(job.batch)) tally.recovered += 1
      delivered.set(job.batch, delivered.get(job.batch) ?? new Set())
    },
    answered: (job, outcomes) => {
      for (const { _tag, id } of outcomes) {
        if (_tag === "Delivered") delivered.get(job.batch)?.add(id)
        if (_tag === "Deferred") tally.deferred += 1
      }
    },
    over: (job) => {
      tally.unnamed += job.rows.length - job.outcomes.length
      isOver(job)
    },
    failed: (ref, reason) => {
      const job = queue.find(ref)
      if (job === undefined) return
      if (reason._tag === "JobLost") tally.lost += 1
      if (reason._tag === "JobLost" || reason._tag === "Refused") isOver(job)
      if (reason._tag !== "Refused") return
      for (const row of job.rows)
        destination.unnamed(row.id, row.change === "delete" ? undefined : script.contentOf(row))
    },
    began: () => {
      isOff = !script.isCalm() && dice.chance(0.1)
      delivered = new Map()
      born = queue.all().length
      found = new Set(stored().keys())
      for (const job of queue.all()) {
        job.told = !isOpen(job)
        if (!job.told) flight.enter(job.batch, job.rows)
      }
    },
    died: () => {
      for (const job of queue.all()) {
        // It was noted, though nobody heard of it.
        if (isOpen(job)) job.saved = true
        else if (!job.saved && stored().has(job.batch)) script.lose(job.rows)
      }
    },
    checkKept: () => {
      for (const job of queue.all()) {
        if (job.saved && !job.told && !isOpen(job)) violate("rule 11", job.batch, "goes on and nobody knows of it")
        // A stop cuts recovery short as a crash does: what it was handing over again is in doubt.
        const kept = stored().get(job.batch)
        if (kept?.ref === null && kept.rows !== null && found.has(job.batch)) script.lose(job.rows)
      }
    },
    acknowledged: () => {
      const open = stored()
      let [least, most] = [0, 0]
      for (const [batch, ids] of delivered) {
        most += ids.size
        if ((open.get(batch)?.rows ?? null) === null) least += ids.size
      }
      return { least, most }
    },
  }
}

/** Of the canonical JSON, where bytes are bounded; a deletion has none. */
const bytesOf = (row: Row): number =>
  row.change === "delete" ? 0 : JSON.stringify(row.fields, Object.keys(row.fields).sort()).length
