/** The header of an uploaded file: what each of its columns writes, or why the job cannot run. */
import { emptyDraft, putForeignKey, putValue, relationshipOf } from "../draft.ts"
import type { Value } from "../fields.ts"
import type { Org } from "../org.ts"
import type { Place, Table } from "../table.ts"
import type { Operation, Write } from "../target.ts"
import { checkValue } from "../values.ts"

type Column =
  | { readonly kind: "id" }
  | { readonly kind: "key"; readonly place: Place }
  | { readonly kind: "field"; readonly place: Place }
  | { readonly kind: "foreign"; readonly reference: Place; readonly target: Table; readonly key: Place }

export type Columns = { readonly columns: ReadonlyArray<Column> } | { readonly error: string }

/** `Account.Auth0_Org_Id__c`, or `Contact:Who.Auth0_Id__c` where a reference may lead to several objects. */
const foreignColumn = (org: Org, table: Table, name: string): Column | undefined => {
  const [, type, relationship = "", field = ""] = /^(?:(\w+):)?(\w+)\.(\w+)$/.exec(name) ?? []
  const reference = relationshipOf(table, relationship)
  if (reference === undefined) return undefined
  const { referenceTo } = reference.field
  const other = type ?? (referenceTo.length === 1 ? referenceTo[0] : undefined)
  const target = other === undefined || !referenceTo.includes(other) ? undefined : org.table(other)
  const key = target?.find(field)
  return target === undefined || key === undefined ? undefined : { kind: "foreign", reference, target, key }
}

const columnOf = (org: Org, table: Table, key: Place | undefined, name: string): Column | undefined => {
  if (name.includes(".")) return foreignColumn(org, table, name)
  const place = table.find(name)
  if (place === undefined) return undefined
  if (place.place === key?.place) return { kind: "key", place }
  return place.field.type === "id" ? { kind: "id" } : { kind: "field", place }
}

export const columnsOf = (
  org: Org,
  table: Table,
  header: ReadonlyArray<string>,
  operation: Operation,
  key: Place | undefined,
): Columns => {
  const columns: Array<Column> = []
  const seen = new Set<string>()
  for (const name of header) {
    const column = columnOf(org, table, key, name)
    if (column === undefined) return { error: `InvalidBatch : Field name not found : ${name}` }
    if (seen.has(name.toLowerCase())) return { error: `InvalidBatch : Duplicate field name in header : ${name}` }
    seen.add(name.toLowerCase())
    columns.push(column)
  }
  const needed = operation === "update" || operation === "delete" ? "id" : operation === "upsert" ? "key" : undefined
  if (needed !== undefined && !columns.some(({ kind }) => kind === needed))
    return { error: `InvalidBatch : Field name not found : ${key?.field.name ?? "Id"}` }
  if (operation === "delete" && columns.length > 1) return { error: "InvalidBatch : A delete takes the Id only" }
  return { columns }
}

/** An empty cell leaves its field alone, `#N/A` empties it. */
export const cellsWrite = (
  org: Org,
  columns: ReadonlyArray<Column>,
  cells: ReadonlyArray<string>,
  operation: Operation,
): Write => {
  const draft = emptyDraft()
  let key: { place: Place; value: Value } | undefined
  for (const [at, column] of columns.entries()) {
    const cell = cells[at] ?? ""
    const raw = cell === "#N/A" ? null : cell
    if (column.kind === "id") draft.id = raw ?? ""
    else if (column.kind === "key") {
      const checked = checkValue(column.place.field, raw, "csv")
      key = { place: column.place, value: "value" in checked ? checked.value : raw }
      if ("error" in checked) draft.errors.push(checked.error)
    } else if (raw === "") continue
    else if (column.kind === "field") putValue(org, draft, column.place, raw, "csv")
    else if (raw === null) draft.values.set(column.reference.place, null)
    else putForeignKey(draft, column.reference, column.target, column.key, raw)
  }
  return key === undefined ? { operation, draft } : { operation, draft, key }
}
