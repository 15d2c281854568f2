/** Which rows are not worth a call: what Salesforce would refuse for reasons that core's check of fields does not know. */
import type { Row } from "@sluice/core"
import type { Json } from "effect/Schema"
import { type Column, isNamedElsewhere } from "./describe/columns.ts"
import { typeOf } from "./describe/fields.ts"
import { isId } from "./ids.ts"
import type { DescribedField } from "./shapes.ts"

interface Unfit {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
}

const unfit = (code: string, message: string, field: string): Unfit => ({ code, message, fields: [field] })

/** Digits before the point. */
const hasRoom = ({ precision = 0, scale = 0 }: DescribedField, value: number): boolean =>
  precision === 0 || Math.abs(value) < 10 ** (precision - scale)

const isEmail = (value: string): boolean => /^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+$/.test(value)

const ofText = ({ name, field, parent }: Column, value: string): Unfit | undefined => {
  if (!value.isWellFormed()) return unfit("not_text", `${name} holds half a character, which cannot be sent`, name)
  if (parent !== undefined) return value === "" ? unfit("empty", `${name} is empty; null clears it`, name) : undefined
  if (value === "") return undefined
  const isReference = field.type === "id" || field.type === "reference"
  if (isReference && !isId(value)) return unfit("malformed_id", `${name} is no record id`, name)
  if (field.type === "email" && !isEmail(value)) return unfit("bad_email", `${name} is no e-mail address`, name)
  return undefined
}

const ofValue = (column: Column, value: Json): Unfit | undefined => {
  const { name, field } = column
  if (value === null)
    return field.nillable ? undefined : unfit("not_clearable", `${name} cannot be without a value`, name)
  if (typeof value === "string") return ofText(column, value)
  if (typeof value === "number" && !hasRoom(field, value)) return unfit("out_of_range", `${name} is out of range`, name)
  const isChoices = typeOf(field) === "list" && Array.isArray(value)
  return isChoices && value.some((each) => typeof each !== "string" || each.includes(";"))
    ? unfit("not_a_choice", `${name} has a value that is no text or has a semicolon`, name)
    : undefined
}

/** Pure: the same in preview and run. Names fields, never values. */
export const refuseRow = (row: Row, key: string, columns: ReadonlyArray<Column>): Unfit | undefined => {
  if (row.key.trim() === "" || !row.key.isWellFormed()) return unfit("bad_key", `${key} has no usable value`, key)
  if (key === "Id" && !isId(row.key)) return unfit("malformed_id", `${key} is no record id`, key)
  if (row.change === "delete") return undefined
  for (const column of columns) {
    const value = Object.hasOwn(row.fields, column.name) ? row.fields[column.name] : undefined
    const found = value === undefined ? undefined : ofValue(column, value)
    if (found !== undefined) return found
    if (
      column.parent !== undefined &&
      value !== undefined &&
      value !== null &&
      isNamedElsewhere(row, column, columns)
    ) {
      return unfit("two_records", `${column.name} and another field both say what ${column.field.name} is`, column.name)
    }
  }
  return undefined
}
