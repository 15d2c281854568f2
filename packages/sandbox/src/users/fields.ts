/** Which fields of a user search knows, and when a field has a value. */
import { isObject, own, Unmodelled } from "../exchange.ts"
import type { User } from "./generate.ts"

export type Test = (user: User) => boolean

/** auth0.md §1.3: what is indexed. */
const searchable = new Set([
  "app_metadata",
  "blocked",
  "created_at",
  "email",
  "email_verified",
  "family_name",
  "given_name",
  "identities",
  "last_ip",
  "last_login",
  "logins_count",
  "name",
  "nickname",
  "phone_number",
  "phone_verified",
  "updated_at",
  "user_id",
  "user_metadata",
  "username",
])
const dates = new Set(["created_at", "updated_at", "last_login"])
const foldedCase = new Set(["email", "name", "given_name", "family_name", "nickname"])

export const isDateField = (field: string): boolean => dates.has(field)

/** The root of a path that search knows. */
const rootOf = (path: string): string => {
  const root = path.split(".", 1)[0] ?? path
  if (!searchable.has(root)) throw new Unmodelled(`a search for ${path}, which is not indexed`)
  return root
}

export const isSortable = (field: string): boolean =>
  searchable.has(field) && field !== "app_metadata" && field !== "user_metadata" && field !== "identities"

/** All values below a path, through arrays. Null, [] and {} are not indexed. */
const valuesAt = (value: unknown, segments: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, segments))
  const [first, ...rest] = segments
  if (first !== undefined) return isObject(value) ? valuesAt(own(value, first), rest) : []
  if (value === undefined || value === null) return []
  return isObject(value) && Object.keys(value).length === 0 ? [] : [value]
}

const fold = (field: string, value: unknown): string => {
  const text = String(value)
  return foldedCase.has(field) ? text.toLowerCase() : text
}

export const testExists = (path: string): Test => {
  rootOf(path)
  const segments = path.split(".")
  return (user) => valuesAt(user, segments).length > 0
}

/** `email.domain` is a field of the index, not of the user. */
const domainTest = (value: string): Test => {
  const wanted = `@${value.toLowerCase()}`
  return (user) => typeof user.email === "string" && user.email.toLowerCase().endsWith(wanted)
}

export const testValue = (path: string, value: string): Test => {
  if (path === "email.domain") return domainTest(value)
  rootOf(path)
  const segments = path.split(".")
  if (dates.has(path)) {
    const at = Date.parse(value)
    return (user) => typeof user[path] === "string" && Date.parse(user[path]) === at
  }
  const wanted = fold(path, value)
  return (user) => valuesAt(user, segments).some((found) => !isObject(found) && fold(path, found) === wanted)
}

/** v3 takes wildcards on root fields only. */
export const testPrefix = (path: string, prefix: string): Test => {
  if (rootOf(path) !== path || path === "user_metadata" || path === "app_metadata") {
    throw new Unmodelled(`a wildcard on ${path}`)
  }
  const wanted = fold(path, prefix)
  return (user) => typeof user[path] === "string" && fold(path, user[path]).startsWith(wanted)
}
