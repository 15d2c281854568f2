/** Remembers who was handed over lately, so that a file that repeats a user does not repeat a record. */
import type { SourceRecord } from "@sluice/core"

/**
 * More than this is not remembered: a million ids are a hundred megabytes, and a user who comes again later costs a
 * comparison in the ledger, not a record.
 */
const MOST_REMEMBERED = 50_000

/** `old`: its key came lately with the same version or a newer one. */
export type News = "first" | "newer" | "old"

export interface Recent {
  readonly see: (record: SourceRecord) => News
}

export const makeRecent = (): Recent => {
  const versions = new Map<string, string>()
  return {
    see: ({ key, version = "" }) => {
      const before = versions.get(key)
      if (before !== undefined && version <= before) return "old"
      if (versions.size >= MOST_REMEMBERED) versions.clear()
      versions.set(key, version)
      return before === undefined ? "first" : "newer"
    },
  }
}
