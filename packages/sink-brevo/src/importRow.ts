/** What of a row an import can carry: pure. What it cannot is written by itself, with an exact answer. */
import type { DroppedField, Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import { holds, isEmpty, isPhone, phoneDigits } from "./attributes.ts"
import type { ContactOptions } from "./config.ts"
import { type Plan, planCreate, planUpdate, sameEmail, type Terms, type Wanted } from "./plan.ts"
import type { Contact } from "./shapes.ts"

/** A row as an import sends it. Rows of one import share its lists and whether contacts may exist. */
export interface Piece {
  readonly json: string
  readonly lists: ReadonlyArray<number>
  readonly exists: boolean
}

/** What is to be done about a row: nothing, an import, or a write of its own. */
export type Standing =
  | { readonly _tag: "Equal"; readonly remoteId: string; readonly dropped: ReadonlyArray<DroppedField> }
  | { readonly _tag: "Carried"; readonly piece: Piece }
  | { readonly _tag: "Single" }
export const single: Standing = { _tag: "Single" }

/** The contact is the row's: by the ledger's id, by the row's key, or by its e-mail with no key of its own. */
export const isOwn = (row: Row, wanted: Wanted, contact: Contact, terms: Terms): boolean => {
  if (row.remoteId !== undefined) return contact.id === row.remoteId || hasKey(row, contact, terms)
  if (hasKey(row, contact, terms)) return true
  const free = terms.key !== "ext_id" || contact.extId === undefined
  return free && wanted.email !== undefined && sameEmail(wanted.email, contact.email)
}

const hasKey = (row: Row, contact: Contact, { key }: Terms): boolean => {
  if (key === "ext_id") return contact.extId === row.key
  if (key === "email") return sameEmail(row.key, contact.email)
  const held = Object.hasOwn(contact.attributes, key) ? contact.attributes[key] : undefined
  return held !== undefined && phoneDigits(String(held)) === phoneDigits(row.key)
}

/** An import cannot be without a list. `import_list` is one that says nothing of consent. */
const listsFor = (
  wanted: ReadonlyArray<number>,
  { import_list }: ContactOptions,
): ReadonlyArray<number> | undefined => {
  if (wanted.length > 0) return wanted
  return import_list === undefined ? undefined : [import_list]
}

/** Values of a row that an import takes as they are; undefined where one is not applied by imports. */
const imported = (
  values: Iterable<readonly [string, Json]>,
  isHeld: (name: string, value: Json) => boolean,
): Array<readonly [string, Json]> | undefined => {
  const sent: Array<readonly [string, Json]> = []
  for (const [name, value] of values) {
    // An import ignores false, and empties nothing unless it empties what other rows lack as well.
    if (value !== false && !isEmpty(value)) sent.push([name, isPhone(name) ? phoneDigits(String(value)) : value])
    else if (!isHeld(name, value)) return undefined
  }
  return sent
}

const pieceOf = (
  email: string,
  extId: string | undefined,
  values: ReadonlyArray<readonly [string, Json]>,
  lists: ReadonlyArray<number>,
  exists: boolean,
): Standing => {
  const attributes = Object.fromEntries(extId === undefined ? values : [...values, ["EXT_ID", extId] as const])
  return { _tag: "Carried", piece: { json: JSON.stringify({ email, attributes }), lists, exists } }
}

/** A row that no contact of the account has anything of. */
export const standingOfNew = (row: Row, wanted: Wanted, terms: Terms): Standing => {
  const { email, extId } = wanted
  if (row.remoteId !== undefined || email === undefined) return single
  if (extId !== undefined && !terms.options.import_ext_id) return single
  const body = planCreate(wanted, terms).body
  if (body?.emailBlacklisted !== undefined || body?.smsBlacklisted !== undefined) return single
  const lists = listsFor(wanted.lists, terms.options)
  // Empty is what a new contact has anyway; false is not.
  const values = imported(Object.entries(body?.attributes ?? {}), (_, value) => value !== false)
  return lists === undefined || values === undefined ? single : pieceOf(email, extId, values, lists, false)
}

/**
 * A row whose contact is there. An import lands later than it is sent, so it only changes attributes of contacts
 * without a block or an unsubscription, and only puts them on lists they are not on.
 */
export const standingOfKnown = (row: Row, wanted: Wanted, contact: Contact, terms: Terms): Standing => {
  if (!isOwn(row, wanted, contact, terms)) return single
  const { body, dropped } = planUpdate(wanted, contact, terms)
  if (body === undefined) return { _tag: "Equal", remoteId: contact.id, dropped }
  const values = importable(body, wanted, contact)
  const lists = listsFor(body.listIds ?? [], terms.options)
  if (values === undefined || lists === undefined || contact.email === undefined) return single
  if (body.ext_id !== undefined && !terms.options.import_ext_id) return single
  return pieceOf(contact.email, body.ext_id, values, lists, true)
}

const carriedKeys: ReadonlySet<string> = new Set(["attributes", "ext_id", "listIds"])

const importable = (body: NonNullable<Plan["body"]>, wanted: Wanted, contact: Contact) => {
  if (contact.emailBlacklisted || contact.smsBlacklisted || contact.left.length > 0) return undefined
  if (body.listIds !== undefined && !contact.tellsLeft) return undefined
  if (Object.keys(body).some((key) => !carriedKeys.has(key))) return undefined
  const attributes = Object.entries(body.attributes ?? {})
  if (attributes.some(([name]) => name === "EMAIL" || isPhone(name))) return undefined
  return imported(attributes, (name, value) => {
    const held = Object.hasOwn(contact.attributes, name) ? contact.attributes[name] : undefined
    const attribute = wanted.attributes.get(name)?.attribute
    return attribute !== undefined && holds(attribute, held, value)
  })
}
