/** Account types: their fields, and whether a value fits. persona.md §3 */
import { isObject, type JsonObject } from "../exchange.ts"

export interface PersonaField {
  readonly key: string
  readonly type:
    | "string"
    | "boolean"
    | "date"
    | "datetime"
    | "integer"
    | "number"
    | "choices"
    | "multi-choices"
    | "array"
    | "hash"
    | "json"
  readonly required?: boolean
  readonly archived?: boolean
  readonly max?: number
  readonly options?: ReadonlyArray<string>
}

export interface AccountType {
  readonly id: string
  readonly fields: ReadonlyArray<PersonaField>
}

/** What `configs/` maps to. */
export const userType: AccountType = {
  id: "acttp_sandboxUser",
  fields: [
    { key: "company", type: "string" },
    { key: "notes", type: "string", max: 1024 },
    { key: "email_verified", type: "boolean" },
    { key: "phone_verified", type: "boolean" },
    { key: "blocked", type: "boolean" },
    { key: "logins_count", type: "integer" },
    { key: "risk_score", type: "number" },
    { key: "last_login", type: "datetime" },
    { key: "signed_up_on", type: "date" },
    { key: "plan", type: "choices", options: ["free", "pro", "enterprise"] },
    { key: "interests", type: "multi-choices", options: ["events", "news", "offers"] },
    { key: "identities", type: "array" },
    { key: "preferences", type: "hash" },
    { key: "app_metadata", type: "json" },
    { key: "nickname", type: "string", archived: true },
  ],
}

/** The environment's default: no fields of its own. */
export const defaultType: AccountType = { id: "acttp_sandboxDefault", fields: [] }

export const typeAnswer = ({ id, fields }: AccountType, nowText: string) => ({
  data: {
    type: "account-type",
    id,
    attributes: {
      name: id,
      "field-schemas": fields.map(({ key, type, required, archived, max, options }) => ({
        key,
        type,
        label: key,
        "default-value": null,
        config: {
          required: required ?? false,
          "archived-at": archived === true ? nowText : null,
          "deactivated-at": null,
          ...(type === "string" ? { "max-char-length": max ?? 255 } : {}),
          ...(options === undefined ? {} : { options: options.map((value) => ({ label: value, value })) }),
        },
      })),
    },
  },
})

const isDay = (value: unknown) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))
const isTime = (value: unknown) => typeof value === "string" && value.length > 10 && !Number.isNaN(Date.parse(value))

/** What is wrong with a value, if anything. */
export const unfit = (field: PersonaField, value: unknown): string | undefined => {
  const { type, max = 255, options = [] } = field
  if (field.archived === true) return "is archived"
  if (value === null || value === "") return undefined
  switch (type) {
    case "string":
      if (typeof value !== "string") return "must be a string"
      return Array.from(value).length > max ? `is too long (maximum is ${max} characters)` : undefined
    case "choices":
      return typeof value === "string" && options.includes(value) ? undefined : "is not included in the list"
    case "multi-choices":
      return Array.isArray(value) && value.every((item) => options.includes(item))
        ? undefined
        : "is not included in the list"
    case "boolean":
      return typeof value === "boolean" ? undefined : "must be a boolean"
    case "integer":
      return Number.isInteger(value) ? undefined : "must be an integer"
    case "number":
      return typeof value === "number" ? undefined : "must be a number"
    case "date":
      return isDay(value) ? undefined : "must be a date"
    case "datetime":
      return isTime(value) ? undefined : "must be a datetime"
    case "array":
      return Array.isArray(value) ? undefined : "must be an array"
    case "hash":
      return isObject(value) ? undefined : "must be a hash"
    case "json":
      return undefined
  }
}

const kindOf = (value: unknown): string => {
  if (typeof value === "boolean") return "boolean"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return Array.isArray(value) ? "array" : isObject(value) ? "hash" : "string"
}

/** As values are read: with their type around them, at every depth but in JSON. */
export const typed = (type: string, value: unknown): JsonObject => {
  if (type === "array" && Array.isArray(value)) return { type, value: value.map((item) => typed(kindOf(item), item)) }
  if (type === "hash" && isObject(value)) {
    return {
      type,
      value: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typed(kindOf(item), item)])),
    }
  }
  return { type, value }
}
