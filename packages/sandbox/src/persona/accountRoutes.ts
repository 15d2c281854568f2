/** The routes of accounts. persona.md §3 */
import {
  isObject,
  type JsonObject,
  json,
  own,
  parseJson,
  type SandboxAnswer,
  type SandboxRequest,
  Unmodelled,
} from "../exchange.ts"
import type { Route } from "../vendor.ts"
import { accountAnswer, type StoredAccount, sparse } from "./accounts.ts"
import type { Environment } from "./environment.ts"
import { badRequest, failure, notFound, notUnique } from "./errors.ts"
import { applyAttributes, attributeProblem } from "./write.ts"

const MINUTE = 60_000

export interface Body {
  readonly attributes: JsonObject
  readonly meta: JsonObject
}

/** `data.attributes` and `meta`; anything else is refused, as the API's description has it. */
export const readBody = (request: SandboxRequest): Body | SandboxAnswer => {
  const body = parseJson(request.body)
  if (!isObject(body)) return badRequest("the body is not JSON")
  const strange = Object.keys(body).find((key) => key !== "data" && key !== "meta")
  if (strange !== undefined) return badRequest(`${strange} is not a recognized key`)
  const data = own(body, "data") ?? {}
  const attributes = isObject(data) ? (own(data, "attributes") ?? {}) : undefined
  const meta = own(body, "meta") ?? {}
  if (!isObject(attributes) || !isObject(meta)) return badRequest("data.attributes must be an object")
  return { attributes, meta }
}

export const isAnswer = (value: Body | SandboxAnswer): value is SandboxAnswer => "status" in value

const pageSize = (query: URLSearchParams): number | undefined => {
  const size = Number(query.get("page[size]") ?? 10)
  return Number.isInteger(size) && size >= 1 && size <= 100 ? size : undefined
}

export const accountRoutes = ({ accounts, types, journal, options, now }: Environment): ReadonlyArray<Route> => {
  const shown = (status: number, account: StoredAccount, { query }: SandboxRequest): SandboxAnswer =>
    json(status, { data: sparse(accountAnswer(account), query.get("fields[account]")) })

  const note = (request: SandboxRequest, account: StoredAccount, effect: "created" | "updated" | "redacted") => {
    journal.add({
      method: request.method,
      path: request.path,
      id: account.id,
      key: account.referenceId,
      effect,
      idempotencyKey: request.headers["idempotency-key"],
      body: request.body,
    })
  }

  const list = (request: SandboxRequest): SandboxAnswer => {
    const { query } = request
    const size = pageSize(query)
    if (size === undefined) return badRequest("page[size] must be from 1 to 100")
    const ids = query.get("filter[reference-id]")?.split(",")
    const found = ids === undefined ? accounts.live() : accounts.withReferences(ids)
    const after = query.get("page[after]")
    const from = after === null ? 0 : found.findIndex(({ id }) => id === after) + 1
    const page = found.slice(from, from + size)
    const next = from + size < found.length ? `/api/v1/accounts?page[after]=${page.at(-1)?.id}` : null
    return json(200, {
      data: page.map((account) => sparse(accountAnswer(account), query.get("fields[account]"))),
      links: { prev: null, next },
    })
  }

  /** The index is a minute behind. */
  const search = (request: SandboxRequest): SandboxAnswer => {
    const body = parseJson(request.body)
    const query = isObject(body) ? own(body, "query") : undefined
    if (!isObject(query) || own(query, "attribute") !== "reference-id")
      throw new Unmodelled("searches but by reference-id")
    const value = own(query, "value")
    const found = accounts
      .live()
      .filter(({ referenceId, createdAt }) => referenceId === value && createdAt + MINUTE <= now())
    return json(200, { data: found.map(accountAnswer), links: { prev: null, next: null } })
  }

  const create = (request: SandboxRequest): SandboxAnswer => {
    const body = readBody(request)
    if (isAnswer(body)) return body
    const { attributes, meta } = body
    const upsertBy = own(meta, "upsert-by")
    if (upsertBy !== undefined && upsertBy !== options.upsertBy) {
      return badRequest(`meta.upsert-by ${String(upsertBy)} is not a unique field of the account type`)
    }
    const type = types.get(String(own(attributes, "account-type-id") ?? types.defaultId))
    if (type === undefined) return notFound()
    const referenceId = own(attributes, "reference-id")
    const holder = typeof referenceId === "string" ? accounts.holder(referenceId, type) : undefined
    if (holder !== undefined && (upsertBy === undefined || holder.archivedAt !== undefined)) return notUnique()
    const draft = holder ?? { ...emptyDraft, type }
    const wrong = attributeProblem(draft, attributes, ["account-type-id", "account-status"])
    if (wrong !== undefined) return wrong
    const missing = type.fields.find(({ key, required }) => required === true && !hasField(attributes, key))
    if (holder === undefined && missing !== undefined)
      return badRequest(`data.attributes.fields.${missing.key} is missing`)
    const account = holder ?? accounts.create(type)
    if (holder === undefined && typeof referenceId === "string") accounts.refer(account, referenceId)
    applyAttributes(account, attributes, options.nullClears)
    note(request, account, holder === undefined ? "created" : "updated")
    return shown(holder === undefined ? 201 : 200, account, request)
  }

  const reachable = (id: string): StoredAccount | undefined => {
    const account = accounts.get(id)
    return account?.archivedAt === undefined ? account : undefined
  }

  const update = (request: SandboxRequest, id: string): SandboxAnswer => {
    const account = reachable(id)
    const body = readBody(request)
    if (isAnswer(body)) return body
    if (account === undefined) return notFound()
    const { attributes } = body
    const wrong = attributeProblem(account, attributes, ["account-status"])
    if (wrong !== undefined) return wrong
    const referenceId = own(attributes, "reference-id")
    if (typeof referenceId === "string" && referenceId !== account.referenceId) {
      if (accounts.holder(referenceId, account.type) !== undefined) return notUnique()
      accounts.refer(account, referenceId)
    }
    applyAttributes(account, attributes, options.nullClears)
    note(request, account, "updated")
    return shown(200, account, request)
  }

  const redact = (request: SandboxRequest, id: string): SandboxAnswer => {
    const account = reachable(id)
    if (account === undefined) return notFound()
    if (account.redactedAt !== undefined) return failure(409, "Conflict", "The account is already redacted")
    account.redactedAt = new Date(now()).toISOString()
    account.attributes.clear()
    account.fields.clear()
    note(request, account, "redacted")
    return shown(200, account, request)
  }

  const namesOf = (meta: JsonObject): ReadonlyArray<string> | undefined => {
    const name = own(meta, "tag-name")
    const names = Array.isArray(name) ? name : [name]
    return names.every((each) => typeof each === "string" && each !== "") ? names : undefined
  }

  const tag =
    (change: (held: ReadonlyArray<string>, names: ReadonlyArray<string>) => ReadonlyArray<string>, most: number) =>
    (request: SandboxRequest, [id = ""]: ReadonlyArray<string>): SandboxAnswer => {
      const account = reachable(id)
      if (account === undefined) return notFound()
      const body = readBody(request)
      if (isAnswer(body)) return body
      const names = namesOf(body.meta)
      if (names === undefined || names.length > most) return badRequest("meta.tag-name is missing")
      account.tags = [...new Set(change(account.tags, names))]
      note(request, account, "updated")
      return shown(200, account, request)
    }

  const write = { method: "POST", kind: "write" } as const
  const at = "/accounts/:id"
  return [
    { method: "GET", pattern: "/accounts", kind: "read", run: list },
    { method: "POST", pattern: "/accounts/search", kind: "read", run: search },
    { ...write, pattern: "/accounts", run: create },
    {
      method: "GET",
      pattern: at,
      kind: "read",
      run: (request, [id = ""]) => {
        const account = reachable(id)
        return account === undefined ? notFound() : shown(200, account, request)
      },
    },
    { method: "PATCH", pattern: at, kind: "write", run: (request, [id = ""]) => update(request, id) },
    { method: "DELETE", pattern: at, kind: "write", run: (request, [id = ""]) => redact(request, id) },
    { ...write, pattern: `${at}/add-tag`, run: tag((held, names) => [...held, ...names], 1) },
    {
      ...write,
      pattern: `${at}/remove-tag`,
      run: tag((held, names) => held.filter((each) => !names.includes(each)), 1),
    },
    { ...write, pattern: `${at}/set-tags`, run: tag((_, names) => names, Number.POSITIVE_INFINITY) },
  ]
}

const hasField = (attributes: JsonObject, key: string): boolean => {
  const fields = own(attributes, "fields")
  return isObject(fields) && own(fields, key) !== undefined
}

const emptyDraft: Omit<StoredAccount, "type"> = {
  id: "",
  number: 0,
  referenceId: undefined,
  attributes: new Map(),
  fields: new Map(),
  tags: [],
  redactedAt: undefined,
  archivedAt: undefined,
  createdAt: 0,
}
