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
  /** `Slipped`: a contact was deleted meanwhile, and another may have slipped past. */
  readonly end: "All" | "Slipped" | "TooMany"
  /** The newest change seen, by Brevo's clock. */
  readonly modifiedAt: number
}

/** Each page begins with the last contact of the one before: if it is not there, the order has moved. */
export const eachContact = Effect.fnUntraced(function* (
  api: BrevoApi,
  { modifiedSince, mostPages }: Question,
  see: (contact: Contact) => void,
): Effect.fn.Return<Reading, SinkError> {
  const since = modifiedSince > 0 ? new Date(modifiedSince).toISOString() : undefined
  let offset = 0
  let last: string | undefined
  let newest = 0
  const ended = (end: Reading["end"]): Reading => ({ end, modifiedAt: newest })
  while (true) {
    const { contacts, count } = yield* api.page(offset, since)
    if (count > mostPages * PAGE) return ended("TooMany")
    const seen = contacts.findIndex(({ id }) => id === last)
    if (last !== undefined && seen < 0) return ended("Slipped")
    for (const contact of contacts.slice(seen + 1)) {
      newest = Math.max(newest, contact.modifiedAt)
      see(contact)
    }
    last = contacts.at(-1)?.id
    if (contacts.length < PAGE) return ended("All")
    offset += PAGE - 1
  }
})
