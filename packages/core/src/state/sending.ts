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

  /** What stays open of a batch. */
  const remark = (batch: string, rest: ReadonlyArray<Mark>) => (rest.length === 0 ? unmark(batch) : mark(batch, rest))

  const unmark = (batch: string) => sql`DELETE FROM sending WHERE batch = ${batch}`

  /** What an earlier run left. */
  const left = Effect.gen(function* () {
    const rows = yield* sql<{ batch: string; rows: string }>`
      SELECT batch, rows FROM sending WHERE ns = ${ns} ORDER BY batch`
    return yield* Effect.forEach(rows, (row) =>
      Schema.decodeUnknownEffect(Marks)(row.rows).pipe(Effect.map((marks) => ({ batch: row.batch, marks }))),
    )
  })

  return { mark, remark, unmark, left }
}

export type Sending = ReturnType<typeof makeSending>
