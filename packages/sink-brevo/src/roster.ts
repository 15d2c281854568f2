/** The rows of a stored batch by what identifies them at Brevo, to meet the contacts of whole pages with. */
import type { Row, StoredBatch } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import { isPhone, phoneDigits, phoneNames } from "./attributes.ts"
import { textField } from "./plan.ts"
import type { Contact } from "./shapes.ts"

export interface Roster {
  readonly rows: ReadonlyArray<Row>
  /** The rows, by number, that have an identifier of the contact. */
  readonly of: (contact: Contact) => ReadonlyArray<number>
  /** An identifier of the row stands in another row as well: which of the two has it, only one after the other tells. */
  readonly isShared: (row: number) => boolean
}

const phone = (name: string, value: Json | undefined): ReadonlyArray<string> => {
  const digits = typeof value === "string" || typeof value === "number" ? phoneDigits(String(value)) : ""
  return digits === "" ? [] : [`${name} ${digits}`]
}

const named = (email: string | undefined, extId: string | undefined, id: string | undefined): Array<string> => {
  const found: Array<string> = []
  if (email !== undefined) found.push(`email ${email.toLowerCase()}`)
  if (extId !== undefined) found.push(`ext_id ${extId}`)
  if (id !== undefined) found.push(`id ${id}`)
  return found
}

export const identifiersOfRow = (row: Row, key: string): ReadonlyArray<string> => {
  const found = named(textField(row, "email", key), textField(row, "ext_id", key), row.remoteId)
  for (const name of phoneNames) {
    if (Object.hasOwn(row.fields, name)) found.push(...phone(name, row.fields[name]))
  }
  if (isPhone(key)) found.push(...phone(key, row.key))
  return [...new Set(found)]
}

export const identifiersOfContact = ({ id, email, extId, attributes }: Contact): ReadonlyArray<string> => {
  const found = named(email, extId, id)
  for (const name of phoneNames) {
    if (Object.hasOwn(attributes, name)) found.push(...phone(name, attributes[name]))
  }
  return found
}

const noRows: ReadonlyArray<number> = []

/** A deletion is among the rows and met by no contact: no import carries one. */
export const makeRoster = Effect.fnUntraced(function* (batch: StoredBatch, key: string) {
  const rows: Array<Row> = []
  const owners = new Map<string, number>()
  const shared = new Set<number>()

  const add = (row: Row) => {
    const number = rows.push(row) - 1
    if (row.change === "delete") return
    for (const identifier of identifiersOfRow(row, key)) {
      const other = owners.get(identifier)
      if (other === undefined) owners.set(identifier, number)
      else shared.add(number).add(other)
    }
  }

  yield* Stream.runForEach(batch.rows, (chunk) =>
    Effect.sync(() => {
      for (const row of chunk) add(row)
    }),
  )

  const of = (contact: Contact): ReadonlyArray<number> => {
    let found: Array<number> | undefined
    for (const identifier of identifiersOfContact(contact)) {
      const number = owners.get(identifier)
      if (number === undefined) continue
      found ??= []
      if (!found.includes(number)) found.push(number)
    }
    return found ?? noRows
  }

  const roster: Roster = { rows, of, isShared: (row) => shared.has(row) }
  return roster
})
