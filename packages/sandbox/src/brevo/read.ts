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

const refusalOf = (query: URLSearchParams, limit: number | undefined): SandboxAnswer | undefined => {
  const unknown = [...query.keys()].find((name) => !parameters.has(name))
  if (unknown !== undefined) throw new Unmodelled(`the parameter ${unknown} of GET /contacts`)
  if (limit === undefined || limit > 1000) return failure(400, "out_of_range", "Limit exceeds max value")
  if (numbers(query, "ids").length > 20) return invalid("ids takes at most 20 items")
  for (const name of ["modifiedSince", "createdSince"]) {
    const text = query.get(name)
    if (text !== null && Number.isNaN(Date.parse(text))) return invalid(`${name} is not a valid date-time`)
  }
  return undefined
}

/** Pages of one question, asked one after the other while nothing changes, are cut from one answer. */
export const makeReader = (contacts: Contacts) => {
  let last: { readonly question: string; readonly state: number; readonly found: ReadonlyArray<Contact> } | undefined

  const find = (query: URLSearchParams): ReadonlyArray<Contact> => {
    const tests = testsOf(query)
    const matching = [...contacts.byId.values()].filter((contact) => tests.every((test) => test(contact)))
    return query.get("sort") === "asc" ? matching : matching.reverse()
  }

  return (query: URLSearchParams): SandboxAnswer => {
    const limit = whole(query.get("limit") ?? "50")
    const refusal = refusalOf(query, limit)
    if (refusal !== undefined) return refusal
    const question = [...query].filter(([name]) => name !== "limit" && name !== "offset").join("&")
    const state = contacts.state()
    if (last?.question !== question || last.state !== state) last = { question, state, found: find(query) }
    const offset = whole(query.get("offset") ?? "") ?? 0
    const page = last.found.slice(offset, offset + (limit ?? 0)).map(viewOf)
    return json(200, { contacts: page, count: last.found.length })
  }
}
