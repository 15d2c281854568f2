/** What was last written to a destination, by record: rows that come out the same are not sent again. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { makePlaceholders } from "./placeholders.ts"

export interface LedgerRow {
  readonly id: string
  readonly row_key: string
  /** Null: a write was lost, so what the destination holds is unknown. */
  readonly hash: string | null
  readonly version: string | null
  readonly remote_id: string | null
}

/** A record, and the row key it wants. */
export interface Wanted {
  readonly id: string
  readonly key: string
}

/** Bound parameters of one statement stay far below the least limit of the databases (32,766). */
const chunkSize = 1000

export const makeLedger = (sql: SqlClient, ns: number) => {
  const columns = sql.literal("id, row_key, hash, version, remote_id")
  const here = sql.literal(`ns = ${ns}`)
  const { list, tuples } = makePlaceholders(sql)

  /** Some record stands under a key that is not its id. Nobody else writes while this run holds the fence. */
  let strays: boolean | undefined
  const anyStrays = Effect.suspend(() => {
    if (strays !== undefined) return Effect.succeed(strays)
    const one = sql`SELECT id FROM ledger WHERE ${here} AND row_key <> id LIMIT 1`
    return Effect.map(one, (rows) => (strays = strays === true || rows.length > 0))
  })
  const noteKeys = (rows: ReadonlyArray<Pick<LedgerRow, "id" | "row_key">>): void => {
    if (strays !== true && rows.some(({ id, row_key }) => id !== row_key)) strays = true
  }

  /** The greatest id that the run found, and the greatest that it has written: none is beyond both. */
  let found: string | undefined
  let written = ""
  const greatest = Effect.suspend(() => {
    if (found !== undefined) return Effect.succeed(found)
    const one = sql<{ id: string | null }>`SELECT MAX(id) AS id FROM ledger WHERE ${here}`
    return Effect.map(one, (rows) => (found ??= rows[0]?.id ?? ""))
  })
  const noteIds = (rows: ReadonlyArray<Pick<LedgerRow, "id">>): void => {
    for (const { id } of rows) written = later(written, id)
  }

  /** A first run mostly brings ids in order, and then nothing is looked for. */
  const byIds = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const last = later(yield* greatest, written)
    if (ids.every((id) => isBeyond(id, last))) return []
    return yield* chunked(ids, (part) =>
      Effect.map(sql`SELECT ${columns} FROM ledger WHERE ${here} AND id IN ${list(part)}`.values, (rows) =>
        rows.map(rowOf),
      ),
    )
  })

  /**
   * The ledger rows that stand under these keys, but for such as can only be the record's own: most routes have the id
   * for a key, and then nothing is asked.
   */
  const byKeys = Effect.fnUntraced(function* (wanted: ReadonlyArray<Wanted>) {
    const hasStrays = yield* anyStrays
    const keys = wanted.flatMap(({ id, key }) => (hasStrays || id !== key ? [key] : []))
    return yield* chunked(keys, (part) => {
      const byId = sql`SELECT ${columns} FROM ledger WHERE ${here} AND row_key = id AND id IN ${list(part)}`
      const byKey = sql`
        UNION ALL SELECT ${columns} FROM ledger
        WHERE ${here} AND row_key <> id AND row_key IN ${list(part, part.length)}`
      return sql<LedgerRow>`${byId} ${hasStrays ? byKey : sql.literal("")}`
    })
  })

  /** Older never replaces newer. */
  const upsert = (rows: ReadonlyArray<LedgerRow>) => {
    noteKeys(rows)
    noteIds(rows)
    return chunked(
      rows,
      (part) => sql`
        INSERT INTO ledger (${columns}, ns) VALUES ${tuples(part.length, valuesOf(part), `, ${ns}`)}
        ON CONFLICT (ns, id) DO UPDATE SET
          row_key = excluded.row_key, hash = excluded.hash, version = excluded.version,
          remote_id = COALESCE(excluded.remote_id, ledger.remote_id)
        WHERE ledger.version IS NULL OR excluded.version IS NULL OR excluded.version >= ledger.version`,
    )
  }

  const remove = (ids: ReadonlyArray<string>) =>
    chunked(ids, (part) => sql`DELETE FROM ledger WHERE ns = ${ns} AND ${sql.in("id", part)}`)

  /**
   * Rows whose write was lost: the source still has them and they are sent again, or they are found absent. What may have
   * been written is remembered by its version, so that nothing older is written over it.
   */
  const forget = (rows: ReadonlyArray<Pick<LedgerRow, "id" | "row_key" | "version">>) => {
    noteKeys(rows)
    noteIds(rows)
    return chunked(
      rows,
      (part) => sql`
        INSERT INTO ledger ${sql.insert(
          Arr.map(part, (row) => ({
            ns,
            id: row.id,
            row_key: row.row_key,
            hash: null,
            version: row.version,
            remote_id: null,
          })),
        )}
        ON CONFLICT (ns, id) DO UPDATE SET hash = NULL, version = CASE
          WHEN ledger.version IS NULL OR excluded.version > ledger.version THEN excluded.version ELSE ledger.version END`,
    )
  }

  const count = sql<{ n: number }>`SELECT COUNT(*) AS n FROM ledger WHERE ns = ${ns}`.pipe(Effect.map(firstCount))

  /** Ids that a complete scan did not see, in order, after `after`. */
  const absent = (scan: string, after: string, limit: number) => sql<LedgerRow>`
    SELECT ${columns} FROM ledger WHERE ns = ${ns} AND id > ${after}
      AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.scan = ${scan} AND seen.id = ledger.id)
    ORDER BY id LIMIT ${limit}`

  const countAbsent = (scan: string) =>
    sql<{ n: number }>`
      SELECT COUNT(*) AS n FROM ledger WHERE ns = ${ns}
        AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.scan = ${scan} AND seen.id = ledger.id)`.pipe(
      Effect.map(firstCount),
    )

  return { byIds, byKeys, upsert, remove, forget, count, absent, countAbsent }
}

export type Ledger = ReturnType<typeof makeLedger>

/** Such text compares with any other here as it does in the database, which goes by bytes. */
const isAscii = (text: string): boolean => /^[ -~]*$/.test(text)

const isBeyond = (id: string, last: string): boolean => isAscii(id) && id > last

/** The greater one; of ids that may compare in another way, text that no id is beyond. */
const later = (a: string, b: string): string => (isAscii(b) ? (b > a ? b : a) : "\uffff")

const rowOf = ([id, key, hash, version, remoteId]: ReadonlyArray<unknown>): LedgerRow => ({
  id: String(id),
  row_key: String(key),
  hash: textOrNull(hash),
  version: textOrNull(version),
  remote_id: textOrNull(remoteId),
})

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null)

const valuesOf = (rows: ReadonlyArray<LedgerRow>): ReadonlyArray<string | null> => {
  const values: Array<string | null> = []
  for (const { id, row_key, hash, version, remote_id } of rows) values.push(id, row_key, hash, version, remote_id)
  return values
}

const firstCount = (rows: ReadonlyArray<{ readonly n: number }>): number => Number(rows[0]?.n ?? 0)

/** Runs a statement over parts of a long list. */
export const chunked = Effect.fnUntraced(function* <A, B, E, R>(
  items: ReadonlyArray<A>,
  run: (part: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E, R>,
): Effect.fn.Return<ReadonlyArray<B>, E, R> {
  if (items.length <= chunkSize) return Arr.isReadonlyArrayNonEmpty(items) ? yield* run(items) : []
  const found: Array<B> = []
  for (const part of Arr.chunksOf(items, chunkSize)) found.push(...(yield* run(part)))
  return found
})
