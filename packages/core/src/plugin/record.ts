/**
 * The data that flows: records from a source, rows to a sink. Plain interfaces, because this is the hot path;
 * schemas guard the edges.
 */
import type { Json, JsonObject } from "effect/Schema"
import type { Stream } from "effect/Stream"

/** One thing of the source, as the source names it. */
export interface SourceRecord {
  /** The source's own identifier, unique in the stream. */
  readonly key: string
  readonly change: "upsert" | "delete"
  /** Comparable text, larger is newer (an ISO timestamp, a sequence). Absent: arrival decides. */
  readonly version?: string
  /** The fields the request asked for. A key that is absent here is absent at the source. */
  readonly data: JsonObject
}

/** Where a scan can resume. Only the source that made it reads it; the engine stores it as JSON. */
export type Position = Json

/** What one call to a source brought. */
export interface Page {
  readonly records: ReadonlyArray<SourceRecord>
  /** Resume here once every record of this page and of all before it is settled. */
  readonly position: Position
}

/** A mapped record. In `fields`, absent leaves the destination's value, `null` clears it, anything else sets it. */
export interface Row {
  /** The record's key. Outcomes name it. */
  readonly id: string
  /** The value of the route's key field. */
  readonly key: string
  readonly change: "upsert" | "delete"
  readonly fields: JsonObject
  /** The destination's own id, when an earlier write returned it. */
  readonly remoteId?: string
}

/** Rows that are written together. No id and no key stands twice in it. */
export interface Batch {
  /** Stable over retries. */
  readonly id: string
  /** From 1; grows after an answer, not after silence: idempotency keys come from `id` and `attempt`. */
  readonly attempt: number
  readonly rows: ReadonlyArray<Row>
}

/** A batch on disk, for a vendor job: re-readable, and it survives a crash. */
export interface StoredBatch {
  readonly id: string
  readonly count: number
  readonly bytes: number
  readonly rows: Stream<ReadonlyArray<Row>>
}
