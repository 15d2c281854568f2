/** Which rows are not worth a call: what Salesforce would refuse for reasons that core's check of fields does not know. */
import type { Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import type { Column } from "./describe/columns.ts"
import { typeOf } from "./describe/fields.ts"
import { isId } from "./ids.ts"

interface Unfit {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
}

const unfit = (code: string, message: string, field: string): Unfit => ({ code, message, fields: [field] })

const ofValue = ({ name, field, parent }: Column, value: Json): Unfit | undefined => {
  if (value === null) {
    return !field.nillable ? unfit("not_clearable", `${name} cannot be without a value`, name) : undefined
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    return unfit("not_text", `${name} holds half a character, which cannot be sent`, name)
  }
  if (parent !== undefined && value === "") return unfit("empty", `${name} is empty; null clears it`, name)
  const isPart = typeof value === "string" && value !== "" && (field.type === "id" || field.type === "reference")
  if (parent === undefined && isPart && !isId(value)) return unfit("malformed_id", `${name} is no record id`, name)
  if (
    typeOf(field) === "list" &&
    Array.isArray(value) &&
    value.some((each) => typeof each !== "string" || each.includes(";"))
  ) {
    return unfit("not_a_choice", `${name} has a value that is no text or has a semicolon`, name)
  }
  return undefined
}

/** Pure: the same in preview and run. Names fields, never values. */
export const refuseRow = (row: Row, key: string, columns: ReadonlyArray<Column>): Unfit | undefined => {
  if (row.key.trim() === "" || !row.key.isWellFormed()) return unfit("bad_key", `${key} has no usable value`, key)
  if (row.change === "delete") return undefined
  for (const column of columns) {
    const value = Object.hasOwn(row.fields, column.name) ? row.fields[column.name] : undefined
    const found = value === undefined ? undefined : ofValue(column, value)
    if (found !== undefined) return found
  }
  return undefined
}
