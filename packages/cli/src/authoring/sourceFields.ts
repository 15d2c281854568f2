/** The fields of a stream that a mapping can read: those its schema describes, and those that records were seen to have. */
import { draft, keysOfNode, type StreamSpec } from "@sluice/core"
import type { Json, JsonObject } from "effect/Schema"
import { bare, meaningOf, wordsOf } from "./names.ts"

export type SourceType = "text" | "time" | "number" | "integer" | "boolean" | "list" | "json" | "unknown"

export interface SourceField {
  /** As a mapping reads it: `user_metadata.company`. */
  readonly path: string
  readonly type: SourceType
  /** How many of the records looked at have it; undefined where none were looked at. */
  readonly seen: number | undefined
  /** Every record has it. */
  readonly always: boolean
}

const TYPES: ReadonlyMap<string, SourceType> = new Map<string, SourceType>([
  ["text", "text"],
  ["number", "number"],
  ["whole number", "integer"],
  ["true or false", "boolean"],
  ["map", "json"],
])

/** Of the schema alone. */
export const describedFields = (spec: StreamSpec): ReadonlyArray<SourceField> =>
  keysOfNode(draft(spec.record)).map(({ name, type, required }) => {
    const known = type.startsWith("list") ? "list" : (TYPES.get(type) ?? "unknown")
    return {
      path: name,
      type: known === "text" && namesTime(name) ? "time" : known,
      seen: undefined,
      always: required,
    }
  })

const TIMES = new Set(["created", "updated", "last_login", "birthdate"])

const namesTime = (name: string): boolean => {
  const words = wordsOf(name)
  return TIMES.has(meaningOf(name) ?? "") || ["at", "date", "time"].includes(words.at(-1) ?? "")
}

/** Of the schema and of records: what stands in maps, such as `user_metadata`, no schema says. */
export const seenFields = (spec: StreamSpec, records: ReadonlyArray<JsonObject>): ReadonlyArray<SourceField> => {
  const seen = new Map<string, Array<Json>>()
  for (const record of records) {
    for (const [path, value] of leaves(record)) {
      const values = seen.get(path) ?? []
      values.push(value)
      seen.set(path, values)
    }
  }
  const described = describedFields(spec).map((field) => {
    const values = seen.get(field.path) ?? []
    return { ...field, seen: values.length, type: values.length === 0 ? field.type : typeOfAll(values) }
  })
  const known = new Set(described.map(({ path }) => path))
  const found = [...seen].flatMap(
    ([path, values]): ReadonlyArray<SourceField> =>
      known.has(path) ? [] : [{ path, type: typeOfAll(values), seen: values.length, always: false }],
  )
  return [...described, ...found]
}

/** Names that stand in an expression as they are; a map keyed by e-mail addresses is nobody's fields. */
const NAME = /^[A-Za-z_]\w{0,59}$/

/** The values of a record and of the maps in it, one level down, that are there. */
const leaves = (record: JsonObject): ReadonlyArray<readonly [path: string, value: Json]> =>
  Object.entries(record).flatMap(([name, value]): ReadonlyArray<readonly [string, Json]> => {
    if (!NAME.test(name) || value === null || value === undefined) return []
    if (!isMap(value)) return [[name, value]]
    const inner = Object.entries(value).flatMap(
      ([key, each]): ReadonlyArray<readonly [string, Json]> =>
        NAME.test(key) && each !== null && each !== undefined ? [[`${name}.${key}`, each]] : [],
    )
    return [[name, value], ...inner]
  })

const isMap = (value: Json): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)

const typeOfAll = (values: ReadonlyArray<Json>): SourceType => {
  const types = new Set(values.map(typeOfValue))
  if (types.size === 2 && types.has("integer") && types.has("number")) return "number"
  if (types.size === 2 && types.has("text") && types.has("time")) return "text"
  const [only = "unknown", ...others] = types
  return others.length === 0 ? only : "unknown"
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

const typeOfValue = (value: Json): SourceType => {
  if (Array.isArray(value)) return "list"
  if (typeof value === "string") return ISO_TIME.test(value) ? "time" : "text"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return typeof value === "boolean" ? "boolean" : "json"
}

/** What names a record: the field that is always there and is called so, else the first that is. */
export const idField = (fields: ReadonlyArray<SourceField>): SourceField | undefined => {
  const certain = fields.filter(({ always }) => always)
  const named = (field: SourceField) => bare(field.path) === "id" || meaningOf(field.path) === "id"
  return certain.find(named) ?? certain[0] ?? fields.find(named) ?? fields[0]
}
