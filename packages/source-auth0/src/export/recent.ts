/** Remembers who was handed over lately, so that a file that repeats a user does not repeat a record. */
import type { SourceRecord } from "@sluice/core"

/**
 * More than this is not remembered: a million ids are a hundred megabytes, and a user who comes again later costs a
 * comparison in the ledger, not a record.
 */
const MOST_REMEMBERED = 50_000

export interface Recent {
  /** False for a record whose key came lately with the same version or a newer one. */
  readonly isNews: (record: SourceRecord) => boolean
}

export const makeRecent = (): Recent => {
  const versions = new Map<string, string>()
  return {
    isNews: ({ key, version = "" }) => {
      const before = versions.get(key)
      if (before !== undefined && version <= before) return false
      if (versions.size >= MOST_REMEMBERED) versions.clear()
      versions.set(key, version)
      return true
    },
  }
}
