/** A row as Collections take it. */
import type { DroppedField } from "@sluice/core"
import type { Json, JsonObject } from "effect/Schema"
import { type Column, isNamedElsewhere, toWire } from "../describe/columns.ts"
import type { SObject } from "../describe/describe.ts"
import type { Aim } from "./aim.ts"

/** Of a parent that is cleared, the field that holds its id is. */
const entryOf = (column: Column, value: Json): readonly [string, Json] => {
  const { field, name, parent } = column
  if (parent === undefined) return [name, toWire(column, value)]
  if (value === null) return [field.name, null]
  const attributes = parent.isOneOf ? { attributes: { type: parent.object } } : {}
  return [parent.relationship, { ...attributes, [parent.by]: value }]
}

/**
 * `attributes` come first, or the record is no record (salesforce trap: "must have an attributes field before any other
 * fields"). An absent field leaves what is there, null clears it.
 */
export const toRecord = ({ row, type, id, dropped }: Aim, columns: ReadonlyArray<Column>): JsonObject => {
  const left = new Set(dropped.map(({ field }) => field))
  const entries = columns.flatMap((column): ReadonlyArray<readonly [string, Json]> => {
    const value = Object.hasOwn(row.fields, column.name) ? row.fields[column.name] : undefined
    if (value === undefined || column.name === "Id" || left.has(column.name)) return []
    // Nothing is cleared that another field sets.
    if (value === null && isNamedElsewhere(row, column, columns)) return []
    return [entryOf(column, value)]
  })
  return { attributes: { type }, ...(id === undefined ? {} : { id }), ...Object.fromEntries(entries) }
}

/** What of the row another object than the route's cannot hold. */
export const droppedFor = (
  aim: Pick<Aim, "row">,
  other: SObject,
  columns: ReadonlyArray<Column>,
): Array<DroppedField> =>
  columns.flatMap(({ field, name }) => {
    const there = other.fields.get(field.name)
    if (!Object.hasOwn(aim.row.fields, name) || there?.updateable === true) return []
    return [{ field: name, code: "other_object", message: `${other.name} has no such field that can be written` }]
  })
