/** Values that fit a field of a live schema, and values that do not. */
import type { Json, JsonObject } from "effect/Schema"
import type { Field } from "../plugin/sink.ts"

/** One right value for each field. */
export const fillings = (fields: ReadonlyArray<Field>): JsonObject =>
  Object.fromEntries(fields.map((field) => [field.name, fitting(field)]))

const fitting = ({ type, options }: Field): Json => {
  const [option] = options ?? []
  switch (type) {
    case "text":
      return option ?? "fits"
    case "number":
      return 1.5
    case "integer":
      return 7
    case "boolean":
      return false
    case "date":
      return "2026-01-02"
    case "datetime":
      return "2026-01-02T03:04:05Z"
    case "list":
      return option === undefined ? ["one"] : [option]
    case "json":
      return { a: [1] }
  }
}

export interface Violation {
  readonly field: string
  readonly value: Json
}

/** What breaks a field's type, its length or its list of values; none for a text that takes any. */
export const violations = ({ name, type, max, options }: Field): ReadonlyArray<Violation> => {
  const values: Array<Json> = []
  if (type === "number" || type === "integer" || type === "boolean") values.push("not one", { a: 1 })
  if (type === "integer") values.push(1.5)
  if (type === "date" || type === "datetime") values.push("2026-02-30", "tomorrow")
  if (type === "text") values.push({ a: 1 })
  if (max !== undefined) values.push("x".repeat(max + 1))
  if (options !== undefined && options.length > 0) {
    values.push(type === "list" ? ["none of the options"] : "none of the options")
  }
  return values.map((value) => ({ field: name, value }))
}
