/** Which rows are not worth a call: what Brevo would refuse or, worse, take and ignore. */
import type { Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import { addressable } from "./api.ts"
import { isOwnField, isPhone, looksLikePhone } from "./attributes.ts"
import type { ContactOptions } from "./config.ts"
import { type Unfit, unfit } from "./plan.ts"

const identifier = (name: string, value: Json): Unfit | undefined => {
  if (value === null) return undefined
  if (typeof value !== "string" || !value.isWellFormed()) return unfit("not_text", `${name} must be text`, name)
  return value === "" ? unfit("empty", `${name} is empty`, name) : undefined
}

const lists = (value: Json, options: ContactOptions): Unfit | undefined => {
  if (value === null) return undefined
  if (!Array.isArray(value) || !value.every((id) => Number.isInteger(id))) {
    return unfit("bad_lists", "listIds must be a list of list ids", "listIds")
  }
  return value.every((id) => options.lists.some((managed) => managed === id))
    ? undefined
    : unfit("unmanaged_list", "listIds has a list that `with: lists` does not name", "listIds")
}

const ofField = (name: string, value: Json, key: string, options: ContactOptions): Unfit | undefined => {
  if (name === "email" || name === "ext_id") return identifier(name, value)
  if (name === "listIds") return lists(value, options)
  if (isOwnField(name)) {
    return typeof value === "boolean" ? undefined : unfit("not_boolean", `${name} must be true or false`, name)
  }
  // Other malformed numbers are left out and reported, where the route says so.
  const strict = name === key || options.on_identifier_conflict !== "drop"
  if (strict && isPhone(name) && value !== null && !looksLikePhone(value)) {
    return unfit("malformed_phone", `${name} is no phone number with a country code`, name)
  }
  return undefined
}

/** Pure: the same in preview and run. Names fields, never values. */
export const refuseRow = (row: Row, key: string, options: ContactOptions): Unfit | undefined => {
  if (!addressable(row.key)) return unfit("bad_key", `${key} cannot stand in an address`, key)
  if (row.change === "delete") return undefined
  for (const [name, value] of Object.entries(row.fields)) {
    const found = ofField(name, value, key, options)
    if (found !== undefined) return found
  }
  return undefined
}
