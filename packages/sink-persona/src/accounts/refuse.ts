/** Which rows are not worth a call: what Persona would refuse, or should not be given. */
import type { Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import type { AccountOptions } from "../config.ts"

export interface Unfit {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
}

const unfit = (code: string, message: string, field: string): Unfit => ({ code, message, fields: [field] })

const isEmail = (value: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)

const isTag = (tag: unknown): boolean => typeof tag === "string" && tag.trim() !== "" && tag.isWellFormed()

const ofField = (name: string, value: Json): Unfit | undefined => {
  if (value === null) return undefined
  if (name === "tags" && !(Array.isArray(value) && value.every(isTag))) {
    return unfit("bad_tags", "tags must be a list of names", name)
  }
  if (name === "country_code" && !(typeof value === "string" && /^([A-Z]{2})?$/.test(value))) {
    return unfit("bad_country", "country_code must be two capital letters, as DE", name)
  }
  return typeof value === "string" && !value.isWellFormed()
    ? unfit("bad_text", `${name} has half a character, which cannot be sent`, name)
    : undefined
}

const ofKey = (key: string, { allow_email_reference }: AccountOptions): Unfit | undefined => {
  if (key === "" || !key.isWellFormed())
    return unfit("bad_key", "reference_id is empty or cannot be sent", "reference_id")
  if (allow_email_reference || !isEmail(key)) return undefined
  return unfit(
    "email_as_reference",
    "reference_id is an e-mail address, which Persona does not protect there and which may change: map an id, or set allow_email_reference",
    "reference_id",
  )
}

/** Pure: the same in preview and run. Names fields, never values. */
export const refuseRow = (row: Row, options: AccountOptions): Unfit | undefined => {
  const wrong = ofKey(row.key, options)
  if (wrong !== undefined || row.change === "delete") return wrong
  for (const [name, value] of Object.entries(row.fields)) {
    const found = value === undefined ? undefined : ofField(name, value)
    if (found !== undefined) return found
  }
  return undefined
}
