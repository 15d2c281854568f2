/** The write-ahead mark of a batch: what a crash leaves behind of a write whose outcome was not committed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"

export interface Mark {
  readonly id: string
  readonly row_key: string
  readonly hash: string | null
  readonly version: string | null
}

const Text = Schema.NullOr(Schema.String)

/** A list for each row, as there are many and each batch writes and deletes them: id, hash, version, row key if not the id. */
const Kept = Schema.Tuple([Schema.String, Text, Text, Schema.optionalKey(Schema.String)])

/** As earlier versions wrote them. */
const Named = Schema.Struct({ id: Schema.String, row_key: Schema.String, hash: Text, version: Text })

const decodeRows = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.Union([Kept, Named]))))

const keep = ({ id, row_key, hash, version }: Mark): typeof Kept.Type =>
  row_key === id ? [id, hash, version] : [id, hash, version, row_key]

const markOf = (row: typeof Kept.Type | Mark): Mark => {
  if ("id" in row) return row
  const [id, hash, version, row_key = id] = row
  return { id, row_key, hash, version }
}

export const makeSending = (sql: SqlClient, ns: number) => {
  const mark = (batch: string, rows: ReadonlyArray<Mark>) => sql`
    INSERT INTO sending ${sql.insert({ batch, ns, rows: JSON.stringify(rows.map(keep)) })}
    ON CONFLICT (batch) DO UPDATE SET rows = excluded.rows`

  /** What stays open of a batch. */
  const remark = (batch: string, rest: ReadonlyArray<Mark>) => (rest.length === 0 ? unmark(batch) : mark(batch, rest))

  const unmark = (batch: string) => sql`DELETE FROM sending WHERE batch = ${batch}`

  /** What an earlier run left. */
  const left = Effect.gen(function* () {
    const rows = yield* sql<{ batch: string; rows: string }>`
      SELECT batch, rows FROM sending WHERE ns = ${ns} ORDER BY batch`
    return yield* Effect.forEach(rows, (row) =>
      decodeRows(row.rows).pipe(Effect.map((kept) => ({ batch: row.batch, marks: kept.map(markOf) }))),
    )
  })

  return { mark, remark, unmark, left }
}

export type Sending = ReturnType<typeof makeSending>
