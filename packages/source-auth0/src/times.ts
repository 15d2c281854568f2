/** Auth0's times: told apart from anything else that may stand in their place, and compared. */
import * as Schema from "effect/Schema"
import type { User } from "./management.ts"
import type { TimeField } from "./query.ts"

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
export const Time = Schema.String.check(Schema.isPattern(iso))
const usual = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** The time as Auth0 wrote it; undefined where it is absent or of another form, as its schema allows. */
export const timeOf = (user: User, field: TimeField): string | undefined => {
  const value = Object.hasOwn(user, field) ? user[field] : undefined
  return typeof value === "string" && iso.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined
}

/** Below 0 where `a` is earlier. Digits beyond milliseconds count too. */
export const compare = (a: string, b: string): number =>
  a === b ? 0 : Date.parse(a) - Date.parse(b) || (a < b ? -1 : 1)

/** The same time in the one form whose text compares as the time does. */
export const comparable = (time: string): string => (usual.test(time) ? time : new Date(time).toISOString())

export const earlier = (time: string, millis: number): string => new Date(Date.parse(time) - millis).toISOString()
