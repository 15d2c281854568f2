/** The attributes of the fake Brevo account, and what it makes of a value that does not fit. brevo.md §3.6. */
import { isObject } from "../exchange.ts"
import type { AttributeSpec } from "../options.ts"

/** The vendor's own, in English as this account has them. */
const builtIn: ReadonlyArray<AttributeSpec> = [
  { name: "LASTNAME", category: "normal", type: "text" },
  { name: "FIRSTNAME", category: "normal", type: "text" },
  { name: "SMS", category: "normal", type: "text" },
  { name: "WHATSAPP", category: "normal", type: "text" },
  { name: "LANDLINE_NUMBER", category: "normal", type: "text" },
  { name: "EXT_ID", category: "normal", type: "text" },
  {
    name: "DOUBLE_OPT-IN",
    category: "category",
    enumeration: [
      { value: 1, label: "Yes" },
      { value: 2, label: "No" },
    ],
  },
  { name: "ORDER_ID", category: "transactional", type: "id" },
  { name: "BLACKLIST", category: "global", type: "float", calculatedValue: "COUNT[BLACKLISTED,BLACKLISTED,<,NOW()]" },
]

/** What the pipelines in `configs/` map to, as a person would have created them. */
const forConfigs: ReadonlyArray<AttributeSpec> = [
  { name: "NICKNAME", category: "normal", type: "text" },
  { name: "AVATAR_URL", category: "normal", type: "text" },
  { name: "EMAIL_VERIFIED", category: "normal", type: "boolean" },
  { name: "LOGIN_COUNT", category: "normal", type: "float" },
  { name: "LAST_LOGIN_DATE", category: "normal", type: "date" },
  { name: "SIGNUP_DATE", category: "normal", type: "date" },
  { name: "COMPANY", category: "normal", type: "text" },
  { name: "SUBSCRIPTION_PLAN", category: "normal", type: "text" },
  { name: "USER_ROLE", category: "normal", type: "text" },
  { name: "IS_ADMIN", category: "normal", type: "boolean" },
  {
    name: "INTERESTS",
    category: "normal",
    type: "multiple-choice",
    multiCategoryOptions: ["news", "offers", "events"],
  },
  {
    name: "TIER",
    category: "category",
    enumeration: [
      { value: 1, label: "bronze" },
      { value: 2, label: "silver" },
      { value: 3, label: "gold" },
    ],
  },
]

export const initialAttributes = (specs: ReadonlyArray<AttributeSpec> | undefined): Map<string, AttributeSpec> =>
  new Map([...builtIn, ...(specs ?? forConfigs)].map((spec) => [spec.name, spec]))

/** As GET /contacts/attributes lists it. */
export const attributeAnswer = (spec: AttributeSpec): AttributeSpec => ({
  ...spec,
  ...(spec.enumeration === undefined
    ? {}
    : { enumeration: spec.enumeration.map((option) => ({ ...option, valueStr: String(option.value) })) }),
})

const isDate = (value: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString().startsWith(value)

/** What is stored for a value, or `undefined`: Brevo ignores a value of another type and says nothing. */
export const accept = (spec: AttributeSpec, value: unknown): unknown => {
  if (spec.category === "category") {
    return spec.enumeration?.find((option) => option.value === value || option.label === value)?.label
  }
  if (spec.category !== "normal") return undefined
  switch (spec.type) {
    case "text":
      return typeof value === "string" ? value : undefined
    case "float":
      return typeof value === "number" && Number.isFinite(value) ? value : undefined
    case "boolean":
      return typeof value === "boolean" ? value : undefined
    case "date":
      return typeof value === "string" && isDate(value) ? value : undefined
    case "multiple-choice":
      return Array.isArray(value) && value.every((each) => spec.multiCategoryOptions?.includes(each))
        ? value
        : undefined
    default:
      return undefined
  }
}

/** "" empties a text, an empty list a multiple choice; the description has no null. */
export const clears = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0)

/** The value types that the API's description has at all. */
export const isWireValue = (value: unknown): boolean =>
  typeof value === "string" ||
  typeof value === "number" ||
  typeof value === "boolean" ||
  (Array.isArray(value) && value.every((each) => typeof each === "string"))

/** The body of POST /contacts/attributes/{category}/{name}. */
export const specOf = (category: string, name: string, body: unknown): AttributeSpec | undefined => {
  if (!isObject(body) || !/^[A-Z][A-Z0-9_-]*$/i.test(name)) return undefined
  const upper = name.toUpperCase()
  const options = body.multiCategoryOptions
  if (category === "category" && Array.isArray(body.enumeration)) {
    const enumeration = body.enumeration.filter(isOption)
    return { name: upper, category, enumeration }
  }
  const { type } = body
  if (category !== "normal" || !isType(type)) return undefined
  return {
    name: upper,
    category,
    type,
    ...(Array.isArray(options) ? { multiCategoryOptions: options.filter((each) => typeof each === "string") } : {}),
  }
}

const isOption = (value: unknown): value is { readonly value: number; readonly label: string } =>
  isObject(value) && typeof value.value === "number" && typeof value.label === "string"

const types = ["text", "date", "float", "boolean", "multiple-choice"] as const
const isType = (value: unknown): value is (typeof types)[number] => types.some((type) => type === value)
