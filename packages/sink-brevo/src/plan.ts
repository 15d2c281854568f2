/** What to send for a row, given what Brevo holds: pure, and the home of the consent rules. */
import type { DroppedField, Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import type { ContactBody } from "./api.ts"
import { type Attribute, holds, isOwnField, isPhone, looksLikePhone, phoneTypes, toWire } from "./attributes.ts"
import type { ContactOptions } from "./config.ts"
import type { Contact, Identifier, IdentifierType } from "./shapes.ts"

/** What holds for every row of a route. */
export interface Terms {
  /** The field rows are matched by. */
  readonly key: string
  readonly options: ContactOptions
  readonly attributes: ReadonlyMap<string, Attribute>
}

/** A row in Brevo's terms. */
export interface Wanted {
  readonly email: string | undefined
  readonly extId: string | undefined
  readonly attributes: ReadonlyMap<
    string,
    { readonly attribute: Attribute; readonly value: Json; readonly clears: boolean }
  >
  /** The managed lists the contact should be on. */
  readonly lists: ReadonlyArray<number>
  readonly emailBlacklisted: boolean | undefined
  readonly smsBlacklisted: boolean | undefined
  /** Identifiers that the row clears, which Brevo cannot do. */
  readonly cleared: ReadonlyArray<"email" | "ext_id">
  readonly dropped: ReadonlyArray<DroppedField>
}

export interface Unfit {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
}

/** What a write sends; no body where Brevo holds all of it already. */
export interface Plan {
  readonly body: ContactBody | undefined
  readonly dropped: ReadonlyArray<DroppedField>
}

const identifierTypes: ReadonlyMap<string, IdentifierType> = new Map<string, IdentifierType>([
  ["ext_id", "ext_id"],
  ["email", "email_id"],
  ...phoneTypes,
])
export const identifierType = (key: string): IdentifierType | undefined => identifierTypes.get(key)
export const keyNames: ReadonlyArray<string> = [...identifierTypes.keys()]

export const byId = (remoteId: string): Identifier => ({ type: "contact_id", value: remoteId })

/** Own keys only: field names come from the pipeline file, values from records. */
const field = (row: Row, name: string): Json | undefined =>
  Object.hasOwn(row.fields, name) ? row.fields[name] : undefined

export const textField = (row: Row, name: string, key: string): string | undefined => {
  const value = field(row, name)
  if (typeof value === "string" && value !== "") return value
  return name === key ? row.key : undefined
}

const flag = (row: Row, name: string): boolean | undefined => {
  const value = field(row, name)
  return typeof value === "boolean" ? value : undefined
}

const integers = (value: Json): ReadonlyArray<number> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "number") : []

const listsOf = (row: Row, managed: ReadonlyArray<number>): ReadonlyArray<number> => {
  const value = field(row, "listIds")
  if (value === undefined) return managed
  const ids = integers(value)
  return managed.filter((id) => ids.includes(id))
}

export const unfit = (code: string, message: string, ...fields: ReadonlyArray<string>): Unfit => ({
  code,
  message,
  fields,
})

/** Translates a row, or says which value its attribute does not take: Brevo would ignore that silently. */
export const want = (row: Row, terms: Terms): Wanted | Unfit => {
  const attributes = new Map<string, { attribute: Attribute; value: Json; clears: boolean }>()
  const dropped: Array<DroppedField> = []
  const names = new Set(Object.keys(row.fields))
  if (isPhone(terms.key)) names.add(terms.key)
  for (const name of names) {
    if (isOwnField(name)) continue
    const attribute = terms.attributes.get(name)
    if (attribute === undefined || !attribute.writable) {
      return unfit("unknown_attribute", `the account has no attribute ${name} that can be written`, name)
    }
    const given = field(row, name) ?? (name === terms.key ? row.key : null)
    if (given !== null && isPhone(name) && name !== terms.key && !looksLikePhone(given)) {
      dropped.push({ field: name, code: "malformed_phone", message: `${name} is no phone number with a country code` })
      continue
    }
    const value = toWire(attribute, given)
    if (value === undefined) {
      return unfit("type_mismatch", `${name} is a ${attribute.kind} attribute and does not take this value`, name)
    }
    attributes.set(name, { attribute, value, clears: given === null })
  }
  return {
    email: textField(row, "email", terms.key),
    extId: textField(row, "ext_id", terms.key),
    attributes,
    lists: listsOf(row, terms.options.lists),
    emailBlacklisted: flag(row, "emailBlacklisted"),
    smsBlacklisted: flag(row, "smsBlacklisted"),
    cleared: (["email", "ext_id"] as const).filter((name) => name !== terms.key && field(row, name) === null),
    dropped,
  }
}

/** The row without phone numbers that Brevo did not take. */
export const without = (wanted: Wanted, fields: ReadonlyArray<string>, code: string, message: string): Wanted => ({
  ...wanted,
  attributes: new Map([...wanted.attributes].filter(([name]) => !fields.includes(name))),
  dropped: [...wanted.dropped, ...fields.map((name) => ({ field: name, code, message: `${name} ${message}` }))],
})

const attributesOf = (entries: Iterable<readonly [string, Json]>): Pick<ContactBody, "attributes"> => {
  // fromEntries defines own properties, whatever they are called.
  const attributes = Object.fromEntries(entries)
  return Object.keys(attributes).length > 0 ? { attributes } : {}
}

/**
 * A new contact. `updateEnabled: false`, so that Brevo answers with a conflict where the contact exists after all: an
 * update without a look could resubscribe it or put it back on a list it left.
 */
export const planCreate = (wanted: Wanted, terms: Terms): Plan => ({
  body: {
    ...(wanted.email === undefined ? {} : { email: wanted.email }),
    ...(wanted.extId === undefined ? {} : { ext_id: wanted.extId }),
    ...attributesOf([...wanted.attributes].flatMap(([name, { value, clears }]) => (clears ? [] : [[name, value]]))),
    ...(wanted.lists.length > 0 ? { listIds: wanted.lists } : {}),
    ...blacklist("emailBlacklisted", wanted.emailBlacklisted, false, terms),
    ...blacklist("smsBlacklisted", wanted.smsBlacklisted, false, terms),
    updateEnabled: false,
  },
  dropped: wanted.dropped,
})

type Flag = "emailBlacklisted" | "smsBlacklisted"

/** A block is set when asked, and lifted only when asked and allowed. */
const blacklist = (
  name: Flag,
  asked: boolean | undefined,
  held: boolean,
  terms: Terms,
): { [name in Flag]?: boolean } => {
  if (asked === true && !held) return { [name]: true }
  if (asked === false && held && terms.options.allow_resubscribe) return { [name]: false }
  return {}
}

/** Brevo lifts a block when the address changes: it is set again in the same request, unless the row may lift it. */
const reassert = (name: Flag, asked: boolean | undefined, held: boolean, terms: Terms): { [name in Flag]?: boolean } =>
  held && !(asked === false && terms.options.allow_resubscribe) ? { [name]: true } : {}

const withheld = (field: string, code: string, message: string): DroppedField => ({ field, code, message })

export const sameEmail = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase()

/** Lists to join and to leave. Brevo tells what a contact unsubscribed from, not where staff took it off by hand. */
const planLists = (wanted: Wanted, contact: Contact, terms: Terms) => {
  const { lists: managed, allow_resubscribe } = terms.options
  const missing = wanted.lists.filter((id) => !contact.listIds.includes(id))
  const barred = (id: number) => !allow_resubscribe && (contact.emailBlacklisted || contact.left.includes(id))
  return {
    link: missing.filter((id) => !barred(id)),
    unlink: managed.filter((id) => !wanted.lists.includes(id) && contact.listIds.includes(id)),
    barred: missing.some(barred),
  }
}

/** Brings a contact up to the row. Only what differs decides whether to write; what is written is the whole row. */
export const planUpdate = (wanted: Wanted, contact: Contact, terms: Terms): Plan => {
  const held = (name: string) => (Object.hasOwn(contact.attributes, name) ? contact.attributes[name] : undefined)
  const differs = [...wanted.attributes].filter(([name, { attribute, value }]) => !holds(attribute, held(name), value))
  const newEmail = wanted.email !== undefined && !sameEmail(wanted.email, contact.email) ? wanted.email : undefined
  const newExtId = wanted.extId === contact.extId ? undefined : wanted.extId
  const newPhone = differs.some(([name]) => isPhone(name))
  const { link, unlink, barred } = planLists(wanted, contact, terms)
  const changes: ContactBody = {
    ...(newExtId === undefined ? {} : { ext_id: newExtId }),
    ...(link.length > 0 ? { listIds: link } : {}),
    ...(unlink.length > 0 ? { unlinkListIds: unlink } : {}),
    ...blacklist("emailBlacklisted", wanted.emailBlacklisted, contact.emailBlacklisted, terms),
    ...blacklist("smsBlacklisted", wanted.smsBlacklisted, contact.smsBlacklisted, terms),
    ...(newEmail === undefined
      ? {}
      : reassert("emailBlacklisted", wanted.emailBlacklisted, contact.emailBlacklisted, terms)),
    ...(newPhone ? reassert("smsBlacklisted", wanted.smsBlacklisted, contact.smsBlacklisted, terms) : {}),
  }
  // A phone number that stays is not sent again: sending an identifier can only cause conflicts.
  const sent = [...wanted.attributes].filter(([name]) => !isPhone(name) || differs.some(([other]) => other === name))
  const nothing = differs.length === 0 && newEmail === undefined && Object.keys(changes).length === 0
  return {
    body: nothing
      ? undefined
      : {
          ...attributesOf([
            ...(newEmail === undefined ? [] : [["EMAIL", newEmail] as const]),
            ...sent.map(([name, { value }]) => [name, value] as const),
          ]),
          ...changes,
        },
    dropped: [...wanted.dropped, ...withheldFields(wanted, contact, terms, barred)],
  }
}

const withheldFields = (
  wanted: Wanted,
  contact: Contact,
  terms: Terms,
  barred: boolean,
): ReadonlyArray<DroppedField> => {
  const found: Array<DroppedField> = []
  if (barred) found.push(withheld("listIds", "unsubscribed", "the contact unsubscribed: not put on its missing lists"))
  for (const name of ["emailBlacklisted", "smsBlacklisted"] as const) {
    if (wanted[name] === false && contact[name] && !terms.options.allow_resubscribe) {
      found.push(withheld(name, "unsubscribed", "the contact is blocklisted and stays so without allow_resubscribe"))
    }
  }
  const heldIdentifier = { email: contact.email, ext_id: contact.extId }
  for (const name of wanted.cleared) {
    if (heldIdentifier[name] !== undefined) {
      found.push(withheld(name, "not_clearable", `Brevo cannot take the ${name} off a contact`))
    }
  }
  return found
}

/** Brevo merges the contact with those that hold its identifiers: whoever is blocked or unsubscribed there stays so. */
export const planMerge = (wanted: Wanted, contact: Contact, rivals: ReadonlyArray<Contact>, terms: Terms): Plan => {
  const all = [contact, ...rivals]
  const emailBlacklisted = all.some((each) => each.emailBlacklisted)
  const smsBlacklisted = all.some((each) => each.smsBlacklisted)
  const left = all.flatMap((each) => each.left)
  const plan = planUpdate(wanted, { ...contact, emailBlacklisted, smsBlacklisted, left }, terms)
  return {
    body: {
      ...plan.body,
      ...reassert("emailBlacklisted", wanted.emailBlacklisted, emailBlacklisted, terms),
      ...reassert("smsBlacklisted", wanted.smsBlacklisted, smsBlacklisted, terms),
      forceMerge: true,
    },
    dropped: plan.dropped,
  }
}

/** Without a look: safe only where no address, number, list or block is mapped. */
export const planBlind = (wanted: Wanted): Plan => ({
  body: {
    ...attributesOf([...wanted.attributes].map(([name, { value }]) => [name, value] as const)),
    ...(wanted.extId === undefined ? {} : { ext_id: wanted.extId }),
  },
  dropped: wanted.dropped,
})
