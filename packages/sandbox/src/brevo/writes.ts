/** Single writes to the fake Brevo account, each of them journalled. brevo.md §3.1, §3.2, §3.5, §3.6. */
import {
  empty,
  isObject,
  json,
  type Now,
  own,
  parseJson,
  type SandboxAnswer,
  type SandboxRequest,
} from "../exchange.ts"
import type { Journal, JournalEntry } from "../journal.ts"
import type { AttributeSpec } from "../options.ts"
import type { Route } from "../vendor.ts"
import { specOf } from "./attributes.ts"
import type { Contact, Contacts } from "./contacts.ts"
import { failure, invalid, missing, noContact } from "./errors.ts"
import { findContact } from "./find.ts"
import { type Lists, moveMembers, whole } from "./lists.ts"
import { apply, readChange, targetOfCreate, targetOfUpdate } from "./upsert.ts"

/** All that the account holds. */
export interface Account {
  readonly contacts: Contacts
  readonly attributes: Map<string, AttributeSpec>
  readonly lists: Lists
}

export interface Writing {
  readonly account: Account
  readonly now: Now
  readonly journal: Journal
}

interface Written {
  readonly answer: SandboxAnswer
  readonly effect: JournalEntry["effect"]
  readonly contact?: Contact
}

const refused = (answer: SandboxAnswer): Written => ({ answer, effect: "none" })

export const makeWrites = ({ account, now, journal }: Writing): ReadonlyArray<Route> => {
  const { contacts, attributes, lists } = account

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
    const read = readChange("create", parseJson(body), account)
    if (read._tag === "Refused") return refused(read.answer)
    const change = read.value
    const target = targetOfCreate(change, account)
    if (target._tag === "Conflict") return refused(target.answer)
    const contact = target._tag === "New" ? contacts.create(now()) : target.contact
    apply(contact, change, account, now())
    if (target._tag === "New") return { answer: json(201, { id: contact.id }), effect: "created", contact }
    const answer = change.getId || target.merged ? json(200, { id: contact.id }) : empty(204)
    return { answer, effect: target.merged ? "merged" : "updated", contact }
  }

  const update = ({ body, query }: SandboxRequest, [identifier = ""]: ReadonlyArray<string>): Written => {
    const contact = findContact(contacts, identifier, query.get("identifierType"))
    if (contact === undefined) return refused(noContact())
    const read = readChange("update", parseJson(body), account)
    if (read._tag === "Refused") return refused(read.answer)
    const change = read.value
    const target = targetOfUpdate(contact, change, account)
    if (target._tag !== "Known") return refused(target._tag === "Conflict" ? target.answer : noContact())
    apply(target.contact, change, account, now())
    return { answer: empty(204), effect: target.merged ? "merged" : "updated", contact: target.contact }
  }

  const remove = ({ query }: SandboxRequest, [identifier = ""]: ReadonlyArray<string>): Written => {
    const contact = findContact(contacts, identifier, query.get("identifierType"))
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

  return [
    { method: "POST", pattern: "/contacts/attributes/:category/:name", kind: "write", run: write(createAttribute) },
    { method: "POST", pattern: "/contacts/lists", kind: "write", run: write(createList) },
    { method: "POST", pattern: "/contacts/lists/:id/contacts/add", kind: "write", run: members("add") },
    { method: "POST", pattern: "/contacts/lists/:id/contacts/remove", kind: "write", run: members("remove") },
    { method: "POST", pattern: "/contacts", kind: "write", run: write(create) },
    { method: "PUT", pattern: "/contacts/:identifier", kind: "write", run: write(update) },
    { method: "DELETE", pattern: "/contacts/:identifier", kind: "write", run: write(remove) },
  ]
}
