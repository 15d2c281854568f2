/** A route's mapping, compiled: from a page of records to rows. */
import type { Effect } from "effect/Effect"
import type { Json } from "effect/Schema"
import type { Row, SourceRecord } from "../plugin/record.ts"
import type { As } from "./entry.ts"

/** Why a record cannot become a row. Names paths and types, never a value. */
export interface Issue {
  /** The expression as written: `user_metadata.company`. */
  readonly source: string
  /** The destination field: `COMPANY`. */
  readonly field: string
  readonly code: string
  readonly message: string
}

export type Mapped =
  /** `canonical` is the canonical JSON of the fields that take part in comparison (not `diff: false`). */
  | { readonly _tag: "Row"; readonly record: SourceRecord; readonly row: Row; readonly canonical: string }
  /** `where` excludes it. `key` is the row key it would have, where one can be made: `on_leave` needs it. */
  | { readonly _tag: "Filtered"; readonly record: SourceRecord }
  | { readonly _tag: "Invalid"; readonly record: SourceRecord; readonly issues: ReadonlyArray<Issue> }

export interface MappingField {
  /** As printed: `user_metadata.company → COMPANY`. */
  readonly source: string
  readonly field: string
}

/** What is known of a field's values before any record. */
export interface Makes {
  /** `as`, or text where a list is joined. */
  readonly as: As | undefined
  readonly value: Json | undefined
  readonly default: Json | undefined
}

export interface Mapping {
  /** The destination field rows are matched by. */
  readonly key: string
  /** In the order of the file. */
  readonly fields: ReadonlyArray<MappingField>
  /** By field. */
  readonly makes: ReadonlyMap<string, Makes>
  /** Root names of every expression, `where` included; "all" where one takes the whole record. */
  readonly reads: ReadonlyArray<string> | "all"
  /** Changes whenever the mapping could yield other rows. */
  readonly fingerprint: string
  /** One answer for each record, in order. `runStart` is what `$now` and `$millis` yield. Never fails: a bad record is a value. */
  readonly map: (records: ReadonlyArray<SourceRecord>, runStartMillis: number) => Effect<ReadonlyArray<Mapped>>
}
