/** Writes searches in Auth0's query syntax v3. */
import type { UserOptions } from "./options.ts"

/** The two times that every user has, and that search can sort and range over. */
export type TimeField = "created_at" | "updated_at"

const quoted = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`
const escaped = (value: string) => value.replace(/[-+=&|><!(){}[\]^"~*?:\\/\s]/g, "\\$&")

/** The filters of the options, as clauses that are joined with AND. */
export const filters = (options: UserOptions): ReadonlyArray<string> => [
  ...(options.query === undefined ? [] : [`(${options.query})`]),
  ...(options.connection === undefined ? [] : [inConnection(options.connection)]),
  // Absent means not blocked, so `blocked:false` would leave out most users (auth0 trap 14).
  ...(options.active_only ? ["NOT blocked:true"] : []),
  ...(options.verified_only ? ["email_verified:true"] : []),
]

/** From a time on, open to the end; from the beginning where there is no time. */
export const from = (field: TimeField, time?: string, exclusive = false) =>
  `${field}:${exclusive ? "{" : "["}${time ?? "*"} TO *]`

export const between = (field: TimeField, low: string | undefined, high: string) =>
  `${field}:[${low ?? "*"} TO ${high}]`
export const at = (field: TimeField, time: string) => `${field}:[${time} TO ${time}]`
export const without = (field: TimeField) => `NOT _exists_:${field}`
export const not = (clause: string) => `NOT ${clause}`

export const inConnection = (name: string) => `identities.connection:${quoted(name)}`
export const withId = (id: string) => `user_id:${quoted(id)}`
export const withIdPrefix = (prefix: string) => `user_id:${escaped(prefix)}*`
