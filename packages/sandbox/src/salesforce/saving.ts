/** The ways from a request to `save`: what its rows are and which object and key they go by. */
import { isObject, type JsonObject, own } from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import { emptyDraft, readRecord, untyped } from "./draft.ts"
import { rowError } from "./errors.ts"
import type { Org } from "./org.ts"
import type { RowsFault } from "./save.ts"
import type { Place, Table } from "./table.ts"
import type { Write } from "./target.ts"
import { checkValue } from "./values.ts"

export const rowsFault = (fault: FaultKind | undefined): RowsFault | undefined =>
  fault?.kind === "rows" ? fault : undefined

/** Whether a field can be the key of an upsert. */
export const keyOf = (table: Table, name: string): Place | undefined => {
  const found = table.find(name)
  return found !== undefined && (found.field.externalId || found.field.idLookup) ? found : undefined
}

/** An upsert whose key stands in the address. */
export const keyedWrite = (org: Org, table: Table, key: Place, value: string, body: JsonObject): Write =>
  upsertWrite(org, table, body, key, value)

/** The type that `attributes` names; a row without it cannot be read. */
export const typeOf = (record: JsonObject): string | undefined => {
  const attributes = own(record, "attributes")
  const type = isObject(attributes) ? own(attributes, "type") : undefined
  return typeof type === "string" ? type : undefined
}

/** A row of sObject Collections. `key`: of an upsert; its value is then among the row's own fields. */
export const collectionWrite = (
  org: Org,
  table: Table,
  operation: "insert" | "update" | "upsert",
  record: JsonObject,
  key?: Place,
): Write => {
  const type = typeOf(record)
  if (type?.toLowerCase() !== table.spec.name.toLowerCase()) {
    const error = rowError("INVALID_TYPE", `sObject type '${type}' is not the type of this call`)
    return { operation, draft: { ...emptyDraft(), errors: [type === undefined ? untyped : error] } }
  }
  if (key === undefined) return { operation, draft: readRecord(org, table, record) }
  const name = Object.keys(record).find((each) => each.toLowerCase() === key.field.name.toLowerCase()) ?? ""
  const { [name]: _, ...rest } = record
  return upsertWrite(org, table, rest, key, own(record, name) ?? null)
}

const upsertWrite = (org: Org, table: Table, record: JsonObject, key: Place, raw: unknown): Write => {
  const draft = readRecord(org, table, record)
  const checked = checkValue(key.field, raw, "json")
  if ("value" in checked) return { operation: "upsert", draft, key: { place: key, value: checked.value } }
  draft.errors.push(checked.error)
  return { operation: "upsert", draft, key: { place: key, value: String(raw) } }
}
