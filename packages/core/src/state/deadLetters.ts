/** Records that could not be delivered, kept until they are retried, dropped or overtaken. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { DroppedField } from "../plugin/outcome.ts"
import { StateError } from "./errors.ts"
import { chunked } from "./ledger.ts"

/**
 * rejected: the destination, or a check of its rules, refused the row. invalid: the mapping has an issue. key_conflict:
 * another record owns the row key. deferred: not accepted yet, tried again by each run. in_doubt: nobody knows.
 */
export type DeadLetterKind = "rejected" | "invalid" | "key_conflict" | "deferred" | "in_doubt"

export interface DeadLetter {
  readonly id: string
  readonly row_key: string | null
  readonly kind: DeadLetterKind
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
  /** Of the row that was refused: the same row is not sent again. */
  readonly hash: string | null
  readonly version: string | null
  /** Record and row, sealed; null where there is none or the file says so. */
  readonly payload: string | null
  readonly position: string | null
}

export interface StoredDeadLetter extends DeadLetter {
  readonly number: number
  readonly ns: number
  readonly attempts: number
  readonly first_at: string
  readonly last_at: string
  readonly run: string
}

type Stored = Omit<StoredDeadLetter, "fields"> & { readonly fields: string }

const decodeFields = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.String)))

const parse = <Row extends Stored>(row: Row): Effect.Effect<Omit<Row, "fields"> & StoredDeadLetter, StateError> =>
  decodeFields(row.fields).pipe(
    Effect.map((fields) => ({ ...row, fields })),
    Effect.mapError(() => new StateError({ message: `dead letter ${row.number} is damaged in the state` })),
  )

export const makeDeadLetters = (sql: SqlClient, ns: number) => {
  const byIds = (ids: ReadonlyArray<string>) =>
    chunked(ids, (part) => sql<Stored>`SELECT * FROM dead_letters WHERE ns = ${ns} AND ${sql.in("id", part)}`).pipe(
      Effect.flatMap((rows) => Effect.forEach(rows, parse)),
    )

  const count = sql<{ n: number }>`SELECT COUNT(*) AS n FROM dead_letters WHERE ns = ${ns}`.pipe(
    Effect.map((rows) => Number(rows[0]?.n ?? 0)),
  )

  const ofKind = (kind: DeadLetterKind) =>
    sql<Stored>`SELECT * FROM dead_letters WHERE ns = ${ns} AND kind = ${kind} ORDER BY number`.pipe(
      Effect.flatMap((rows) => Effect.forEach(rows, parse)),
    )

  /** One for each record: a later one replaces what was said and keeps the count of attempts. */
  const put = (letters: ReadonlyArray<DeadLetter>, run: string, at: string) =>
    chunked(
      letters,
      (part) => sql`
        INSERT INTO dead_letters ${sql.insert(
          Arr.map(part, (letter) => ({
            ns,
            ...letter,
            fields: JSON.stringify(letter.fields),
            attempts: 1,
            first_at: at,
            last_at: at,
            run,
          })),
        )}
        ON CONFLICT (ns, id) DO UPDATE SET
          row_key = excluded.row_key, kind = excluded.kind, code = excluded.code, message = excluded.message,
          fields = excluded.fields, hash = excluded.hash, version = excluded.version, payload = excluded.payload,
          position = excluded.position, attempts = dead_letters.attempts + 1, last_at = excluded.last_at,
          run = excluded.run`,
    )

  const close = (ids: ReadonlyArray<string>) =>
    chunked(ids, (part) => sql`DELETE FROM dead_letters WHERE ns = ${ns} AND ${sql.in("id", part)}`)

  /** Fields left out of rows that were delivered all the same (rule 4). */
  const noteDropped = (
    rows: ReadonlyArray<{ readonly id: string; readonly fields: ReadonlyArray<DroppedField> }>,
    run: string,
    at: string,
  ) =>
    chunked(
      rows.flatMap(({ id, fields }) => onceEach(fields).map((field) => ({ ns, id, ...field, run, at }))),
      (part) => sql`
        INSERT INTO dropped_fields ${sql.insert(part)}
        ON CONFLICT (ns, id, field) DO UPDATE SET
          code = excluded.code, message = excluded.message, run = excluded.run, at = excluded.at`,
    )

  return { byIds, count, ofKind, put, close, noteDropped }
}

/** The last word on each: one statement may not say two things of one row. */
const onceEach = (fields: ReadonlyArray<DroppedField>): ReadonlyArray<DroppedField> => [
  ...new Map(fields.map((dropped) => [dropped.field, dropped])).values(),
]

export type DeadLetters = ReturnType<typeof makeDeadLetters>

/** A dead letter with the names of what its namespace number stands for. */
export interface ListedDeadLetter extends StoredDeadLetter {
  readonly pipeline: string
  readonly route: string
  readonly account: string
}

/** Dead letters of all pipelines or one, newest first. */
export const findDeadLetters = (
  sql: SqlClient,
  filter: {
    readonly pipeline?: string
    readonly route?: string
    readonly numbers?: ReadonlyArray<number>
    readonly limit?: number
  },
) =>
  sql<Stored & { readonly pipeline: string; readonly route: string; readonly account: string }>`
    SELECT d.*, n.pipeline, n.route, n.account FROM dead_letters d JOIN namespaces n ON n.id = d.ns
    WHERE ${sql.and([
      sql`1 = 1`,
      ...(filter.pipeline === undefined ? [] : [sql`n.pipeline = ${filter.pipeline}`]),
      ...(filter.route === undefined ? [] : [sql`n.route = ${filter.route}`]),
      ...(filter.numbers === undefined
        ? []
        : [filter.numbers.length === 0 ? sql`1 = 0` : sql.in("d.number", filter.numbers)]),
    ])}
    ORDER BY d.number DESC LIMIT ${filter.limit ?? 1000}`.pipe(Effect.flatMap((rows) => Effect.forEach(rows, parse)))
