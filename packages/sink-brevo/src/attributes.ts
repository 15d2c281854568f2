/** Contact attributes: the account's live list, what values each takes on the wire, and how to read them back. */
import type { Field } from "@sluice/core"
import type { Json } from "effect/Schema"
import type { AttributeAnswer } from "./shapes.ts"

/** The vendor's type of an attribute that a contact can be given. */
export type Kind = "text" | "date" | "float" | "boolean" | "category" | "multiple-choice"

export interface Attribute {
  readonly name: string
  readonly kind: Kind
  readonly writable: boolean
  /** Category only: label → what is sent. */
  readonly labels: ReadonlyMap<string, string | number>
  /** Multiple choice only. */
  readonly choices: ReadonlyArray<string>
}

/** Attributes that hold a phone number and identify a contact, with Brevo's name for that. */
export const phoneTypes = new Map([
  ["SMS", "phone_id"],
  ["WHATSAPP", "whatsapp_id"],
  ["LANDLINE_NUMBER", "landline_number_id"],
] as const)
export const phoneNames: ReadonlySet<string> = new Set(phoneTypes.keys())
export const isPhone = (field: string): boolean => phoneNames.has(field)

/** Country code first, written `33…`, `+33…` or `0033…`, as Brevo takes it. */
export const looksLikePhone = (value: Json): boolean =>
  typeof value === "string" && /^(?:\+|00)?[1-9]\d{5,14}$/.test(value)

/** The number as Brevo keeps it. */
export const phoneDigits = (value: string): string => value.replace(/^(?:\+|00)/, "")
const digits = (value: Json): Json => (typeof value === "string" ? phoneDigits(value) : value)

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["text", "text"],
  ["date", "date"],
  ["float", "float"],
  ["boolean", "boolean"],
  ["multiple-choice", "multiple-choice"],
])

const noLabels: ReadonlyMap<string, string | number> = new Map()

const toAttribute = (answer: AttributeAnswer): Attribute => {
  const kind = answer.category === "category" ? "category" : kinds.get(answer.type ?? "")
  return {
    name: answer.name,
    kind: kind ?? "text",
    // Transactional, calculated and global ones are Brevo's own or belong to orders.
    writable: kind !== undefined && (answer.category === "normal" || answer.category === "category"),
    labels:
      answer.enumeration == null
        ? noLabels
        : // `value` is 0 for an option whose value is no number: `valueStr` has it.
          new Map(
            answer.enumeration.map(({ value, label, valueStr }) => [
              label,
              valueStr === undefined || valueStr === String(value) ? value : valueStr,
            ]),
          ),
    choices: answer.multiCategoryOptions ?? [],
  }
}

/** An attribute that is still to be made. */
export const declared = (name: string, kind: Kind): Attribute => ({
  name,
  kind,
  writable: true,
  labels: noLabels,
  choices: [],
})

/** By exact name: names are upper case and, for the default ones, in the account's language. */
export const readAttributes = (answers: ReadonlyArray<AttributeAnswer>): ReadonlyMap<string, Attribute> => {
  const found = new Map<string, Attribute>()
  for (const answer of answers) {
    // Set by `email` and `ext_id`: as attributes of a new contact they make Brevo report a conflict with itself.
    if (answer.name === "EMAIL" || answer.name === "EXT_ID") continue
    const attribute = toAttribute(answer)
    if (!(found.get(attribute.name)?.writable ?? false)) found.set(attribute.name, attribute)
  }
  // Every account has it, listed or not.
  if (!found.has("SMS")) {
    found.set("SMS", declared("SMS", "text"))
  }
  return found
}

const types = {
  text: "text",
  category: "text",
  date: "date",
  float: "number",
  boolean: "boolean",
  "multiple-choice": "list",
} as const

export const toField = (attribute: Attribute): Field => {
  const { name, kind, writable } = attribute
  const options =
    kind === "category"
      ? [...new Set([...attribute.labels].flatMap(([label, value]) => [label, String(value)]))]
      : attribute.choices
  return {
    name,
    type: types[kind],
    writable,
    ...(options.length > 0 ? { options } : {}),
    ...(isPhone(name) ? { key: true } : {}),
  }
}

/** Fields of a row that are no attributes. */
export const ownFields: ReadonlyArray<Field> = [
  { name: "ext_id", type: "text", writable: true, key: true },
  { name: "email", type: "text", max: 254, format: "email", writable: true, key: true },
  { name: "listIds", type: "list", writable: true },
  { name: "emailBlacklisted", type: "boolean", writable: true },
  { name: "smsBlacklisted", type: "boolean", writable: true },
]
const ownNames: ReadonlySet<string> = new Set(ownFields.map(({ name }) => name))
export const isOwnField = (field: string): boolean => ownNames.has(field)

const isDate = (value: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const time = Date.parse(`${value}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value)
}

/**
 * The value to send, or undefined where the attribute does not take it: Brevo ignores a value of the wrong type and
 * answers with success all the same. Null clears: "" is what production code sends for every type, no choices for a
 * multiple choice; Brevo's description has no null.
 */
export const toWire = (attribute: Attribute, value: Json): Json | undefined => {
  if (value === null) return attribute.kind === "multiple-choice" ? [] : ""
  switch (attribute.kind) {
    case "text":
      return typeof value === "string" ? value : undefined
    case "date":
      return typeof value === "string" && isDate(value) ? value : undefined
    case "float":
      return typeof value === "number" ? value : undefined
    case "boolean":
      return typeof value === "boolean" ? value : undefined
    case "category": {
      const sent = typeof value === "string" ? attribute.labels.get(value) : undefined
      return sent ?? [...attribute.labels.values()].find((each) => String(each) === String(value))
    }
    case "multiple-choice":
      return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : undefined
  }
}

/** What Brevo takes for no value. */
export const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** What Brevo holds, in the form of a row's field; undefined where it holds nothing. */
export const fromWire = (attribute: Attribute, value: Json | undefined): Json | undefined => {
  if (value === undefined || isEmpty(value)) return undefined
  if (attribute.kind === "date" && typeof value === "string") return value.slice(0, 10)
  if (attribute.kind === "category") {
    return (
      [...attribute.labels].find(([label, sent]) => label === value || String(sent) === String(value))?.[0] ?? value
    )
  }
  return isPhone(attribute.name) ? `+${String(digits(value))}` : value
}

/** Whether Brevo holds what would be sent. */
export const holds = (attribute: Attribute, held: Json | undefined, sent: Json): boolean => {
  const before = fromWire(attribute, held)
  const after = fromWire(attribute, sent)
  return Array.isArray(before) && Array.isArray(after)
    ? [...before].sort().join("\n") === [...after].sort().join("\n")
    : before === after
}
