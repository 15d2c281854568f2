/** Every write the fake Brevo was asked for, in order: what tests hold against the users that really were. */
import { hash } from "node:crypto"
import type { Now } from "./exchange.ts"

export interface JournalEntry {
  readonly seq: number
  /** Milliseconds since 1970 on the sandbox's clock. */
  readonly time: number
  readonly method: string
  readonly path: string
  /** What the contact was addressed by: ext_id, else e-mail, else the id in the path. */
  readonly key: string | undefined
  readonly contactId: number | undefined
  readonly effect: "created" | "updated" | "deleted" | "merged" | "none"
  readonly status: number
  /** SHA-256 of the body as sent, in hex. */
  readonly bodyHash: string
  readonly body: string
}

export interface Journal {
  /** `time`: when it took effect, if that was not now. */
  readonly add: (entry: Omit<JournalEntry, "seq" | "time" | "bodyHash"> & { readonly time?: number }) => void
  readonly entries: () => ReadonlyArray<JournalEntry>
  readonly clear: () => void
  /** Entries left out at the front because the journal was full. */
  readonly dropped: () => number
}

export const makeJournal = (now: Now, limit: number): Journal => {
  let entries: Array<JournalEntry> = []
  let seq = 0
  let dropped = 0
  return {
    add: (entry) => {
      entries.push({ time: now(), ...entry, seq: seq++, bodyHash: hash("sha256", entry.body) })
      if (entries.length <= limit * 1.1) return
      dropped += entries.length - limit
      entries = entries.slice(-limit)
    },
    entries: () => entries,
    dropped: () => dropped,
    clear: () => {
      entries = []
      dropped = 0
    },
  }
}
