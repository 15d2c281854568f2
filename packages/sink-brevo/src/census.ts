/**
 * Which identifiers the account may hold, in memory that does not grow with it: a Bloom filter. It never misses one,
 * and of a hundred that nobody has it takes at most one for held, up to four million contacts.
 */

import { identifiersOfContact } from "./roster.ts"
import type { Contact } from "./shapes.ts"

const BITS = 2 ** 27
const PROBES = 4

/** Two hashes of 32 bits, from which the probes follow. */
const hashes = (text: string): readonly [number, number] => {
  let [a, b] = [0x811c9dc5, 0x9e3779b9]
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x85ebca6b)
    b ^= b >>> 13
  }
  return [(a ^ (a >>> 15)) >>> 0, (b ^ (b >>> 16)) >>> 0]
}

export interface Census {
  readonly add: (identifier: string) => void
  readonly addContact: (contact: Contact) => void
  readonly mayHold: (identifier: string) => boolean
  /** The highest contact id seen. */
  readonly newest: () => number
  /** Contacts, where they were shown in the order of their ids. */
  readonly size: () => number
  /** Every change up to here was shown, by Brevo's clock. */
  readonly caughtUp: (modifiedAt: number) => void
  readonly modifiedAt: () => number
}

export const makeCensus = (): Census => {
  const bits = new Uint8Array(BITS / 8)
  let newest = 0
  let size = 0
  let modifiedAt = 0

  const add = (identifier: string) => {
    const [first, step] = hashes(identifier)
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + probe * step) % BITS
      bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | (1 << (bit & 7))
    }
  }

  return {
    add,
    addContact: (contact) => {
      const id = Number(contact.id)
      if (id > newest) size += 1
      newest = Math.max(newest, id)
      for (const identifier of identifiersOfContact(contact)) add(identifier)
    },
    mayHold: (identifier) => {
      const [first, step] = hashes(identifier)
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = (first + probe * step) % BITS
        if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
      }
      return true
    },
    newest: () => newest,
    size: () => size,
    caughtUp: (to) => {
      modifiedAt = Math.max(modifiedAt, to)
    },
    modifiedAt: () => modifiedAt,
  }
}
