/** What is to be done about a row: which record of which object, found how. */
import type { DroppedField, Row } from "@sluice/core"

export interface Aim {
  readonly row: Row
  /** The object that is written: a Contact may stand in for a Lead. */
  readonly type: string
  /** The record; undefined: by the row's key, and made where there is none. */
  readonly id: string | undefined
  /** The record was looked up just now, so a refusal of its id is not looked into again. */
  readonly isFresh: boolean
  /** Mapped fields the record's object does not have. */
  readonly dropped: ReadonlyArray<DroppedField>
}

export const byKey = (row: Row, type: string): Aim => ({ row, type, id: undefined, isFresh: true, dropped: [] })

/** The id is the ledger's. */
export const byKnownId = (row: Row, type: string, id: string): Aim => ({ row, type, id, isFresh: false, dropped: [] })

export const byFoundId = (row: Row, type: string, id: string): Aim => ({ row, type, id, isFresh: true, dropped: [] })
