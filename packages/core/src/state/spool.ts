/**
 * Rows on disk for a vendor job. A table of the state rather than files, so that what is spooled and what the state says
 * of it commit together (ADR 0019).
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Row, SourceRecord } from "../plugin/record.ts"
import { type Cipher, place } from "./cipher.ts"
import { StateError } from "./errors.ts"
import { chunked } from "./ledger.ts"

/** All that is needed to send a row, to settle it and to say what became of it, also in another process. */
export interface SpooledRow {
  readonly row: Row
  readonly record: SourceRecord
  /** Of the canonical row and the route's options. Null for a deletion. */
  readonly hash: string | null
  /** UTF-8 bytes of the canonical fields, where the writer bounds them. */
  readonly bytes: number
  /** The record that loses this row key. */
  readonly displaces: string | undefined
  /** JSON of where the source was. */
  readonly position: string | undefined
}

export interface Line {
  readonly line: number
  readonly spooled: SpooledRow
}

/** The text was made from JSON by JSON.parse: that it is an object is all there is to check. */
const JsonData = Schema.declare(
  (value): value is Schema.JsonObject => typeof value === "object" && value !== null && !Array.isArray(value),
)
const change = Schema.Literals(["upsert", "delete"])

const Content = Schema.fromJsonString(
  Schema.Struct({
    row: Schema.Struct({
      id: Schema.String,
      key: Schema.String,
      change,
      fields: JsonData,
      remoteId: Schema.optionalKey(Schema.String),
    }),
    record: Schema.Struct({
      key: Schema.String,
      change,
      version: Schema.optionalKey(Schema.String),
      data: JsonData,
    }),
    hash: Schema.NullOr(Schema.String),
    bytes: Schema.Number,
    displaces: Schema.optionalKey(Schema.String),
    position: Schema.optionalKey(Schema.String),
  }),
)

const decode = Schema.decodeUnknownSync(Content)

const spooledOf = (text: string): SpooledRow => {
  const { displaces, position, ...rest } = decode(text)
  return { ...rest, displaces, position }
}

interface Stored {
  readonly line: number
  readonly content: string
}

/** Lines read at a time. */
const pageSize = 1000

export const makeSpool = (sql: SqlClient, cipher: Cipher["Service"]) => {
  const at = (batch: string, line: number): string => place("spool", batch, String(line))

  const append = (batch: string, lines: ReadonlyArray<Line>) =>
    chunked(
      lines,
      (part) =>
        sql`INSERT INTO spool ${sql.insert(
          Arr.map(part, ({ line, spooled }) => ({
            batch,
            line,
            content: cipher.seal(JSON.stringify(spooled), at(batch, line)),
          })),
        )} ON CONFLICT (batch, line) DO UPDATE SET content = excluded.content`,
    )

  /** Rows that a newer version replaced. */
  const remove = (batch: string, lines: ReadonlyArray<number>) =>
    chunked(lines, (part) => sql`DELETE FROM spool WHERE batch = ${batch} AND ${sql.in("line", part)}`)

  const open = Effect.fnUntraced(function* (batch: string, rows: ReadonlyArray<Stored>) {
    const texts = yield* Effect.forEach(rows, (row) => cipher.open(row.content, at(batch, row.line)))
    return yield* Effect.try({
      try: () => texts.map((text, n): Line => ({ line: Number(rows[n]?.line), spooled: spooledOf(text) })),
      catch: () => new StateError({ message: `rows of job ${batch} are damaged in the state` }),
    })
  })

  const read = (batch: string, lines: ReadonlyArray<number>) =>
    chunked(
      lines,
      (part) => sql<Stored>`SELECT line, content FROM spool WHERE batch = ${batch} AND ${sql.in("line", part)}`,
    ).pipe(Effect.flatMap((rows) => open(batch, rows)))

  /** All lines in order, a page at a time; again from the start whenever it is run. */
  const pages = (batch: string) => Stream.paginate(-1, (after: number) => nextPage(batch, after))

  const nextPage = Effect.fnUntraced(function* (batch: string, after: number) {
    const rows = yield* sql<Stored>`
      SELECT line, content FROM spool WHERE batch = ${batch} AND line > ${after} ORDER BY line LIMIT ${pageSize}`
    const lines = yield* open(batch, rows)
    const last = lines.at(-1)
    const page: ReadonlyArray<ReadonlyArray<Line>> = last === undefined ? [] : [lines]
    return [page, Option.map(Option.fromUndefinedOr(last), ({ line }) => line)] as const
  })

  return { append, remove, read, pages }
}

export type Spool = ReturnType<typeof makeSpool>
