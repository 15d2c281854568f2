/** GET /contacts: pages of contacts for read-back. brevo.md §3.8. */
import { json, type SandboxAnswer, Unmodelled } from "../exchange.ts"
import { type Contact, type Contacts, viewOf } from "./contacts.ts"
import { failure, invalid } from "./errors.ts"
import { whole } from "./lists.ts"

const parameters = new Set(["limit", "offset", "modifiedSince", "createdSince", "ids", "listIds", "sort", "filter"])

/** Repeated or separated by commas. */
const numbers = (query: URLSearchParams, name: string): ReadonlyArray<number> =>
  query
    .getAll(name)
    .flatMap((text) => text.split(","))
    .map((text) => whole(text) ?? 0)

type Test = (contact: Contact) => boolean

const since = (query: URLSearchParams, name: string, of: (contact: Contact) => number): ReadonlyArray<Test> => {
  const text = query.get(name)
  if (text === null) return []
  const from = Date.parse(text)
  return [(contact) => of(contact) >= from]
}

const equals = (text: string | null): ReadonlyArray<Test> => {
  if (text === null) return []
  const match = /^equals\(([A-Z0-9_-]+),"(.*)"\)$/.exec(text)
  const [, name = "", value = ""] = match ?? []
  if (match === null) throw new Unmodelled('a filter other than equals(NAME,"value")')
  return [(contact) => String(viewOf(contact).attributes[name]) === value]
}

const testsOf = (query: URLSearchParams): ReadonlyArray<Test> => {
  const ids = numbers(query, "ids")
  const lists = numbers(query, "listIds")
  return [
    ...since(query, "modifiedSince", (contact) => contact.modifiedAt),
    ...since(query, "createdSince", (contact) => contact.createdAt),
    ...(ids.length > 0 ? [(contact: Contact) => ids.includes(contact.id)] : []),
    ...(lists.length > 0 ? [(contact: Contact) => lists.some((id) => contact.listIds.has(id))] : []),
    ...equals(query.get("filter")),
  ]
}

export const listContacts = (contacts: Contacts, query: URLSearchParams): SandboxAnswer => {
  const unknown = [...query.keys()].find((name) => !parameters.has(name))
  if (unknown !== undefined) throw new Unmodelled(`the parameter ${unknown} of GET /contacts`)
  const limit = whole(query.get("limit") ?? "50")
  if (limit === undefined || limit > 1000) return failure(400, "out_of_range", "Limit exceeds max value")
  if (numbers(query, "ids").length > 20) return invalid("ids takes at most 20 items")
  for (const name of ["modifiedSince", "createdSince"]) {
    const text = query.get(name)
    if (text !== null && Number.isNaN(Date.parse(text))) return invalid(`${name} is not a valid date-time`)
  }
  const tests = testsOf(query)
  const matching = [...contacts.byId.values()].filter((contact) => tests.every((test) => test(contact)))
  const ordered = query.get("sort") === "asc" ? matching : matching.reverse()
  const offset = whole(query.get("offset") ?? "") ?? 0
  return json(200, { contacts: ordered.slice(offset, offset + limit).map(viewOf), count: matching.length })
}
