/** The fence, the namespaces and the history of runs. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { Fenced, StateError } from "./errors.ts"
import { transaction } from "./transaction.ts"

/** Takes over a pipeline: every transaction of an earlier process is refused from now on. */
export const raiseFence = (sql: SqlClient, pipeline: string) =>
  transaction(
    sql,
    Effect.gen(function* () {
      yield* sql`INSERT INTO fences ${sql.insert({ pipeline, fence: 1 })}
        ON CONFLICT (pipeline) DO UPDATE SET fence = fences.fence + 1`
      const rows = yield* sql<{ fence: number }>`SELECT fence FROM fences WHERE pipeline = ${pipeline}`
      return Number(rows[0]?.fence ?? 0)
    }),
  )

/** A transaction that commits only while no later run has taken over the pipeline (rule 10). */
export const makeFencedTransaction = (sql: SqlClient, pipeline: string, fence: number) => {
  // Where transactions run side by side, nobody raises the fence until this one has ended.
  const held = sql.onDialectOrElse({ pg: () => sql.literal("FOR SHARE"), orElse: () => sql.literal("") })
  const check = Effect.gen(function* () {
    const rows = yield* sql<{ fence: number }>`SELECT fence FROM fences WHERE pipeline = ${pipeline} ${held}`
    if (Number(rows[0]?.fence ?? 0) !== fence) {
      return yield* new Fenced({ message: `a later run of ${pipeline} has taken over; this one stops` })
    }
  })
  return <A, E, R>(body: Effect.Effect<A, E, R>) => transaction(sql, Effect.andThen(check, body))
}

export interface Namespace {
  readonly id: number
  /** No run of this route wrote to this account before. */
  readonly isNew: boolean
  /** Runs of this route wrote to another account before. */
  readonly hasOthers: boolean
}

export const openNamespace = (
  sql: SqlClient,
  key: { readonly pipeline: string; readonly route: string; readonly account: string; readonly object: string },
) =>
  transaction(
    sql,
    Effect.gen(function* () {
      const known = yield* sql<{ id: number; account: string; object: string }>`
        SELECT id, account, object FROM namespaces WHERE pipeline = ${key.pipeline} AND route = ${key.route}`
      const mine = known.find((row) => row.account === key.account && row.object === key.object)
      if (mine !== undefined) return { id: Number(mine.id), isNew: false, hasOthers: known.length > 1 }
      const added = yield* sql<{ id: number }>`INSERT INTO namespaces ${sql.insert(key)} RETURNING id`
      const id = added[0]?.id
      if (id === undefined) return yield* new StateError({ message: "the state did not return a namespace" })
      return { id: Number(id), isNew: true, hasOthers: known.length > 0 }
    }),
  )

/** The routes of a pipeline that an earlier run left with batches or jobs open, with their namespaces. */
export const unsettledRoutes = (sql: SqlClient, pipeline: string) =>
  sql<{ ns: number; route: string; account: string }>`
    SELECT id AS ns, route, account FROM namespaces
    WHERE pipeline = ${pipeline} AND (id IN (SELECT ns FROM sending) OR id IN (SELECT ns FROM jobs))
    ORDER BY id`.pipe(Effect.map((rows) => rows.map((row) => ({ ...row, ns: Number(row.ns) }))))

export interface StoredRun {
  readonly id: string
  readonly pipeline: string
  readonly started_at: string
  readonly ended_at: string | null
  readonly status: string
  readonly report: string | null
}

export interface RunFilter {
  readonly pipeline?: string
  /** Only those that did not complete: failed, interrupted, or without an end. */
  readonly failed?: boolean
  /** The newest so many; 20 where absent. */
  readonly limit?: number
}

export const makeRuns = (sql: SqlClient) => ({
  start: (run: { readonly id: string; readonly pipeline: string; readonly started_at: string }) =>
    sql`INSERT INTO runs ${sql.insert({ ...run, ended_at: null, status: "running", report: null })}`,
  /** Counters commit with the outcomes they count (rule 8). */
  progress: (id: string, counts: string) => sql`UPDATE runs SET report = ${counts} WHERE id = ${id}`,
  end: (id: string, status: string, report: string, at: string) =>
    sql`UPDATE runs SET ended_at = ${at}, status = ${status}, report = ${report} WHERE id = ${id}`,
  list: ({ pipeline, failed, limit = 20 }: RunFilter) => {
    const asked = [
      ...(pipeline === undefined ? [] : [sql`pipeline = ${pipeline}`]),
      ...(failed === true ? [sql`status <> ${"completed"}`] : []),
    ]
    return sql<StoredRun>`SELECT * FROM runs WHERE ${sql.and(asked)} ORDER BY started_at DESC LIMIT ${limit}`
  },
  find: (id: string) => sql<StoredRun>`SELECT * FROM runs WHERE id = ${id}`,
})
