/** The contacts of the fake Brevo account, with their unique identifiers. */

/** What identifies a contact; each value belongs to one contact at most. */
export const identifiers = ["email", "ext_id", "SMS", "WHATSAPP", "LANDLINE_NUMBER"] as const
export type IdentifierName = (typeof identifiers)[number]

export interface Contact {
  readonly id: number
  readonly createdAt: number
  modifiedAt: number
  readonly identifiers: Map<IdentifierName, string>
  /** Values by attribute name, identifiers left out. */
  readonly attributes: Map<string, unknown>
  readonly listIds: Set<number>
  /** Lists the contact itself left. */
  readonly unsubscribed: Set<number>
  emailBlacklisted: boolean
  smsBlacklisted: boolean
}

/** A contact as `GET /contacts/{id}` shows it; `ext_id` also in the attributes, where the vendor's pages have it. */
export interface ContactView {
  readonly id: number
  readonly email?: string
  readonly ext_id?: string
  readonly emailBlacklisted: boolean
  readonly smsBlacklisted: boolean
  readonly createdAt: string
  readonly modifiedAt: string
  readonly listIds: ReadonlyArray<number>
  readonly listUnsubscribed: ReadonlyArray<number> | null
  readonly attributes: { readonly [name: string]: unknown }
}

export interface Contacts {
  readonly byId: Map<number, Contact>
  /** Grows with every change: what was read of an older state is out of date. */
  readonly state: () => number
  /** After each change of a contact. */
  readonly touch: (contact: Contact, nowMillis: number) => void
  readonly owner: (name: IdentifierName, value: string) => Contact | undefined
  readonly create: (nowMillis: number) => Contact
  /** Moves an identifier; undefined takes it off. The caller has checked that nobody else has it. */
  readonly identify: (contact: Contact, name: IdentifierName, value: string | undefined) => void
  readonly remove: (contact: Contact) => void
}

export const emailOf = (value: unknown): string | undefined =>
  typeof value === "string" && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) && value.length <= 254 ? value : undefined

/** `33…`, `+33…` or `0033…`, kept as digits. */
export const phoneOf = (value: unknown): string | undefined => {
  const digits = typeof value === "string" || typeof value === "number" ? String(value).replace(/^(\+|00)/, "") : ""
  return /^[1-9]\d{5,14}$/.test(digits) ? digits : undefined
}

/** E-mails are compared in lower case, phone numbers by their digits. */
const normal = (name: IdentifierName, value: string): string => (name === "email" ? value.toLowerCase() : value)

export const makeContacts = (): Contacts => {
  const byId = new Map<number, Contact>()
  const owners = new Map<string, number>()
  let nextId = 1
  let state = 0
  const key = (name: IdentifierName, value: string) => `${name}\u0000${normal(name, value)}`

  const identify = (contact: Contact, name: IdentifierName, value: string | undefined) => {
    const before = contact.identifiers.get(name)
    if (before !== undefined) owners.delete(key(name, before))
    contact.identifiers.delete(name)
    if (value === undefined) return
    contact.identifiers.set(name, value)
    owners.set(key(name, value), contact.id)
  }

  const touch = (contact: Contact, nowMillis: number) => {
    contact.modifiedAt = nowMillis
    state += 1
  }

  return {
    byId,
    state: () => state,
    touch,
    owner: (name, value) => byId.get(owners.get(key(name, value)) ?? 0),
    create: (nowMillis) => {
      const contact: Contact = {
        id: nextId++,
        createdAt: nowMillis,
        modifiedAt: nowMillis,
        identifiers: new Map(),
        attributes: new Map(),
        listIds: new Set(),
        unsubscribed: new Set(),
        emailBlacklisted: false,
        smsBlacklisted: false,
      }
      byId.set(contact.id, contact)
      touch(contact, nowMillis)
      return contact
    },
    identify,
    remove: (contact) => {
      for (const name of identifiers) identify(contact, name, undefined)
      byId.delete(contact.id)
      state += 1
    },
  }
}

/** A contact with only a phone number gets an address made of its digits. */
const shownEmail = (contact: Contact): { readonly email?: string } => {
  const sms = contact.identifiers.get("SMS")
  const email = contact.identifiers.get("email") ?? (sms === undefined ? undefined : `${sms}@mailin-sms.com`)
  return email === undefined ? {} : { email }
}

export const viewOf = (contact: Contact): ContactView => {
  const extId = contact.identifiers.get("ext_id")
  const attributes = new Map(contact.attributes)
  for (const [name, value] of contact.identifiers) {
    if (name !== "email") attributes.set(name === "ext_id" ? "EXT_ID" : name, value)
  }
  return {
    ...shownEmail(contact),
    id: contact.id,
    ...(extId === undefined ? {} : { ext_id: extId }),
    emailBlacklisted: contact.emailBlacklisted,
    smsBlacklisted: contact.smsBlacklisted,
    createdAt: new Date(contact.createdAt).toISOString(),
    modifiedAt: new Date(contact.modifiedAt).toISOString(),
    listIds: [...contact.listIds].sort((a, b) => a - b),
    listUnsubscribed: contact.unsubscribed.size === 0 ? null : [...contact.unsubscribed],
    attributes: Object.fromEntries(attributes),
  }
}
