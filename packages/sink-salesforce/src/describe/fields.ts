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

/** Of record ids, which the object's rules judge. */
export const ID_FORMAT = "id"

const formats: { readonly [type: string]: string } = { email: "email", id: ID_FORMAT, reference: ID_FORMAT }

const ID_LENGTH = 18

/** A longer reference is to a record of another system, by that one's own key. */
export const toFormat = ({ type, length = ID_LENGTH }: DescribedField): string | undefined =>
  Object.hasOwn(formats, type) && !(type === "reference" && length > ID_LENGTH) ? formats[type] : undefined

/** Before the point: Salesforce rounds what stands after it. */
const digitsOf = ({ type, digits = 0, precision = 0, scale = 0 }: DescribedField): number | undefined => {
  const isWhole = type === "int" || type === "long"
  const [all, before] = isWhole && digits > 0 ? [digits, digits] : [precision, precision - scale]
  return all > 0 ? before : undefined
}

/** A number without decimals would be rounded in silence, so it is a whole one here. */
export const typeOf = (field: DescribedField): Field["type"] => {
  const type = (Object.hasOwn(types, field.type) ? types[field.type] : undefined) ?? "text"
  return type === "number" && field.scale === 0 && (field.precision ?? 0) > 0 ? "integer" : type
}

type Rights = Pick<DescribedField, "createable" | "updateable">

const may = ({ createable, updateable }: Rights, mode: Mode): boolean => updateable && (mode === "update" || createable)

/** Compound fields (addresses, locations) and formulas are read only: their parts are written (salesforce trap 35). */
const isWritable = (field: DescribedField, object: Rights, mode: Mode): boolean => may(object, mode) && may(field, mode)

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

export const toField = (field: DescribedField, options: Keying, object: Rights): Field => {
  const { mode } = options
  const type = typeOf(field)
  const values = optionsOf(field)
  const length = field.length ?? 0
  const format = toFormat(field)
  const digits = digitsOf(field)
  const writable = isWritable(field, object, mode)
  return {
    name: field.name,
    type,
    writable,
    ...((type === "text" || type === "list") && length > 0 ? { max: length } : {}),
    ...(format === undefined ? {} : { format }),
    ...(digits === undefined ? {} : { digits }),
    ...(writable && !field.nillable ? { nullable: false } : {}),
    // Salesforce stores the picklist's own spelling, whatever the capitals of what was sent.
    ...(values !== undefined && values.length > 0 ? { options: values, loose: true } : {}),
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
