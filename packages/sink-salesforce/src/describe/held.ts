/** A record as a query gives it, in the form of a row. */
import type { Row } from "@sluice/core"
import type { Json, JsonObject } from "effect/Schema"
import type { Column } from "./columns.ts"
import type { SObject } from "./describe.ts"
import { typeOf } from "./fields.ts"

/** `2026-01-02T03:04:05.000+0000`, to the second: Salesforce keeps no more. */
const seconds = (text: string): number => Math.floor(Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) / 1000)

/** As the row spells it, where it is the same moment. */
const moment = (text: string, wanted: Json | undefined): string => {
  const at = seconds(text)
  if (typeof wanted === "string" && seconds(wanted) === at) return wanted
  return Number.isNaN(at) ? text : new Date(at * 1000).toISOString()
}

/** Salesforce keeps addresses in small letters, and of a choice the picklist's own spelling. */
const respelled: ReadonlySet<string> = new Set(["email", "picklist"])

const fromWire = ({ field, parent }: Column, value: Json, wanted: Json | undefined): Json => {
  if (typeof value !== "string" || parent !== undefined) return value
  if (typeOf(field) === "datetime") return moment(value, wanted)
  if (respelled.has(field.type) && typeof wanted === "string" && wanted.toLowerCase() === value.toLowerCase())
    return wanted
  return typeOf(field) === "list" ? value.split(";") : value
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const own = (record: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

const valueIn = (record: JsonObject, { name, parent }: Column): Json | undefined => {
  if (parent === undefined) return own(record, name)
  const related = own(record, parent.relationship)
  return isObject(related) ? own(related, parent.by) : undefined
}

/** What the record holds of the mapped fields. */
export const fieldsOf = (record: JsonObject, columns: ReadonlyArray<Column>, row: Row | undefined): JsonObject =>
  Object.fromEntries(
    columns.flatMap((column) => {
      const value = valueIn(record, column)
      if (value === undefined || value === null) return []
      return [[column.name, fromWire(column, value, row?.fields[column.name])] as const]
    }),
  )

/** What can be asked for; of a parent that may be of several objects a query tells no key. */
export const readable = (columns: ReadonlyArray<Column>, { fields }: SObject): ReadonlyArray<string> =>
  columns.flatMap(({ name, field, parent }) => (parent?.isOneOf !== true && fields.has(field.name) ? [name] : []))
