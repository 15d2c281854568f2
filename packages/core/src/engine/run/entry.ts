/** A record on its way: one object from its admission to a lane until it is settled. */
import type { JsonObject } from "effect/Schema"
import type { Mapped } from "../../mapping/mapping.ts"
import type { Position, Row, SourceRecord } from "../../plugin/record.ts"
import type { OpenPage } from "./frontier.ts"

/** A mapped record that is to be judged. */
export interface Arrival {
  readonly id: string
  readonly mapped: Mapped
  /** The pages that wait for it: its own and those of the versions it replaced. */
  readonly pages: ReadonlyArray<OpenPage>
  /** Where the source was, for a dead letter. */
  readonly position: Position | undefined
  /** `recovered` rows are outside the identity: their pages are read again. */
  readonly tally: "run" | "recovered"
}

/** What is to be written of a record. */
export interface Write {
  readonly row: Row
  /** Of the canonical row and the route's options. Null for a deletion. */
  readonly hash: string | null
  /** UTF-8 bytes of the canonical fields, where the writer bounds them. */
  readonly bytes: number
  readonly partition: string | undefined
  /** The record that loses this row key, under `on_key_conflict: newest`. */
  readonly displaces: string | undefined
}

/**
 * Where a lane has an entry. Waiting: `buffered` for a batch, `incoming` for the spool, `spooled`. `concluded` is settled
 * while the job it is a row of goes on.
 */
export type Place = "outside" | "parked" | "judging" | "buffered" | "incoming" | "spooled" | "inFlight" | "concluded"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Many live at once and outlive the page they came on, so a lane changes them instead of making new ones. */
export interface Entry extends Mutable<Arrival & Write> {
  readonly id: string
  place: Place
  /** The row key it holds while it is under way. */
  readonly key: string | undefined
  /** It was delivered under this key, and holds it too: it may delete or rename what another record takes over. */
  formerKey: string | undefined
  /** Its line in the spool, once it has one. */
  line: number
}

const nothing: Readonly<JsonObject> = {}

export const newEntry = ({ id, mapped, pages, position, tally }: Arrival): Entry => ({
  id,
  mapped,
  pages,
  position,
  tally,
  place: "outside",
  key: mapped._tag === "Row" ? mapped.row.key : undefined,
  formerKey: undefined,
  // Of what maps to no row nothing but a deletion is ever sent, and judging says which.
  row: mapped._tag === "Row" ? mapped.row : { id, key: id, change: "delete", fields: nothing },
  hash: null,
  bytes: 0,
  partition: undefined,
  displaces: undefined,
  line: 0,
})

/** It is judged. The canonical text has done its work, and is long. */
export const setWrite = (entry: Entry, { row, hash, bytes, partition, displaces }: Write): void => {
  entry.mapped = { _tag: "Row", record: recordOf(entry), row, canonical: "" }
  entry.row = row
  entry.hash = hash
  entry.bytes = bytes
  entry.partition = partition
  entry.displaces = displaces
}

/** Without what the spool keeps: an open spool is an index in memory (rule 12). */
export const slim = (entry: Entry): void => {
  entry.row = { ...entry.row, fields: nothing }
  entry.mapped = { _tag: "Row", record: { ...recordOf(entry), data: nothing }, row: entry.row, canonical: "" }
  entry.partition = undefined
}

const gone: Pick<Entry, "mapped" | "row" | "pages"> = {
  mapped: { _tag: "Filtered", record: { key: "", change: "upsert", data: nothing } },
  row: { id: "", key: "", change: "upsert", fields: nothing },
  pages: [],
}

/**
 * It is settled or lost to a newer version, and only its id and tally count from now on. A map that grows or shrinks
 * leaves a table behind that has all its entries and points to the next table: once one of them is in the old space, they
 * keep whatever went through the map until a major collection.
 */
export const empty = (entry: Entry): void => {
  entry.mapped = gone.mapped
  entry.row = gone.row
  entry.pages = gone.pages
}

export const recordOf = ({ mapped }: Pick<Arrival, "mapped">): SourceRecord => mapped.record

/** Versions decide where both have one; else the one that came last is newer. */
export const isOlder = (record: SourceRecord, than: SourceRecord): boolean =>
  record.version !== undefined && than.version !== undefined && record.version < than.version
