/**
 * What became of the rows of jobs: all three result files of each are read (salesforce trap 5), and rows are told by
 * their key alone, for files keep no order and no spelling (salesforce trap 10).
 */
import { JobLost, Outcome, SinkError, type StoredBatch } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Keying } from "../describe/keying.ts"
import { problemOf } from "../errors.ts"
import { id18 } from "../ids.ts"
import type { Job } from "../shapes.ts"
import { rejected } from "../write/verdict.ts"
import { type BulkApi, jobProblem, type Line } from "./api.ts"
import type { Ended } from "./follow.ts"

/** Ids of rows by key, for those that no file has named yet. */
type Open = Map<string, string>

const openRows = (batch: StoredBatch, { canonical }: Keying): Effect.Effect<Open> =>
  Stream.runFold(
    batch.rows,
    (): Open => new Map(),
    (open, page) => {
      for (const row of page) open.set(canonical(row.key), row.id)
      return open
    },
  )

/** `CODE:message:FIELD --` */
const problemIn = (error: string) => {
  const [code = ""] = error.split(":", 1)
  const [, fields = ""] = /:([A-Za-z0-9_, ]*?)\s*--\s*$/.exec(error) ?? []
  return problemOf(
    code.trim(),
    error,
    fields.split(",").map((field) => field.trim()),
  )
}

const isTrue = (text: string | undefined): boolean => (text ?? "").toLowerCase() === "true"

type Reader = (id: string, line: Line) => Outcome

const succeeded: Reader = (id, line) => {
  const remoteId = line.sf__Id ?? ""
  return Outcome.Delivered({
    id,
    effect: isTrue(line.sf__Created) ? "created" : "updated",
    ...(remoteId === "" ? {} : { remoteId: id18(remoteId) }),
  })
}

/** Refusals that a single write would meet again are final; what a lock, a match or another record may mend is not. */
const refused: Reader = (id, line) => {
  const problem = problemIn(line.sf__Error ?? "")
  return problem.handling === "data" || problem.handling === "session"
    ? rejected({ row: { id } }, problem)
    : Outcome.Deferred({ id, message: problem.message })
}

const unprocessed: Reader = (id) => Outcome.Deferred({ id, message: "Salesforce: the job ended before this row" })

const files = [
  ["successfulResults", succeeded],
  ["failedResults", refused],
  ["unprocessedrecords", unprocessed],
] as const

/** A file spells values in its own way: `3.0` for 3. */
const outcomesOf = (
  lines: ReadonlyArray<Line>,
  { key, keying }: Told,
  open: Open,
  read: Reader,
): ReadonlyArray<Outcome> =>
  lines.flatMap((line) => {
    const of = keying.canonical(line[key] ?? "")
    const id = open.get(of)
    if (id === undefined) return []
    open.delete(of)
    return [read(id, line)]
  })

/**
 * Why a job took nothing, where that concerns all its rows: they go by Collections, whose answer stops the route if it
 * must. The job itself stays as it is for good, so a run that stopped for it would stop again for ever.
 */
const refusal = (job: Job, columns: ReadonlyArray<string>): string | undefined => {
  const { handling, message } = jobProblem(job, columns)
  const isWhole = handling === "config" || handling === "quota"
  return job.state === "Failed" && (job.numberRecordsProcessed ?? 0) === 0 && isWhole ? message : undefined
}

export const jobLost = () =>
  new SinkError({ reason: new JobLost({ message: "Salesforce ran no bulk job: none of its rows took effect" }) })

const rest = (open: Open): Stream.Stream<ReadonlyArray<Outcome>> =>
  Stream.suspend(() => {
    const left = [...open.values()].map((id) =>
      Outcome.Deferred({ id, message: "Salesforce: not carried by a job, or named by none of its results" }),
    )
    return left.length === 0 ? Stream.empty : Stream.make(left)
  })

/** How the rows of files are told. */
export interface Told {
  readonly key: string
  readonly keying: Keying
  readonly columns: ReadonlyArray<string>
}

export const settleJobs = (
  api: BulkApi,
  ended: ReadonlyArray<Ended>,
  batch: StoredBatch,
  told: Told,
): Stream.Stream<ReadonlyArray<Outcome>, SinkError> => {
  const jobs = ended.filter((job) => job !== undefined)
  if (ended.length > 0 && jobs.length === 0) return Stream.fail(jobLost())
  const refusals = jobs.flatMap((job) => refusal(job, told.columns) ?? [])
  const warned = Effect.forEach(refusals, (why) => Effect.logWarning(`${why}: a bulk job's rows go by Collections`))
  const read = jobs.filter((job) => refusal(job, told.columns) === undefined)
  return Stream.unwrap(
    Effect.map(Effect.andThen(warned, openRows(batch, told.keying)), (open) =>
      Stream.fromIterable(read.flatMap(({ id }) => files.map(([file, read]) => ({ id, file, read })))).pipe(
        Stream.flatMap(({ id, file, read }) =>
          Stream.map(api.results(id, file), (lines) => outcomesOf(lines, told, open, read)),
        ),
        Stream.concat(rest(open)),
      ),
    ),
  )
}
