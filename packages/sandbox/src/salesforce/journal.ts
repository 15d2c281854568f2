/** Every row that the fake org was asked to write, in order, with the headers that changed what was done. */
import type { Now } from "../exchange.ts"

export interface SalesforceEntry {
  readonly seq: number
  /** Milliseconds since 1970 on the sandbox's clock. */
  readonly time: number
  /** Rows of one call, or of one batch of a bulk job, share it. */
  readonly call: number
  readonly path: string
  readonly object: string
  readonly operation: "insert" | "update" | "upsert" | "delete"
  /** The id, or the external id that an upsert went by. */
  readonly key: string | undefined
  readonly id: string | undefined
  readonly effect: "created" | "updated" | "deleted" | "none"
  readonly error: string | undefined
  /** Of `Sforce-Call-Options`: what a listener for changes tells our own writes by. */
  readonly client: string | undefined
  /** An assignment rule gave the record to somebody else. */
  readonly assigned: boolean
}

export interface SalesforceJournal {
  readonly add: (entry: Omit<SalesforceEntry, "seq" | "time">) => void
  readonly entries: () => ReadonlyArray<SalesforceEntry>
}

export const makeSalesforceJournal = (now: Now, limit: number): SalesforceJournal => {
  let entries: Array<SalesforceEntry> = []
  let seq = 0
  return {
    add: (entry) => {
      entries.push({ ...entry, seq: seq++, time: now() })
      if (entries.length > limit * 1.1) entries = entries.slice(-limit)
    },
    entries: () => entries,
  }
}
