/** Whom an identifier in an address means. */
import { Unmodelled } from "../exchange.ts"
import type { Contact, Contacts } from "./contacts.ts"
import { whole } from "./lists.ts"

/** By the type given; without one only an e-mail or the contact's own number is understood. */
export const findContact = (contacts: Contacts, value: string, type: string | null): Contact | undefined => {
  switch (type) {
    case null:
      return value.includes("@") ? contacts.owner("email", value) : contacts.byId.get(whole(value) ?? 0)
    case "contact_id":
      return contacts.byId.get(whole(value) ?? 0)
    case "email_id":
      return contacts.owner("email", value)
    case "ext_id":
      return contacts.owner("ext_id", value)
    case "phone_id":
      return contacts.owner("SMS", value.replace(/^(\+|00)/, ""))
    case "whatsapp_id":
      return contacts.owner("WHATSAPP", value.replace(/^(\+|00)/, ""))
    case "landline_number_id":
      return contacts.owner("LANDLINE_NUMBER", value.replace(/^(\+|00)/, ""))
    default:
      throw new Unmodelled(`identifierType ${type}`)
  }
}
