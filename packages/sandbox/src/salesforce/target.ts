/** Which record a row is about: a new one, the one with its id, or the one with its external id. */

import type { Draft } from "./draft.ts"
import { type RowError, rowError } from "./errors.ts"
import type { Value } from "./fields.ts"
import type { Org } from "./org.ts"
import type { Place, Row, Table } from "./table.ts"

export type Operation = "insert" | "update" | "upsert" | "delete"

/** A row to write. `key`: of an upsert, the field and the value it goes by. */
export interface Write {
  readonly operation: Operation
  readonly draft: Draft
  readonly key?: { readonly place: Place; readonly value: Value }
}

export interface Known {
  readonly number: number
  readonly row: Row
}

export type Target = { readonly known: Known | undefined } | { readonly error: RowError }

const missing = (message: string): Target => ({ error: rowError("MISSING_ARGUMENT", message) })

const byId = (org: Org, table: Table, id: string | undefined, operation: Operation): Target => {
  if (id === undefined || id === "") return missing(`Id not specified in an ${operation} call`)
  const found = org.record(id)
  if (found._tag === "Malformed") return { error: rowError("MALFORMED_ID", `bad id ${id}`, ["Id"]) }
  if (found._tag === "Deleted") return { error: rowError("ENTITY_IS_DELETED", "entity is deleted") }
  if (found._tag !== "Found" || found.table !== table)
    return { error: rowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") }
  return { known: found }
}

const byKey = (table: Table, { place, field }: Place, value: string): Target => {
  const numbers = table.lookUp(place, value) ?? []
  if (numbers.length > 1) {
    const ids = numbers.map((number) => table.idOf(number)).join(", ")
    const message = `${field.label}: more than one record found for external id field: [${ids}]`
    return { error: rowError("DUPLICATE_EXTERNAL_ID", message, [field.name]) }
  }
  const [number] = numbers
  const row = number === undefined ? undefined : table.read(number)
  return { known: number === undefined || row === undefined ? undefined : { number, row } }
}

export const targetOf = (org: Org, table: Table, write: Write): Target => {
  const { operation, draft, key } = write
  if (operation === "insert")
    return draft.id === undefined || draft.id === ""
      ? { known: undefined }
      : { error: rowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"]) }
  if (key === undefined) return byId(org, table, draft.id, operation)
  // By the Id itself: none makes a record, whatever the documents say.
  if (key.place.field.type === "id")
    return key.value === null ? { known: undefined } : byId(org, table, String(key.value), operation)
  if (key.value === null) return missing(`${key.place.field.name} not specified`)
  return byKey(table, key.place, String(key.value))
}

/** Keys that more than one row of a call has, as they are compared. */
export const repeatedKeys = (writes: ReadonlyArray<Write>): ReadonlySet<string> => {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const write of writes) {
    const key = comparedKey(write)
    if (key === undefined) continue
    if (seen.has(key)) repeated.add(key)
    seen.add(key)
  }
  return repeated
}

export const comparedKey = ({ key }: Write): string | undefined => {
  if (key === undefined || key.value === null) return undefined
  const text = String(key.value)
  return key.place.field.caseSensitive ? text : text.toLowerCase()
}
