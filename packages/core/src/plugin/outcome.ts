/** What became of a row. A writer answers with exactly one outcome for each id of a batch; core checks. */
import * as Data from "effect/Data"

export type Effected = "created" | "updated" | "unchanged" | "deleted" | "accepted"

export type Outcome = Data.TaggedEnum<{
  /**
   * The destination has it. `accepted` only where it gives no later answer. `dropped` names fields that were left
   * out to get the rest in; they are reported, never silent.
   */
  Delivered: {
    readonly id: string
    readonly effect: Effected
    readonly remoteId?: string
    readonly dropped?: ReadonlyArray<DroppedField>
  }
  /** The destination refused this row and would again: a dead letter. `message` carries no value of the row. */
  Rejected: {
    readonly id: string
    readonly code: string
    readonly message: string
    readonly fields?: ReadonlyArray<string>
  }
  /** Not now: the engine sends this row again by itself, later as a retryable dead letter. */
  Deferred: { readonly id: string; readonly message: string; readonly retryAfterMillis?: number }
  /** Nobody knows whether it was written, and writing it twice would be wrong. Never sent again by itself. */
  InDoubt: { readonly id: string; readonly message: string }
}>

export interface DroppedField {
  readonly field: string
  readonly code: string
  readonly message: string
}

export const Outcome = Data.taggedEnum<Outcome>()
