/** The fake Brevo account: contacts with their identifiers, attributes, lists, and the journal of what was written. */
import type { Counters } from "../counters.ts"
import { type Handler, json, type Now } from "../exchange.ts"
import type { Faults } from "../faults.ts"
import type { Journal } from "../journal.ts"
import type { SandboxOptions } from "../options.ts"
import { makeVendor, type Route } from "../vendor.ts"
import { accountAnswer } from "./account.ts"
import { attributeAnswer, initialAttributes } from "./attributes.ts"
import { type ContactView, makeContacts, viewOf } from "./contacts.ts"
import { type ContactEdit, editContact } from "./edit.ts"
import { failure, noContact, tooMany, trouble } from "./errors.ts"
import { findContact } from "./find.ts"
import { makeGate } from "./gate.ts"
import { makeImports } from "./imports.ts"
import { headersOf } from "./limits.ts"
import { listAnswer, makeLists, whole } from "./lists.ts"
import { makeReader } from "./read.ts"
import { makeWrites } from "./writes.ts"

export interface Brevo {
  readonly handler: Handler
  readonly contacts: () => ReadonlyArray<ContactView>
  readonly contact: (extId: string) => ContactView | undefined
  readonly edit: (extId: string, edit: ContactEdit) => boolean
  /** Lets the imports that are due take effect. */
  readonly advance: () => void
  /** How many milliseconds an import takes from now on. */
  readonly importsTake: (millis: number) => void
  /** Mails that told the account's owner of an import's end. */
  readonly mails: () => number
}

export interface BrevoOptions {
  readonly options: SandboxOptions
  readonly now: Now
  readonly counters: Counters
  readonly faults: Faults
  readonly journal: Journal
}

export const makeBrevo = ({ options, now, counters, faults, journal }: BrevoOptions): Brevo => {
  const contacts = makeContacts()
  const attributes = initialAttributes(options.attributes)
  const lists = makeLists()
  const account = { contacts, attributes, lists }
  const imports = makeImports({ account, now, journal, options })
  const listContacts = makeReader(contacts)

  const routes: ReadonlyArray<Route> = [
    { method: "GET", pattern: "/account", kind: "read", run: () => json(200, accountAnswer(options)) },
    {
      method: "GET",
      pattern: "/contacts/attributes",
      kind: "read",
      run: () => json(200, { attributes: [...attributes.values()].map(attributeAnswer) }),
    },
    { method: "GET", pattern: "/contacts/lists", kind: "read", run: ({ query }) => lists.page(contacts, query) },
    {
      method: "GET",
      pattern: "/contacts/lists/:id",
      kind: "read",
      run: (_, [id = ""]) => {
        const list = lists.get(whole(id) ?? 0)
        return list === undefined
          ? failure(404, "document_not_found", "List ID does not exist")
          : json(200, listAnswer(contacts, list))
      },
    },
    ...imports.routes,
    ...makeWrites({ account, now, journal }),
    { method: "GET", pattern: "/contacts", kind: "read", run: ({ query }) => listContacts(query) },
    {
      method: "GET",
      pattern: "/contacts/:identifier",
      kind: "read",
      run: ({ query }, [identifier = ""]) => {
        const contact = findContact(contacts, identifier, query.get("identifierType"))
        return contact === undefined ? noContact() : json(200, { ...viewOf(contact), statistics: {} })
      },
    },
  ]

  const handler = makeVendor({
    vendor: "brevo",
    routes,
    gate: makeGate(options),
    throttled: ({ resetSeconds = 1, retryAfter, bare }) =>
      tooMany({
        ...(bare ? {} : headersOf({ allowed: false, limit: 10, remaining: 0, resetMillis: resetSeconds * 1000 })),
        ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
      }),
    failed: trouble,
    faults,
    counters,
    now,
  })

  return {
    handler: (request) => {
      imports.advance()
      return handler(request)
    },
    advance: imports.advance,
    importsTake: imports.take,
    mails: imports.mails,
    edit: (extId, change) => {
      imports.advance()
      return editContact(contacts, extId, change, now())
    },
    contacts: () => {
      imports.advance()
      return [...contacts.byId.values()].map(viewOf)
    },
    contact: (extId) => {
      imports.advance()
      const contact = contacts.owner("ext_id", extId)
      return contact === undefined ? undefined : viewOf(contact)
    },
  }
}
