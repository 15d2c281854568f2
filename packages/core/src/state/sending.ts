/** The write-ahead mark of a batch: what a crash leaves behind of a write whose outcome was not committed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"

const Marks = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      id: Schema.String,
      row_key: Schema.String,
      hash: Schema.NullOr(Schema.String),
      version: Schema.NullOr(Schema.String),
    }),
  ),
)

export type Mark = (typeof Marks.Type)[number]

export const makeSending = (sql: SqlClient, ns: number) => {
  const mark = (batch: string, rows: ReadonlyArray<Mark>) => sql`
    INSERT INTO sending ${sql.insert({ batch, ns, rows: JSON.stringify(rows) })}
    ON CONFLICT (batch) DO UPDATE SET rows = excluded.rows`

  const unmark = (batch: string) => sql`DELETE FROM sending WHERE batch = ${batch}`

  /** What an earlier run left. */
  const left = Effect.gen(function* () {
    const rows = yield* sql<{ batch: string; rows: string }>`
      SELECT batch, rows FROM sending WHERE ns = ${ns} ORDER BY batch`
    return yield* Effect.forEach(rows, (row) =>
      Schema.decodeUnknownEffect(Marks)(row.rows).pipe(Effect.map((marks) => ({ batch: row.batch, marks }))),
    )
  })

  return { mark, unmark, left }
}

export type Sending = ReturnType<typeof makeSending>

/** The routes of a pipeline that were sending when a run ended, with their namespaces. */
export const sendingRoutes = (sql: SqlClient, pipeline: string) =>
  sql<{ ns: number; route: string }>`
    SELECT DISTINCT n.id AS ns, n.route FROM namespaces n JOIN sending s ON s.ns = n.id
    WHERE n.pipeline = ${pipeline} ORDER BY n.id`.pipe(
    Effect.map((rows) => rows.map(({ ns, route }) => ({ ns: Number(ns), route }))),
  )
