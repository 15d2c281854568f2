/** What preview found. `preview --json` prints this value; the text is rendered from it. */
import type { Json } from "effect/Schema"

export interface PreviewReport {
  readonly pipeline: string
  /** No record would be refused and every record asked for was found. */
  readonly ok: boolean
  /** Values are shown in part: see mask.ts. */
  readonly masked: boolean
  readonly source: { readonly connection: string; readonly stream: string; readonly account: string }
  readonly routes: { readonly [route: string]: RoutePreview }
  readonly records: ReadonlyArray<RecordPreview>
  /** Records asked for with --id or --email that the source does not have. */
  readonly not_found: ReadonlyArray<{ readonly field: string; readonly value: string }>
  /** What the whole run would take, if every record passed and had changed. */
  readonly run: {
    readonly records: number | null
    readonly calls: { readonly [connection: string]: number | null }
    readonly seconds: number | null
  }
}

export interface RoutePreview {
  readonly account: string
  readonly key: string
  readonly actions: { readonly [action in PreviewAction]: number }
}

/**
 * `create`, `change` and `leave` compare with the live destination. `send`: it cannot be read, so only the run will
 * tell. `filter`: the route's `where` excludes the record. `refuse`: it would be rejected. `hold`: the destination
 * has it and a run would not touch it. `delete`: the source says it is gone.
 */
export type PreviewAction = (typeof previewActions)[number]

export const previewActions = ["create", "change", "leave", "send", "delete", "filter", "refuse", "hold"] as const

export interface RecordPreview {
  /** The record's key, masked unless values are revealed. */
  readonly id: string
  readonly routes: { readonly [route: string]: RowPreview }
}

export interface RowPreview {
  readonly action: PreviewAction
  /** Why it is refused or held. Never a value. */
  readonly reasons: ReadonlyArray<{ readonly code: string; readonly message: string }>
  /** Why it is compared with this record of the destination, where that says so. Never a value. */
  readonly why?: string
  /** In the order of the file. */
  readonly fields: ReadonlyArray<FieldPreview>
}

export interface FieldPreview {
  /** The expression, as written. */
  readonly source: string
  /** The destination field. */
  readonly field: string
  /** Absent: the destination has no value, or could not be read. */
  readonly before?: Json
  /** Absent: not sent, the destination keeps what it has. `null`: cleared. */
  readonly after?: Json
  readonly changed: boolean
}
