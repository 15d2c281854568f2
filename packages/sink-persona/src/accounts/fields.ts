/** The columns of an account: those everybody has, and those of its account type; and their way to the wire and back. */
import type { Field } from "@sluice/core"
import type { Json, JsonObject } from "effect/Schema"
import { CUSTOM, customName } from "../customFields.ts"
import type { Account, FieldSchema } from "../shapes.ts"

const text = (name: string, max?: number): Field => ({
  name,
  type: "text",
  writable: true,
  ...(max === undefined ? {} : { max }),
})

/** What Persona has for every account. https://docs.withpersona.com/api-reference/accounts/create-an-account */
export const standardFields: ReadonlyArray<Field> = [
  { ...text("reference_id", 255), required: true, key: true },
  { ...text("email_address"), format: "email" },
  text("phone_number"),
  text("name_first", 255),
  text("name_middle", 255),
  text("name_last", 255),
  { name: "birthdate", type: "date", writable: true },
  text("address_street_1", 255),
  text("address_street_2", 255),
  text("address_city", 255),
  text("address_subdivision", 255),
  text("address_postal_code", 255),
  text("country_code", 2),
  text("social_security_number"),
  { name: "tags", type: "list", writable: true },
]

export const isStandard = (column: string): boolean => standardFields.some(({ name }) => name === column)

/** Standard columns in Persona's casing; all custom ones are below `fields`. */
export const attributeName = (column: string): string =>
  customName(column) === undefined ? column.replaceAll("_", "-") : "fields"

const types: ReadonlyMap<string, Field["type"]> = new Map([
  ["string", "text"],
  ["email-address", "text"],
  ["choices", "text"],
  ["boolean", "boolean"],
  ["date", "date"],
  ["datetime", "datetime"],
  ["integer", "integer"],
  ["number", "number"],
  ["multi-choices", "list"],
  ["array", "list"],
  ["hash", "json"],
  ["json", "json"],
])

/** Where the type does not say, a text has 255 characters at most. */
const DEFAULT_MAX = 255

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** A field of the account type, as core checks rows by it. Files and relations are not for a sync. */
export const toField = (schema: FieldSchema): Field => {
  const { key, type, config } = schema
  const kind = type.replaceAll("_", "-")
  const known = types.get(kind)
  const options = config?.options?.map((option) => (typeof option === "string" ? option : option.value))
  const isGone = isSet(config?.["archived-at"]) || isSet(config?.["deactivated-at"])
  return {
    name: `${CUSTOM}${key}`,
    type: known ?? "json",
    writable: known !== undefined && !isGone,
    ...(kind === "email-address" ? { format: "email" } : {}),
    ...(type === "string" ? { max: config?.["max-char-length"] ?? DEFAULT_MAX } : {}),
    ...(options === undefined || options.length === 0 ? {} : { options }),
    ...(config?.required === true && !isGone && !isSet(schema["default-value"]) ? { required: true } : {}),
  }
}

const isList = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !isList(value)

/** Of the object itself: names of fields and of what is in them are anyone's. */
const own = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** Values are read as `{ type, value }`, at every depth but in fields of any JSON. */
export const unwrapped = (held: Json): Json => {
  if (isList(held)) return held.map(unwrapped)
  if (!isObject(held)) return held
  const [type, value] = [own(held, "type"), own(held, "value")]
  if (typeof type === "string" && value !== undefined) return type === "json" ? value : unwrapped(value)
  return Object.fromEntries(Object.entries(held).map(([name, item]) => [name, unwrapped(item ?? null)]))
}

/** What the account holds in a column, in the form of a row; undefined where nothing. */
export const heldIn = ({ attributes, tags }: Account, column: string): Json | undefined => {
  if (column === "tags") return tags === undefined ? undefined : [...tags]
  const value = own(attributes, attributeName(column))
  const custom = customName(column)
  const held = custom === undefined ? value : isObject(value) ? own(value, custom) : undefined
  return (held === undefined ? undefined : unwrapped(held)) ?? undefined
}
