/** Holds rows and mappings against the fields of a destination, before any call. */
import type { Json, JsonObject } from "effect/Schema"
import { nearest } from "../config/suggest.ts"
import type { Field } from "../plugin/sink.ts"
import type { As, MappingProblem } from "./entry.ts"
import { typeName } from "./fault.ts"
import type { Makes, Mapping } from "./mapping.ts"
import { isList } from "./path.ts"
import { isDay, parseTime } from "./time.ts"

/** Names fields and types, never a value. */
export interface FieldIssue {
  readonly field: string
  readonly code: string
  readonly message: string
}

export type RowValidator = (row: JsonObject) => ReadonlyArray<FieldIssue>

/** Why the destination would refuse a row. For many rows, make one `rowValidator`. */
export const validateRow = (fields: ReadonlyArray<Field>, row: JsonObject, key?: string): ReadonlyArray<FieldIssue> =>
  rowValidator(fields, key)(row)

/** `key`: the field rows are matched by; it may be there although it cannot be written. */
export function rowValidator(fields: ReadonlyArray<Field>, key?: string): RowValidator {
  const known = new Map(fields.map((field) => [field.name, field]))
  const required = fields.filter((field) => field.required === true).map((field) => field.name)
  return (row) => {
    const issues: Array<FieldIssue> = []
    for (const name of Object.keys(row)) {
      const value = row[name]
      const wrong = value === undefined ? undefined : valueIssue(known.get(name), value, name === key)
      if (wrong !== undefined) issues.push({ field: name, code: wrong.code, message: `${name} ${wrong.message}` })
    }
    for (const name of required) {
      if (Object.hasOwn(row, name) && row[name] !== null) continue
      const message = `${name} is required and has no value; a \`default\` gives it one`
      issues.push({ field: name, code: "required_field", message })
    }
    return issues
  }
}

interface Wrong {
  readonly code: string
  readonly message: string
}

function valueIssue(field: Field | undefined, value: Json, isKey: boolean): Wrong | undefined {
  if (field === undefined) return { code: "unknown_field", message: "is no field of the destination" }
  if (!field.writable && !isKey) return { code: "read_only_field", message: "cannot be written; leave it out" }
  if (value === null) return notClearable(field)
  if (!hasType(field.type, value)) {
    const message = `is ${typeName(value)}, not ${wanted[field.type]}; \`as: ${field.type}\` may help`
    return { code: "wrong_type", message }
  }
  return tooLong(field, value) ?? malformed(field, value) ?? outOfRange(field, value) ?? notAnOption(field, value)
}

const wanted: { readonly [type in Field["type"]]: string } = {
  text: "text",
  number: "a number",
  integer: "an integer below 2^53",
  boolean: "a boolean",
  date: "a date as 2024-02-29",
  datetime: "a time as 2024-02-29T12:00:00Z",
  list: "a list",
  json: "JSON",
}

function hasType(type: Field["type"], value: Json): boolean {
  switch (type) {
    case "text":
      return typeof value === "string"
    case "number":
      return typeof value === "number"
    case "integer":
      return Number.isSafeInteger(value)
    case "boolean":
      return typeof value === "boolean"
    case "date":
      return typeof value === "string" && isDay(value)
    case "datetime":
      return typeof value === "string" && value.length > 10 && typeof parseTime(value) === "number"
    case "list":
      return isList(value)
    case "json":
      return true
  }
}

/** A required field that is null is told as such. */
function notClearable({ nullable, required }: Field): Wrong | undefined {
  return nullable === false && required !== true
    ? { code: "not_clearable", message: "cannot be without a value; give it a `default`, or leave it out" }
    : undefined
}

/** Characters are code points: an emoji counts once. */
function tooLong({ max }: Field, value: Json): Wrong | undefined {
  if (max === undefined || typeof value !== "string" || value.length <= max) return undefined
  const length = Array.from(value).length
  return length > max
    ? { code: "too_long", message: `has ${length} characters, at most ${max} fit: \`$substring(…, 0, ${max})\`` }
    : undefined
}

/**
 * Strict enough for what no destination takes, and for no more: each has rules of its own, and says of the row what it
 * does not take. Quotes hold any character (RFC 5321).
 */
const email = /^(?:"(?:[^"\\]|\\.)+"|[^\s@,;<>]+)@[^\s@.,;<>]+(?:\.[^\s@.,;<>]+)+$/

function malformed({ format }: Field, value: Json): Wrong | undefined {
  return format !== "email" || typeof value !== "string" || value === "" || email.test(value)
    ? undefined
    : { code: "bad_email", message: "is no e-mail address; correct it, or leave it out" }
}

function outOfRange({ digits }: Field, value: Json): Wrong | undefined {
  if (digits === undefined || typeof value !== "number" || Math.abs(value) < 10 ** digits) return undefined
  const message = `has more than the ${digits} digits that fit before the point; correct it, or leave it out`
  return { code: "out_of_range", message }
}

function notAnOption({ options, loose = false }: Field, value: Json): Wrong | undefined {
  if (options === undefined || (loose && value === "")) return undefined
  const items: ReadonlyArray<Json> = isList(value) ? value : [value]
  const isOne = (item: string) => options.includes(item) || (loose && includesLoosely(options, item))
  return items.every((item) => typeof item === "object" || isOne(String(item)))
    ? undefined
    : { code: "not_an_option", message: `is none of the ${options.length} values it takes: ${someOf(options)}` }
}

function includesLoosely(options: ReadonlyArray<string>, item: string): boolean {
  const folded = item.toLowerCase()
  return options.some((option) => option.toLowerCase() === folded)
}

/** For messages: the first few of a list. */
export const someOf = (options: ReadonlyArray<string>): string =>
  options.length > 5 ? `${options.slice(0, 5).join(", ")} and ${options.length - 5} more` : options.join(", ")

/** What is wrong with a mapping for these fields. Paths are below the route. */
export function checkMapping(fields: ReadonlyArray<Field>, mapping: Mapping): ReadonlyArray<MappingProblem> {
  const known = new Map(fields.map((field) => [field.name, field]))
  const mapped = new Set(mapping.fields.map(({ field }) => field))
  const problems = mapping.fields.flatMap(({ field }) => [
    ...destination(field, known, field === mapping.key),
    ...misfits(known.get(field), mapping.makes.get(field)),
  ])
  for (const { name, required, writable } of fields) {
    if (required !== true || !writable || mapped.has(name)) continue
    problems.push({ path: ["map"], code: "required_field", message: `${name} is required; map it` })
  }
  return [...problems, ...unusableKey(fields, mapping.key)]
}

/** The types that `as` may make; text may hold a date, and a number be an integer. */
const made: { readonly [as in As]: ReadonlyArray<Field["type"]> } = {
  text: ["text", "date", "datetime"],
  number: ["number", "integer"],
  integer: ["number", "integer"],
  boolean: ["boolean"],
  date: ["text", "date"],
  datetime: ["text", "datetime"],
  list: ["list"],
  json: ["text", "number", "integer", "boolean", "date", "datetime", "list"],
}

/** Literals and types that the field would refuse in every row. */
function misfits(field: Field | undefined, makes: Makes | undefined): ReadonlyArray<MappingProblem> {
  if (field === undefined || makes === undefined) return []
  const { name, type } = field
  const literals = (["value", "default"] as const).flatMap((key): ReadonlyArray<MappingProblem> => {
    const literal = makes[key]
    const wrong = literal === undefined || !field.writable ? undefined : valueIssue(field, literal, false)
    return wrong === undefined
      ? []
      : [{ path: ["map", name, key], code: wrong.code, message: `${name} ${wrong.message}` }]
  })
  const { as } = makes
  if (literals.length > 0 || as === undefined || type === "json" || made[as].includes(type)) return literals
  const message = `${name} takes ${wanted[type]}, and \`as: ${as}\` makes none`
  return [{ path: ["map", name, "as"], code: "wrong_type", message }]
}

function destination(name: string, known: ReadonlyMap<string, Field>, isKey: boolean): ReadonlyArray<MappingProblem> {
  const path = ["map", name]
  const field = known.get(name)
  if (field !== undefined) {
    if (field.writable || isKey) return []
    return [{ path, code: "read_only_field", message: `${name} cannot be written; leave it out` }]
  }
  const near = nearest(name, known.keys())
  const suggestion = near === undefined ? {} : { suggestion: near }
  return near !== undefined && near.toLowerCase() === name.toLowerCase()
    ? [{ path, code: "wrong_case", message: `${name} is written otherwise at the destination`, ...suggestion }]
    : [
        {
          path,
          code: "unknown_field",
          message: `${name} is no field of the destination${near === undefined ? "; correct the name, or add the field there" : ""}`,
          ...suggestion,
        },
      ]
}

function unusableKey(fields: ReadonlyArray<Field>, key: string): ReadonlyArray<MappingProblem> {
  const keys = fields.filter((field) => field.key === true).map(({ name }) => name)
  const exists = fields.some(({ name }) => name === key)
  if (!exists || keys.length === 0 || keys.includes(key)) return []
  const message = `rows cannot be matched by ${key}; they can by ${keys.join(", ")}`
  const near = nearest(key, keys) ?? keys[0]
  return [{ path: ["key"], code: "not_a_key", message, ...(near === undefined ? {} : { suggestion: near }) }]
}
