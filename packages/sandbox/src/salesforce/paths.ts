/** Field paths of a query, `Email` or `Account.Owner.Name`, found once and then read from row after row. */
import { Unmodelled } from "../exchange.ts"
import { relationshipOf } from "./draft.ts"
import type { FieldSpec, Value } from "./fields.ts"
import { cellOf, isUserId, type Org } from "./org.ts"
import { SoqlError } from "./soqlTokens.ts"
import type { Row, Table } from "./table.ts"

export interface Path {
  /** Of the last part; `place` is its place if the path has one part only. */
  readonly field: FieldSpec
  readonly place: number | undefined
  readonly read: (row: Row) => unknown
  /** Names as the object spells them. */
  readonly names: ReadonlyArray<string>
  /** The objects on the way. */
  readonly types: ReadonlyArray<string>
}

const noField = (name: string, table: Table): never => {
  throw new SoqlError(
    "INVALID_FIELD",
    `No such column '${name}' on entity '${table.spec.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
  )
}

export const pathOf = (org: Org, table: Table, path: string): Path => {
  const parts = path.split(".")
  // `Contact.Email FROM Contact` is the object's own field.
  if (parts.length > 1 && parts[0]?.toLowerCase() === table.spec.name.toLowerCase()) parts.shift()
  return follow(org, table, parts)
}

const follow = (org: Org, table: Table, [name = "", ...rest]: ReadonlyArray<string>): Path => {
  if (rest.length === 0) {
    const found = table.find(name)
    if (found === undefined) return noField(name, table)
    const { field, place } = found
    return { field, place, names: [field.name], types: [], read: (row) => cellOf(table, row, field.name) }
  }
  const reference = relationshipOf(table, name)
  if (reference === undefined) return noField(name, table)
  const { referenceTo, relationshipName } = reference.field
  const [target] = referenceTo
  const other = target === undefined || referenceTo.length > 1 ? undefined : org.table(target)
  if (other === undefined) throw new Unmodelled(`the relationship ${name} in SOQL`)
  const inner = follow(org, other, rest)
  return {
    field: inner.field,
    place: undefined,
    names: [relationshipName ?? name, ...inner.names],
    types: [other.spec.name, ...inner.types],
    read: (row) => {
      const id: Value = row[reference.place] ?? null
      const found = typeof id === "string" && !isUserId(id) ? org.record(id) : undefined
      return found?._tag === "Found" ? inner.read(found.row) : undefined
    },
  }
}
