/** Changes made in Brevo itself, behind the API. */
import type { Contacts } from "./contacts.ts"

/** What a person does to a contact in Brevo itself. */
export interface ContactEdit {
  readonly emailBlacklisted?: boolean
  readonly smsBlacklisted?: boolean
  /** Leaves these lists. */
  readonly unsubscribe?: ReadonlyArray<number>
  /** Attribute values by name; undefined removes. */
  readonly attributes?: { readonly [name: string]: unknown }
}

/** False if no contact has this ext_id. */
export const editContact = (contacts: Contacts, extId: string, change: ContactEdit, nowMillis: number): boolean => {
  const contact = contacts.owner("ext_id", extId)
  if (contact === undefined) return false
  contact.emailBlacklisted = change.emailBlacklisted ?? contact.emailBlacklisted
  contact.smsBlacklisted = change.smsBlacklisted ?? contact.smsBlacklisted
  for (const id of change.unsubscribe ?? []) {
    contact.listIds.delete(id)
    contact.unsubscribed.add(id)
  }
  for (const [name, value] of Object.entries(change.attributes ?? {})) {
    if (value === undefined) contact.attributes.delete(name)
    else contact.attributes.set(name, value)
  }
  contacts.touch(contact, nowMillis)
  return true
}
