/** Vendor jobs that are not settled: the rows they stand for, spooled, and the vendor's reference to them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { StateError } from "./errors.ts"

export interface Job {
  /** Names its spool, and the batch to the vendor. */
  readonly batch: string
  /** The vendor's, once it has one. */
  readonly ref: string | null
  /** Null while the spool fills: nothing of it was handed over, and nobody misses it. */
  readonly rows: number | null
  /** Of the canonical JSON of all rows. */
  readonly bytes: number
}

const Stored = Schema.Struct({
  batch: Schema.String,
  ref: Schema.NullOr(Schema.String),
  rows: Schema.NullOr(Schema.Number),
  bytes: Schema.Number,
  checksum: Schema.String,
})

export const makeJobs = (sql: SqlClient, ns: number, sha256: (text: string) => string) => {
  const checksum = (job: Job): string => sha256(JSON.stringify([job.batch, ns, job.ref, job.rows, job.bytes]))

  const put = (job: Job) => sql`
    INSERT INTO jobs ${sql.insert({ ...job, ns, checksum: checksum(job) })}
    ON CONFLICT (batch) DO UPDATE SET
      ref = excluded.ref, rows = excluded.rows, bytes = excluded.bytes, checksum = excluded.checksum`

  /** Its rows go too. */
  const drop = (batch: string) =>
    Effect.gen(function* () {
      yield* sql`DELETE FROM spool WHERE batch = ${batch}`
      yield* sql`DELETE FROM jobs WHERE batch = ${batch}`
    })

  /** What an earlier run left. */
  const left = Effect.gen(function* () {
    const rows = yield* sql`SELECT batch, ref, rows, bytes, checksum FROM jobs WHERE ns = ${ns} ORDER BY batch`
    return yield* Effect.forEach(rows, (row) =>
      Effect.gen(function* () {
        const { checksum: found, ...job } = yield* Schema.decodeUnknownEffect(Stored)(row)
        if (found !== checksum(job)) {
          const message = `job ${job.batch} is damaged in the state; restore the state from a copy, or look at the destination and start with a new one`
          return yield* new StateError({ message })
        }
        return job
      }),
    )
  })

  return { put, drop, left }
}

export type Jobs = ReturnType<typeof makeJobs>
