/** The fake Brevo account: contacts with their identifiers, attributes, lists, and the journal of what was written. */
import type { Counters } from "../counters.ts"
import {
  empty,
  type Handler,
  isObject,
  type JsonObject,
  json,
  type Now,
  own,
  parseJson,
  type SandboxAnswer,
  type SandboxRequest,
  Unmodelled,
} from "../exchange.ts"
import type { FaultKind, Faults } from "../faults.ts"
import type { Journal, JournalEntry } from "../journal.ts"
import type { SandboxOptions } from "../options.ts"
import { makeVendor, type Route } from "../vendor.ts"
import { accountAnswer } from "./account.ts"
import { attributeAnswer, initialAttributes, specOf } from "./attributes.ts"
import { type Contact, type ContactView, makeContacts, viewOf } from "./contacts.ts"
import { failure, invalid, missing, noContact, tooMany, trouble } from "./errors.ts"
import { makeGate } from "./gate.ts"
import { type Import, readImport } from "./import.ts"
import { headersOf } from "./limits.ts"
import { listAnswer, makeLists, moveMembers, whole } from "./lists.ts"
import { makeProcesses } from "./processes.ts"
import { makeReader } from "./read.ts"
import { importRows } from "./rows.ts"
import { apply, readChange, targetOfCreate, targetOfUpdate } from "./upsert.ts"

/** What a person does to a contact in Brevo itself. */
export interface ContactEdit {
  readonly emailBlacklisted?: boolean
  readonly smsBlacklisted?: boolean
  /** Leaves these lists. */
  readonly unsubscribe?: ReadonlyArray<number>
  /** Attribute values by name; undefined removes. */
  readonly attributes?: { readonly [name: string]: unknown }
}

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

interface Written {
  readonly answer: SandboxAnswer
  readonly effect: JournalEntry["effect"]
  readonly contact?: Contact
}

const refused = (answer: SandboxAnswer): Written => ({ answer, effect: "none" })

export const makeBrevo = ({ options, now, counters, faults, journal }: BrevoOptions): Brevo => {
  const contacts = makeContacts()
  const attributes = initialAttributes(options.attributes)
  const lists = makeLists()
  const state = { contacts, attributes, lists }
  const listContacts = makeReader(contacts)

  const processes = makeProcesses({
    now,
    millis: options.importMillis ?? 1_000,
    importRows: (rows, request, nowMillis) =>
      importRows(rows, request, { state, options, wrote: (...row) => journalRow(nowMillis, ...row) }, nowMillis),
  })

  /** The rows of an import are journalled one by one, as they take effect; their import itself without them. */
  const journalRow = (time: number, row: JsonObject, contact: Contact, effect: JournalEntry["effect"]): void =>
    journal.add({
      time,
      method: "POST",
      path: "/contacts/import",
      key: contact.identifiers.get("ext_id") ?? contact.identifiers.get("email"),
      contactId: contact.id,
      effect,
      status: 202,
      body: JSON.stringify(row),
    })

  const startImport = ({ body }: SandboxRequest, _: ReadonlyArray<string>, fault: FaultKind | undefined) => {
    const read = readImport(body, lists)
    const answer = read._tag === "Refused" ? read.answer : startProcess(read.value, fault)
    const { rows: _rows, ...asked } = read._tag === "Refused" ? { rows: [] } : read.value
    const entry = { method: "POST", path: "/contacts/import", key: undefined, contactId: undefined } as const
    journal.add({ ...entry, effect: "none", status: answer.status, body: JSON.stringify(asked) })
    return answer
  }

  const startProcess = (asked: Import, fault: FaultKind | undefined): SandboxAnswer => {
    const made = asked.newList === undefined ? undefined : lists.create(asked.newList)
    return processes.start(made === undefined ? asked : { ...asked, listIds: [...asked.listIds, made.id] }, fault)
  }

  /** By the type given; without one only an e-mail or the contact's own number is understood. */
  const find = (value: string, type: string | null): Contact | undefined => {
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

  /** By what is stored, else by what was asked: a refused write has a key too. */
  const keyOf = (contact: Contact | undefined, body: string, params: ReadonlyArray<string>): string | undefined => {
    const asked = contact === undefined ? parseJson(body) : undefined
    const [extId, email] = isObject(asked) ? [own(asked, "ext_id"), own(asked, "email")] : []
    const sent = typeof extId === "string" ? extId : typeof email === "string" ? email : undefined
    return contact?.identifiers.get("ext_id") ?? contact?.identifiers.get("email") ?? sent ?? params[0]
  }

  const write =
    (act: (request: SandboxRequest, params: ReadonlyArray<string>) => Written): Route["run"] =>
    (request, params) => {
      const { answer, effect, contact } = act(request, params)
      journal.add({
        method: request.method,
        path: request.path,
        key: keyOf(contact, request.body, params),
        contactId: contact?.id,
        effect,
        status: answer.status,
        body: request.body,
      })
      return answer
    }

  const create = ({ body }: SandboxRequest): Written => {
    const read = readChange("create", parseJson(body), state)
    if (read._tag === "Refused") return refused(read.answer)
    const change = read.value
    const target = targetOfCreate(change, state)
    if (target._tag === "Conflict") return refused(target.answer)
    const contact = target._tag === "New" ? contacts.create(now()) : target.contact
    apply(contact, change, state, now())
    if (target._tag === "New") return { answer: json(201, { id: contact.id }), effect: "created", contact }
    const answer = change.getId || target.merged ? json(200, { id: contact.id }) : empty(204)
    return { answer, effect: target.merged ? "merged" : "updated", contact }
  }

  const update = ({ body, query }: SandboxRequest, [identifier = ""]: ReadonlyArray<string>): Written => {
    const contact = find(identifier, query.get("identifierType"))
    if (contact === undefined) return refused(noContact())
    const read = readChange("update", parseJson(body), state)
    if (read._tag === "Refused") return refused(read.answer)
    const change = read.value
    const target = targetOfUpdate(contact, change, state)
    if (target._tag !== "Known") return refused(target._tag === "Conflict" ? target.answer : noContact())
    apply(target.contact, change, state, now())
    return { answer: empty(204), effect: target.merged ? "merged" : "updated", contact: target.contact }
  }

  const remove = ({ query }: SandboxRequest, [identifier = ""]: ReadonlyArray<string>): Written => {
    const contact = find(identifier, query.get("identifierType"))
    if (contact === undefined) return refused(noContact())
    const written: Written = {
      answer: empty(204),
      effect: "deleted",
      contact: { ...contact, identifiers: new Map(contact.identifiers) },
    }
    contacts.remove(contact)
    return written
  }

  const createAttribute = ({ body }: SandboxRequest, [category = "", name = ""]: ReadonlyArray<string>): Written => {
    const spec = specOf(category, name, parseJson(body))
    if (spec === undefined) return refused(invalid("the attribute's type or options are not valid"))
    if (attributes.has(spec.name)) return refused(failure(400, "duplicate_parameter", "Attribute name already exists"))
    attributes.set(spec.name, spec)
    return { answer: empty(201), effect: "created" }
  }

  const createList = ({ body }: SandboxRequest): Written => {
    const made = lists.create(parseJson(body))
    return made === undefined
      ? refused(missing("name and folderId are required"))
      : { answer: json(201, { id: made.id }), effect: "created" }
  }

  const members = (action: "add" | "remove") =>
    write(({ body }, [id = ""]) => {
      if (!lists.has(whole(id) ?? 0)) return refused(failure(404, "document_not_found", "List ID does not exist"))
      return { answer: moveMembers(contacts, whole(id) ?? 0, action, parseJson(body), now()), effect: "updated" }
    })

  const routes: ReadonlyArray<Route> = [
    { method: "GET", pattern: "/account", kind: "read", run: () => json(200, accountAnswer(options)) },
    {
      method: "GET",
      pattern: "/contacts/attributes",
      kind: "read",
      run: () => json(200, { attributes: [...attributes.values()].map(attributeAnswer) }),
    },
    { method: "POST", pattern: "/contacts/attributes/:category/:name", kind: "write", run: write(createAttribute) },
    { method: "GET", pattern: "/contacts/lists", kind: "read", run: ({ query }) => lists.page(contacts, query) },
    { method: "POST", pattern: "/contacts/lists", kind: "write", run: write(createList) },
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
    { method: "POST", pattern: "/contacts/lists/:id/contacts/add", kind: "write", run: members("add") },
    { method: "POST", pattern: "/contacts/lists/:id/contacts/remove", kind: "write", run: members("remove") },
    { method: "POST", pattern: "/contacts/import", kind: "write", run: startImport },
    ...processes.routes,
    { method: "GET", pattern: "/contacts", kind: "read", run: ({ query }) => listContacts(query) },
    { method: "POST", pattern: "/contacts", kind: "write", run: write(create) },
    {
      method: "GET",
      pattern: "/contacts/:identifier",
      kind: "read",
      run: ({ query }, [identifier = ""]) => {
        const contact = find(identifier, query.get("identifierType"))
        return contact === undefined ? noContact() : json(200, { ...viewOf(contact), statistics: {} })
      },
    },
    { method: "PUT", pattern: "/contacts/:identifier", kind: "write", run: write(update) },
    { method: "DELETE", pattern: "/contacts/:identifier", kind: "write", run: write(remove) },
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

  const edit = (extId: string, change: ContactEdit): boolean => {
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
    contacts.touch(contact, now())
    return true
  }

  return {
    handler: (request) => {
      processes.advance()
      return handler(request)
    },
    advance: processes.advance,
    importsTake: processes.take,
    mails: processes.mails,
    edit: (extId, change) => {
      processes.advance()
      return edit(extId, change)
    },
    contacts: () => {
      processes.advance()
      return [...contacts.byId.values()].map(viewOf)
    },
    contact: (extId) => {
      processes.advance()
      const contact = contacts.owner("ext_id", extId)
      return contact === undefined ? undefined : viewOf(contact)
    },
  }
}
