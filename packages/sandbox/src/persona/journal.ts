/** Every write that took effect in the fake environment, in order. */
import type { Now } from "../exchange.ts"

export interface PersonaEntry {
  readonly seq: number
  /** Milliseconds since 1970 on the sandbox's clock. */
  readonly time: number
  readonly method: string
  readonly path: string
  readonly id: string
  /** The account's reference id. */
  readonly key: string | undefined
  readonly effect: "created" | "updated" | "redacted"
  readonly idempotencyKey: string | undefined
  readonly body: string
}

export interface PersonaJournal {
  readonly add: (entry: Omit<PersonaEntry, "seq" | "time">) => void
  readonly entries: () => ReadonlyArray<PersonaEntry>
}

export const makePersonaJournal = (now: Now, limit: number): PersonaJournal => {
  let entries: Array<PersonaEntry> = []
  let seq = 0
  return {
    add: (entry) => {
      entries.push({ ...entry, seq: seq++, time: now() })
      if (entries.length > limit * 1.1) entries = entries.slice(-limit)
    },
    entries: () => entries,
  }
}
