/** Reads the account's contacts page by page. */
import type { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import { type BrevoApi, PAGE } from "./api.ts"
import type { Contact } from "./shapes.ts"

export interface Question {
  /** Only those changed since, by Brevo's clock. 0: all. */
  readonly modifiedSince: number
  /** Gives up where it takes more. */
  readonly mostPages: number
}

export interface Reading {
  /** `Slipped`: so many contacts were deleted meanwhile that others may have slipped past. */
  readonly end: "All" | "Slipped" | "TooMany"
  /** The newest change seen, by Brevo's clock. */
  readonly modifiedAt: number
}

/**
 * Each page begins with the last contact of the one before. If it has none of those, contacts were deleted and the others
 * moved up: they are found from a page further back.
 */
export const eachContact = Effect.fnUntraced(function* (
  api: BrevoApi,
  { modifiedSince, mostPages }: Question,
  see: (contact: Contact) => void,
): Effect.fn.Return<Reading, SinkError> {
  const since = modifiedSince > 0 ? new Date(modifiedSince).toISOString() : undefined
  let offset = 0
  let before: ReadonlySet<string> = new Set()
  let isBack = false
  let newest = 0
  const ended = (end: Reading["end"]): Reading => ({ end, modifiedAt: newest })
  while (true) {
    const { contacts, count } = yield* api.page(offset, since)
    if (count > mostPages * PAGE) return ended("TooMany")
    const seen = contacts.findLastIndex(({ id }) => before.has(id))
    if (before.size > 0 && seen < 0) {
      if (isBack) return ended("Slipped")
      isBack = true
      offset = Math.max(0, offset - before.size + 1)
      continue
    }
    isBack = false
    const unseen = contacts.slice(seen + 1)
    for (const contact of unseen) {
      newest = Math.max(newest, contact.modifiedAt)
      see(contact)
    }
    // A page can be shorter than was asked for without being the last.
    const isLast = contacts.length < PAGE && offset + contacts.length >= count
    if (isLast || unseen.length === 0) return ended("All")
    before = new Set(contacts.map(({ id }) => id))
    offset += contacts.length - 1
  }
})
