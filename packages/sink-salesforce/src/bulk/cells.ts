/** Rows as Bulk files have them: an empty cell leaves a field as it is, `#N/A` clears it. Pure. */
import type { Json, JsonObject } from "effect/Schema"
import { type Column, isNamedElsewhere, toWire } from "../describe/columns.ts"
import type { Aim } from "../write/aim.ts"

const NULL = "#N/A"

/** Salesforce takes records below 400,000 characters. */
const LONGEST_RECORD = 390_000

/** The header is the mapping's, not the first row's (salesforce trap 6): a row that lacks a field has an empty cell. */
export const headerOf = (columns: ReadonlyArray<Column>, isByKey: boolean): ReadonlyArray<string> => [
  ...(isByKey ? [] : ["Id"]),
  ...columns.filter(({ name }) => name !== "Id").map(({ name }) => name),
]

/** "" is no value to Salesforce, and an empty cell would leave the old one (salesforce trap 8). */
const cell = (column: Column, value: Json): string => {
  const wire = toWire(column, value)
  return wire === null || wire === "" ? NULL : typeof wire === "object" ? JSON.stringify(wire) : String(wire)
}

/** Cells by column; absent ones stay empty (salesforce trap 7). */
export const cellsOf = ({ row, id }: Aim, columns: ReadonlyArray<Column>): Readonly<Record<string, string>> => {
  const cells: Array<readonly [string, string]> = id === undefined ? [] : [["Id", id]]
  for (const column of columns) {
    const value = Object.hasOwn(row.fields, column.name) ? row.fields[column.name] : undefined
    if (value === undefined || column.name === "Id") continue
    if (value === null && isNamedElsewhere(row, column, columns)) continue
    cells.push([column.name, cell(column, value)])
  }
  return Object.fromEntries(cells)
}

const textLength = (fields: JsonObject): number =>
  Object.values(fields).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 16), 0)

/**
 * A file cannot say the text `#N/A` (salesforce trap 9), nor NUL, and a parent that is cleared is safer said by its id's
 * field: such rows are written by Collections.
 */
export const canCarry = ({ row, dropped }: Aim, columns: ReadonlyArray<Column>): boolean => {
  if (dropped.length > 0 || textLength(row.fields) > LONGEST_RECORD) return false
  return columns.every(({ name, parent }) => {
    const value = Object.hasOwn(row.fields, name) ? row.fields[name] : undefined
    if (value === null) return parent === undefined
    const texts = Array.isArray(value) ? value : [value]
    return texts.every((each) => typeof each !== "string" || (each !== NULL && !each.includes("\0")))
  })
}
