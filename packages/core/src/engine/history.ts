/** What the state holds of pipelines: their runs, positions and ledgers. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { StateFailure } from "../state/errors.ts"
import { StateError, stateFailure } from "../state/errors.ts"
import type { LockHeld, RunLock } from "../state/lock.ts"
import { makeRuns, type RunFilter, type StoredRun } from "../state/runs.ts"
import { exclusively } from "./deadLetters.ts"

/** Newest first. A run without an end is going on, or its process died. */
export const listRuns = (
  filter: RunFilter = {},
): Effect.Effect<ReadonlyArray<StoredRun>, StateFailure, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    return yield* makeRuns(yield* SqlClient.SqlClient).list(filter)
  }).pipe(Effect.mapError(stateFailure))

export const showRun = (id: string): Effect.Effect<StoredRun, StateFailure, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const run = (yield* makeRuns(yield* SqlClient.SqlClient).find(id))[0]
    return run === undefined ? yield* new StateError({ message: `there is no run ${id}` }) : run
  }).pipe(Effect.mapError(stateFailure))

export interface PipelineState {
  readonly pipeline: string
  readonly positions: ReadonlyArray<{
    readonly account: string
    readonly stream: string
    /** As the source wrote it; null: the next scan starts from nothing. */
    readonly position: string | null
    /** A scan is under way and will be resumed. */
    readonly open: boolean
    readonly updated_at: string
  }>
  readonly routes: ReadonlyArray<{
    readonly route: string
    readonly account: string
    /** Records that were delivered and are compared with. */
    readonly ledger: number
    readonly dead_letters: number
    /** Batches that an interrupted run left; the next run recovers them. */
    readonly open_batches: number
    /** Vendor jobs, likewise. */
    readonly open_jobs: number
  }>
}

export const showState = (
  filter: { readonly pipeline?: string } = {},
): Effect.Effect<ReadonlyArray<PipelineState>, StateFailure, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const positions = yield* sql<{
      pipeline: string
      account: string
      stream: string
      position: string | null
      open: number
      updated_at: string
    }>`SELECT pipeline, account, stream, position, open, updated_at FROM checkpoints ORDER BY pipeline, updated_at`
    const routes = yield* sql<{
      pipeline: string
      route: string
      account: string
      ledger: number
      dead_letters: number
      open_batches: number
      open_jobs: number
    }>`
      SELECT n.pipeline, n.route, n.account,
        (SELECT COUNT(*) FROM ledger l WHERE l.ns = n.id) AS ledger,
        (SELECT COUNT(*) FROM dead_letters d WHERE d.ns = n.id) AS dead_letters,
        (SELECT COUNT(*) FROM sending s WHERE s.ns = n.id) AS open_batches,
        (SELECT COUNT(*) FROM jobs j WHERE j.ns = n.id AND j.rows IS NOT NULL) AS open_jobs
      FROM namespaces n ORDER BY n.pipeline, n.route, n.account`
    const names = new Set([...positions, ...routes].map((row) => row.pipeline))
    return [...names]
      .filter((pipeline) => filter.pipeline === undefined || filter.pipeline === pipeline)
      .map(
        (pipeline): PipelineState => ({
          pipeline,
          positions: positions
            .filter((row) => row.pipeline === pipeline)
            .map(({ pipeline: _, open, ...row }) => ({ ...row, open: open === 1 })),
          routes: routes.filter((row) => row.pipeline === pipeline).map(({ pipeline: _, ...row }) => row),
        }),
      )
  }).pipe(Effect.mapError(stateFailure))

/**
 * Forgets where a pipeline was. `position`: the next run scans everything, and the ledger still spares unchanged rows.
 * `all`: ledger and dead letters go too, so everything is sent again.
 */
export const resetState = (
  pipeline: string,
  what: "position" | "all",
): Effect.Effect<void, LockHeld | StateFailure, SqlClient.SqlClient | RunLock> =>
  exclusively(
    pipeline,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`DELETE FROM seen WHERE scan IN (SELECT scan FROM checkpoints WHERE pipeline = ${pipeline})`
      yield* sql`DELETE FROM checkpoints WHERE pipeline = ${pipeline}`
      if (what === "position") return
      const mine = sql`SELECT id FROM namespaces WHERE pipeline = ${pipeline}`
      for (const table of ["ledger", "dead_letters", "dropped_fields"]) {
        yield* sql`DELETE FROM ${sql(table)} WHERE ns IN (${mine})`
      }
      yield* sql`DELETE FROM namespaces WHERE pipeline = ${pipeline}`
    }),
  )
