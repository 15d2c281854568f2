/** What the org makes of a value for a field: what it stores, or why it refuses the row. salesforce.md §4 and §5.6. */
import { type RowError, rowError } from "./errors.ts"
import type { FieldSpec, Value } from "./fields.ts"

export type Checked = { readonly value: Value } | { readonly error: RowError }

const accepted = (value: Value): Checked => ({ value })

const refused = (field: FieldSpec, statusCode: string, message: string): Checked => ({
  error: rowError(statusCode, message, [field.name]),
})

/** What a body of JSON says of a value that is not of the field's type; of a row of CSV it is another code. */
const mistyped = (field: FieldSpec, type: string, raw: unknown, source: Source): Checked =>
  source === "json"
    ? {
        error: rowError(
          "JSON_PARSER_ERROR",
          `Cannot deserialize instance of ${type} from VALUE_${(typeof raw).toUpperCase()} value ${String(raw)} or request may be missing a required field`,
        ),
      }
    : refused(field, "INVALID_TYPE_ON_FIELD_IN_RECORD", `'${String(raw)}' is not a valid value for the type ${type}`)

export type Source = "json" | "csv"

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})$/
const instantPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/

const isDay = (text: string): boolean =>
  dayPattern.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)

/** Milliseconds since 1970, whole seconds; an instant without a zone is none. */
export const instantOf = (text: string): number | undefined => {
  if (!instantPattern.test(text)) return undefined
  const millis = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, "$1:$2"))
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1000) * 1000
}

const checkText = (field: FieldSpec, raw: unknown, source: Source): Checked => {
  if (typeof raw === "object") return mistyped(field, "string", raw, source)
  const value = String(raw)
  if (value.length > field.length) {
    const message = `${field.label}: data value too large: ${value} (max length=${field.length})`
    return refused(field, "STRING_TOO_LONG", message)
  }
  if (field.type === "email" && !/^(?:"[^"]+"|[^\s@,;]+)@[^\s@,;]+\.[^\s@,;.]+$/.test(value))
    return refused(field, "INVALID_EMAIL_ADDRESS", `${field.label}: invalid email address: ${value}`)
  if (field.restrictedPicklist) {
    // The stored value is the picklist's own, whatever the case of what was sent.
    const known = field.picklist.find((each) => each.toLowerCase() === value.toLowerCase())
    const message = `${field.label}: bad value for restricted picklist field: ${value}`
    return known === undefined ? refused(field, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message) : accepted(known)
  }
  return accepted(value)
}

const checkNumber = (field: FieldSpec, raw: unknown, source: Source): Checked => {
  const text = typeof raw === "string" ? raw.trim() : raw
  const value = typeof text === "string" && text !== "" ? Number(text) : text
  if (typeof value !== "number" || !Number.isFinite(value)) return mistyped(field, "double", raw, source)
  if (field.type === "int" && !Number.isInteger(value)) return mistyped(field, "int", raw, source)
  if (Math.abs(value) >= 10 ** (field.precision - field.scale)) {
    const message = `${field.label}: value outside of valid range on numeric field: ${value}`
    return refused(field, "NUMBER_OUTSIDE_VALID_RANGE", message)
  }
  const unit = 10 ** field.scale
  return accepted(Math.round(value * unit) / unit)
}

const checkBoolean = (field: FieldSpec, raw: unknown, source: Source): Checked => {
  if (typeof raw === "boolean") return accepted(raw)
  const text = typeof raw === "string" ? raw.toLowerCase() : ""
  if (text === "true" || (source === "csv" && text === "1")) return accepted(true)
  if (text === "false" || (source === "csv" && text === "0")) return accepted(false)
  return mistyped(field, "boolean", raw, source)
}

const checkTime = (field: FieldSpec, raw: unknown, source: Source): Checked => {
  const text = typeof raw === "string" ? raw : ""
  const value = field.type === "date" ? (isDay(text) ? text : undefined) : instantOf(text)
  return value === undefined ? mistyped(field, field.type, raw, source) : accepted(value)
}

/** References are looked up by the caller. An empty text is stored as none. */
export const checkValue = (field: FieldSpec, raw: unknown, source: Source): Checked => {
  if (raw === null || raw === "")
    return field.type === "boolean" ? mistyped(field, "boolean", raw, source) : accepted(null)
  switch (field.type) {
    case "boolean":
      return checkBoolean(field, raw, source)
    case "int":
    case "double":
    case "currency":
    case "percent":
      return checkNumber(field, raw, source)
    case "date":
    case "datetime":
      return checkTime(field, raw, source)
    default:
      return checkText(field, raw, source)
  }
}

/** As the REST API shows a stored value. */
export const shown = (field: FieldSpec, value: Value): unknown =>
  field.type === "datetime" && typeof value === "number" ? new Date(value).toISOString().replace("Z", "+0000") : value
