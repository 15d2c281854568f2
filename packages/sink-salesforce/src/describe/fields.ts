/** From a described field to what core checks mappings and rows with. */
import type { Field } from "@sluice/core"
import type { ObjectOptions } from "../options.ts"
import type { DescribedField } from "../shapes.ts"

type Mode = ObjectOptions["mode"]
type Keying = Pick<ObjectOptions, "mode" | "loose_key">

const types: { readonly [type: string]: Field["type"] } = {
  boolean: "boolean",
  int: "integer",
  long: "integer",
  double: "number",
  currency: "number",
  percent: "number",
  date: "date",
  datetime: "datetime",
  multipicklist: "list",
  address: "json",
  location: "json",
  complexvalue: "json",
  anyType: "json",
}

/** A number without decimals would be rounded in silence, so it is a whole one here. */
export const typeOf = (field: DescribedField): Field["type"] => {
  const type = (Object.hasOwn(types, field.type) ? types[field.type] : undefined) ?? "text"
  return type === "number" && field.scale === 0 && (field.precision ?? 0) > 0 ? "integer" : type
}

/** Compound fields (addresses, locations) and formulas are read only: their parts are written (salesforce trap 35). */
const isWritable = (field: DescribedField, mode: Mode): boolean =>
  field.updateable && (mode === "update" || field.createable)

/** The vendor says what a new record cannot be without (salesforce trap 35). */
const isRequired = (field: DescribedField, mode: Mode): boolean =>
  mode === "upsert" &&
  field.createable &&
  !field.nillable &&
  field.defaultedOnCreate !== true &&
  field.type !== "boolean"

/** Rows can be matched by an external id, and by what Salesforce itself looks records up by: an e-mail address. */
const isKey = (field: DescribedField, { mode, loose_key }: Keying): boolean =>
  field.name === "Id"
    ? mode === "update"
    : (field.externalId === true || field.idLookup === true) && keyProblem(field, loose_key) === undefined

/** Inactive values are refused by a restricted picklist; an unrestricted one takes any text. */
const optionsOf = (field: DescribedField): ReadonlyArray<string> | undefined =>
  field.restrictedPicklist === true
    ? (field.picklistValues ?? []).filter(({ active }) => active).map(({ value }) => value)
    : undefined

export const toField = (field: DescribedField, options: Keying): Field => {
  const { mode } = options
  const type = typeOf(field)
  const values = optionsOf(field)
  const length = field.length ?? 0
  return {
    name: field.name,
    type,
    writable: isWritable(field, mode),
    ...(type === "text" && length > 0 ? { max: length } : {}),
    ...(values !== undefined && values.length > 0 ? { options: values } : {}),
    ...(isRequired(field, mode) ? { required: true } : {}),
    ...(isKey(field, options) ? { key: true } : {}),
  }
}

/** Why rows must not be matched by this field although Salesforce would. */
export const keyProblem = (field: DescribedField, loose: boolean): string | undefined => {
  if (loose || field.externalId !== true || typeOf(field) !== "text") return undefined
  const make = `make it an External ID that is unique and case-sensitive, or set \`with: { loose_key: true }\``
  if (field.unique !== true) return `${field.name} is not unique, so several records can have one key: ${make}`
  return field.caseSensitive === true ? undefined : `${field.name} takes ABC and abc for one key: ${make}`
}
