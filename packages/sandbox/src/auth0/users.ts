/** GET /users: paging with its wall, sorting, choice of fields, totals. auth0.md §1. */
import { json, type SandboxAnswer, Unmodelled } from "../exchange.ts"
import type { Directory } from "../users/directory.ts"
import { isSortable } from "../users/fields.ts"
import type { User } from "../users/generate.ts"
import { BadQuery, parseQuery, type Query } from "../users/query.ts"
import type { Search, Sort } from "../users/search.ts"
import { badQuery, failure, pagingWall } from "./errors.ts"

/** Auth0 refuses longer addresses with 414; it does not say from which length. */
const maxQueryLength = 4_096

const parameters = new Set([
  "page",
  "per_page",
  "include_totals",
  "sort",
  "fields",
  "include_fields",
  "q",
  "search_engine",
  "primary_order",
])

export interface UsersContext {
  readonly search: Search
  readonly directory: Directory
  readonly maxPerPage: number
}

/** A number or the text of the complaint. */
const count = (query: URLSearchParams, name: string, fallback: number, max: number): number | string => {
  const text = query.get(name)
  if (text === null) return fallback
  if (!/^\d+$/.test(text)) return `'Expected type integer but found type string' on property ${name}.`
  const value = Number(text)
  if (value <= max) return value
  return `'Value ${text} is greater than maximum ${max}' on property ${name} (Number of results per page. Defaults to 50).`
}

/** Without `sort` the last changed come first: deterministic, and the order moves under a reader's feet. */
const defaultSort: Sort = { field: "updated_at", descending: true }

const parseSort = (text: string | null): Sort | undefined => {
  if (text === null) return defaultSort
  const match = /^([\w.]+):(1|-1)$/.exec(text)
  const field = match?.[1]
  return field !== undefined && isSortable(field) ? { field, descending: match?.[2] === "-1" } : undefined
}

/** Root fields only, as the vendor does. */
export const chooseFields = (user: User, query: URLSearchParams): { readonly [key: string]: unknown } => {
  const text = query.get("fields")
  if (text === null || text === "") return user
  const named = new Set(text.split(",").map((name) => name.trim()))
  const include = query.get("include_fields") !== "false"
  return Object.fromEntries(Object.entries(user).filter(([key]) => named.has(key) === include))
}

const refuse = (query: URLSearchParams): SandboxAnswer | undefined => {
  if (query.has("connection")) throw new Unmodelled("the connection parameter, which belongs to search_engine=v1")
  const unknown = [...query.keys()].find((name) => !parameters.has(name))
  if (unknown !== undefined) return badQuery(`'Additional properties not allowed: ${unknown}'.`)
  if ((query.get("q")?.length ?? 0) > maxQueryLength) return failure(414, "Request-URI Too Large")
  const engine = query.get("search_engine")
  if (engine === "v1" || engine === "v2") {
    return failure(400, `You are not allowed to use search_engine=${engine}. Use search_engine=v3 instead.`)
  }
  if (query.has("q") && engine !== "v3") {
    return failure(400, "The 'q' parameter is available only if you specify 'search_engine=v2|v3'.")
  }
  return undefined
}

export const searchUsers = (context: UsersContext, query: URLSearchParams): SandboxAnswer => {
  const refusal = refuse(query)
  if (refusal !== undefined) return refusal
  const page = count(query, "page", 0, Number.MAX_SAFE_INTEGER)
  const asked = count(query, "per_page", 50, 100)
  if (typeof page === "string") return badQuery(page)
  if (typeof asked === "string") return badQuery(asked)
  const limit = Math.min(asked, context.maxPerPage)
  // Whatever exists: a tenant of ten users answers the same.
  if (page * limit + limit > 1000) return pagingWall()
  const sort = parseSort(query.get("sort"))
  if (sort === undefined) return badQuery("'String does not match pattern' on property sort (Field to sort by).")
  const parsed = parse(query.get("q"))
  if (parsed instanceof BadQuery)
    return failure(400, `The query is not valid: ${parsed.message}`, "invalid_query_string")
  const request = { query: parsed, sort, skip: page * limit, take: limit }
  const { users, total } = context.search.find(context.directory.searchable(), request)
  const chosen = users.map((user) => chooseFields(user, query))
  if (query.get("include_totals") !== "true") return json(200, chosen)
  return json(200, { start: request.skip, limit, length: chosen.length, users: chosen, total })
}

const parse = (q: string | null): Query | BadQuery | undefined => {
  if (q === null || q.trim() === "") return undefined
  try {
    return parseQuery(q)
  } catch (error) {
    if (error instanceof BadQuery) return error
    throw error
  }
}
