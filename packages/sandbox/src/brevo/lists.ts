/** Lists of contacts: made, shown, joined and left. brevo.md §3.5. */
import { isObject, json, own, type SandboxAnswer } from "../exchange.ts"
import { lists as initial } from "../options.ts"
import type { Contact, Contacts } from "./contacts.ts"
import { failure, invalid } from "./errors.ts"

export interface List {
  readonly id: number
  readonly name: string
  readonly folderId: number
}

/** A positive whole number in text. */
export const whole = (text: string): number | undefined => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined)

export const listAnswer = (contacts: Contacts, list: List) => {
  const members = [...contacts.byId.values()].filter((contact) => contact.listIds.has(list.id))
  const blocked = members.filter((contact) => contact.emailBlacklisted).length
  return {
    ...list,
    totalBlacklisted: blocked,
    totalSubscribers: members.length - blocked,
    uniqueSubscribers: members.length,
  }
}

export const makeLists = () => {
  const all = new Map<number, List>([
    [initial.all, { id: initial.all, name: "All users", folderId: 1 }],
    [initial.verified, { id: initial.verified, name: "Verified users", folderId: 1 }],
    [initial.social, { id: initial.social, name: "Social login users", folderId: 1 }],
    [initial.imports, { id: initial.imports, name: "Imports", folderId: 1 }],
  ])
  return Object.assign(all, {
    create: (body: unknown): List | undefined => {
      if (!isObject(body)) return undefined
      const [name, folderId] = [own(body, "name"), own(body, "folderId")]
      if (typeof name !== "string" || name === "" || typeof folderId !== "number") return undefined
      const list = { id: Math.max(0, ...all.keys()) + 1, name, folderId }
      all.set(list.id, list)
      return list
    },
    page: (contacts: Contacts, query: URLSearchParams): SandboxAnswer => {
      const limit = whole(query.get("limit") ?? "10")
      if (limit === undefined || limit > 50) return failure(400, "out_of_range", "Limit exceeds max value")
      const offset = whole(query.get("offset") ?? "") ?? 0
      const shown = [...all.values()].slice(offset, offset + limit)
      return json(200, { count: all.size, lists: shown.map((list) => listAnswer(contacts, list)) })
    },
  })
}

export type Lists = ReturnType<typeof makeLists>

const found = (contacts: Contacts, kind: string, value: unknown): Contact | undefined => {
  if (kind === "ids") return typeof value === "number" ? contacts.byId.get(value) : undefined
  return typeof value === "string" ? contacts.owner(kind === "emails" ? "email" : "ext_id", value) : undefined
}

/** One of emails, ids, extIds; 1 to 150 of them. If none moves the answer is an error, as with the vendor. */
export const moveMembers = (
  contacts: Contacts,
  listId: number,
  action: "add" | "remove",
  body: unknown,
  nowMillis: number,
): SandboxAnswer => {
  const given = isObject(body) ? Object.keys(body) : []
  const [kind] = given
  const values = isObject(body) && kind !== undefined ? own(body, kind) : undefined
  if (
    given.length !== 1 ||
    kind === undefined ||
    !["emails", "ids", "extIds"].includes(kind) ||
    !Array.isArray(values)
  ) {
    return invalid("exactly one of emails, ids and extIds is required")
  }
  if (values.length < 1 || values.length > 150) return invalid(`${kind} takes 1 to 150 items`)
  const success: Array<unknown> = []
  const unmoved: Array<unknown> = []
  for (const value of values) {
    const contact = found(contacts, kind, value)
    const moved = contact !== undefined && contact.listIds.has(listId) === (action === "remove")
    if (moved) {
      if (action === "add") contact.listIds.add(listId)
      else contact.listIds.delete(listId)
      contacts.touch(contact, nowMillis)
    }
    ;(moved ? success : unmoved).push(value)
  }
  if (success.length === 0) {
    const state = action === "add" ? "already in list" : "already removed from list"
    return invalid(`Contact ${state} and/or does not exist`)
  }
  return json(201, { contacts: { success, failure: unmoved, total: success.length } })
}
