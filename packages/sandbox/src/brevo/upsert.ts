/** Creating and updating a contact: who a request is about, what may conflict, what is stored and what ignored. */
import { isObject, own, type SandboxAnswer, Unmodelled } from "../exchange.ts"
import type { AttributeSpec } from "../options.ts"
import { accept, clears, isWireValue } from "./attributes.ts"
import { flag, listIdsOf, type Reading, reading, refuse } from "./body.ts"
import { type Contact, type Contacts, emailOf, type IdentifierName, identifiers, phoneOf } from "./contacts.ts"
import { duplicate, invalid, missing } from "./errors.ts"

export interface AccountState {
  readonly contacts: Contacts
  readonly attributes: ReadonlyMap<string, AttributeSpec>
  readonly lists: ReadonlyMap<number, unknown>
}

/** A request's body, checked. `undefined` in `identifiers` clears. */
export interface Change {
  readonly identifiers: ReadonlyMap<IdentifierName, string | undefined>
  readonly attributes: ReadonlyMap<string, unknown>
  readonly listIds: ReadonlyArray<number>
  readonly unlinkListIds: ReadonlyArray<number>
  readonly emailBlacklisted: boolean | undefined
  readonly smsBlacklisted: boolean | undefined
  readonly forceMerge: boolean
  readonly updateEnabled: boolean
  readonly getId: boolean
}

const keysOf = {
  create: new Set([
    "email",
    "ext_id",
    "attributes",
    "listIds",
    "emailBlacklisted",
    "smsBlacklisted",
    "updateEnabled",
    "forceMerge",
    "getId",
  ]),
  update: new Set([
    "ext_id",
    "attributes",
    "listIds",
    "unlinkListIds",
    "emailBlacklisted",
    "smsBlacklisted",
    "forceMerge",
  ]),
}

const readIdentifier = (name: IdentifierName, value: unknown): string | undefined => {
  if (name === "email") return emailOf(value) ?? refuse(invalid("email is not valid in body"))
  if (value === "") return undefined
  if (name !== "ext_id") return phoneOf(value) ?? refuse(invalid("Invalid phone number"))
  return typeof value === "string" ? value : refuse(invalid("ext_id should be a string"))
}

const readAttributes = (value: unknown, attributes: ReadonlyMap<string, AttributeSpec>) => {
  const ids = new Map<IdentifierName, string | undefined>()
  const kept = new Map<string, unknown>()
  if (value === undefined) return { ids, kept }
  if (!isObject(value)) return refuse(invalid("attributes should be an object"))
  for (const [name, given] of Object.entries(value)) {
    if (!isWireValue(given)) return refuse(invalid(`attribute ${name} has a type that is not allowed`))
    const identifier = name === "EMAIL" ? "email" : identifiers.find((each) => each === name && each !== "email")
    if (identifier !== undefined) ids.set(identifier, readIdentifier(identifier, given))
    else keep(kept, attributes.get(name), given)
  }
  return { ids, kept }
}

/** An unknown attribute and a value of another type are ignored without a word. */
const keep = (kept: Map<string, unknown>, spec: AttributeSpec | undefined, value: unknown): void => {
  if (spec === undefined) return
  const stored = clears(value) ? "" : accept(spec, value)
  if (stored !== undefined) kept.set(spec.name, stored)
}

export const readChange = (verb: "create" | "update", body: unknown, state: AccountState): Reading<Change> =>
  reading(() => {
    if (!isObject(body)) return refuse(invalid("the body is not a JSON object"))
    const unknown = Object.keys(body).find((key) => !keysOf[verb].has(key))
    if (unknown !== undefined) throw new Unmodelled(`${unknown} in the body of a contact's ${verb}`)
    const { ids, kept } = readAttributes(own(body, "attributes"), state.attributes)
    for (const name of ["email", "ext_id"] as const) {
      const value = own(body, name)
      if (value !== undefined) ids.set(name, readIdentifier(name, value))
    }
    return {
      identifiers: ids,
      attributes: kept,
      listIds: listIdsOf(body, "listIds", state.lists),
      unlinkListIds: listIdsOf(body, "unlinkListIds", state.lists),
      emailBlacklisted: flag(body, "emailBlacklisted"),
      smsBlacklisted: flag(body, "smsBlacklisted"),
      forceMerge: flag(body, "forceMerge") ?? false,
      updateEnabled: flag(body, "updateEnabled") ?? false,
      getId: flag(body, "getId") ?? false,
    }
  })

/** The contacts that have an identifier of this change, by identifier. */
export const ownersOf = (change: Change, contacts: Contacts): ReadonlyMap<IdentifierName, Contact> => {
  const found = new Map<IdentifierName, Contact>()
  for (const name of identifiers) {
    const value = change.identifiers.get(name)
    const contact = value === undefined ? undefined : contacts.owner(name, value)
    if (contact !== undefined) found.set(name, contact)
  }
  return found
}

export type Target =
  | { readonly _tag: "New" }
  | { readonly _tag: "Known"; readonly contact: Contact; readonly merged: boolean }
  | { readonly _tag: "Conflict"; readonly answer: SandboxAnswer }

/** POST /contacts: the strongest identifier given says who it is; the others must be that contact's or nobody's. */
export const targetOfCreate = (change: Change, state: AccountState): Target => {
  const given = identifiers.filter((name) => change.identifiers.get(name) !== undefined)
  const [strongest] = given
  if (strongest === undefined) return { _tag: "Conflict", answer: missing("email, ext_id or SMS is missing") }
  const owners = ownersOf(change, state.contacts)
  if (owners.size === 0) return { _tag: "New" }
  if (!change.updateEnabled && !change.forceMerge)
    return { _tag: "Conflict", answer: duplicate("create", [...owners.keys()]) }
  const contact = owners.get(strongest)
  if (contact !== undefined) return resolve(contact, owners, change, state, "create")
  const [other] = owners.values()
  if (!change.forceMerge || other === undefined)
    return { _tag: "Conflict", answer: duplicate("create", [...owners.keys()]) }
  return resolve(other, owners, change, state, "create")
}

export const targetOfUpdate = (contact: Contact, change: Change, state: AccountState): Target =>
  resolve(contact, ownersOf(change, state.contacts), change, state, "update")

const resolve = (
  contact: Contact,
  owners: ReadonlyMap<IdentifierName, Contact>,
  change: Change,
  state: AccountState,
  verb: "create" | "update",
): Target => {
  const others = [...owners].filter(([, owner]) => owner.id !== contact.id)
  if (others.length === 0) return { _tag: "Known", contact, merged: false }
  if (!change.forceMerge)
    return {
      _tag: "Conflict",
      answer: duplicate(
        verb,
        others.map(([name]) => name),
      ),
    }
  // The most recently changed one stays, the others are deleted for good.
  const all = [contact, ...others.map(([, owner]) => owner)]
  const winner = all.reduce((a, b) => (b.modifiedAt > a.modifiedAt ? b : a))
  for (const loser of all) if (loser.id !== winner.id && state.contacts.byId.has(loser.id)) absorb(winner, loser, state)
  return { _tag: "Known", contact: winner, merged: true }
}

const absorb = (winner: Contact, loser: Contact, { contacts }: AccountState): void => {
  const taken = [...loser.identifiers]
  for (const [name, value] of loser.attributes) if (!winner.attributes.has(name)) winner.attributes.set(name, value)
  for (const id of loser.listIds) winner.listIds.add(id)
  contacts.remove(loser)
  for (const [name, value] of taken) if (!winner.identifiers.has(name)) contacts.identify(winner, name, value)
}

export const apply = (
  contact: Contact,
  change: Change,
  { contacts }: Pick<AccountState, "contacts">,
  nowMillis: number,
): void => {
  const email = contact.identifiers.get("email")
  const moved = change.identifiers.get("email")
  // brevo.md trap 7: a new address resubscribes a blocklisted contact.
  if (email !== undefined && moved !== undefined && email.toLowerCase() !== moved.toLowerCase()) {
    contact.emailBlacklisted = false
  }
  for (const [name, value] of change.identifiers) contacts.identify(contact, name, value)
  for (const [name, value] of change.attributes) {
    if (value === "") contact.attributes.delete(name)
    else contact.attributes.set(name, value)
  }
  for (const id of change.listIds) {
    contact.listIds.add(id)
    contact.unsubscribed.delete(id)
  }
  for (const id of change.unlinkListIds) contact.listIds.delete(id)
  contact.emailBlacklisted = change.emailBlacklisted ?? contact.emailBlacklisted
  contact.smsBlacklisted = change.smsBlacklisted ?? contact.smsBlacklisted
  contacts.touch(contact, nowMillis)
}
