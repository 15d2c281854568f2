/** Clients of Persona as they are usually written; each one loses, doubles or damages something. */
import type { Sandbox } from "../src/index.ts"
import { credentials } from "../src/options.ts"
import { ask, type Reply } from "./ask.ts"

const headers = { authorization: `Bearer ${credentials.personaKey}` }
const call = (
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: object,
  more: Record<string, string> = {},
): Reply =>
  ask(sandbox, method, `/persona/api/v1${path}`, {
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body }),
  })

const listed = (sandbox: Sandbox, ids: ReadonlyArray<string>) =>
  ask(sandbox, "GET", "/persona/api/v1/accounts", { headers, query: { "filter[reference-id]": ids.join(",") } }).body
    .data

/** Looks a hundred up without a page size, updates those and makes the others. */
export const asksTenOfAll = (sandbox: Sandbox, count: number) => {
  const ids = Array.from({ length: count }, (_, n) => `u${n}`)
  const there = new Set(
    listed(sandbox, ids).map((each: { attributes: { "reference-id": string } }) => each.attributes["reference-id"]),
  )
  const missing = ids.filter((id) => !there.has(id))
  const statuses = missing.map(
    (id) => call(sandbox, "POST", "/accounts", { data: { attributes: { "reference-id": id } } }).status,
  )
  return { updated: there.size, conflicts: statuses.filter((status) => status === 409).length }
}

export const addsATag = (sandbox: Sandbox, id: string, tag: string): void => {
  const [account] = listed(sandbox, [id])
  call(sandbox, "PATCH", `/accounts/${account.id}`, { data: { attributes: { tags: [tag] } } })
}

/** Tries three times with the key it made of the record. */
export const keepsItsKey = (sandbox: Sandbox, id: string): boolean => {
  for (let attempt = 0; attempt < 3; attempt++) {
    const body = { data: { attributes: { "reference-id": id } } }
    if (call(sandbox, "POST", "/accounts", body, { "idempotency-key": `create-${id}` }).status < 300) return true
  }
  return false
}

/** Opens a case for a person, and their account before, unless the search knows them. */
export const doublesBySearch = (sandbox: Sandbox, id: string): void => {
  const query = { attribute: "reference-id", operator: "eq", value: id }
  const { body } = call(sandbox, "POST", "/accounts/search", { query })
  if (body.data.length > 0) return
  call(sandbox, "POST", "/accounts", { data: { attributes: { "reference-id": id } } })
  call(sandbox, "POST", "/cases", { data: { attributes: { "case-template-id": "ctmpl_sandboxBlocked" } } })
}

export const writesToAll = (sandbox: Sandbox, ids: ReadonlyArray<string>): void => {
  for (const id of ids) {
    const [account] = listed(sandbox, [id])
    call(sandbox, "PATCH", `/accounts/${account.id}`, { data: { attributes: { "name-first": "Ada" } } })
  }
}

/** Counts what it sent for what arrived. */
export const syncsAtFullSpeed = (sandbox: Sandbox, count: number): void => {
  for (let n = 0; n < count; n++)
    call(sandbox, "POST", "/accounts", { data: { attributes: { "reference-id": `u${n}` } } })
}
