/** WHERE and ORDER BY over the rows of a table, by an index where one helps. */
import { Unmodelled } from "../exchange.ts"
import type { FieldSpec } from "./fields.ts"
import { parseId } from "./ids.ts"
import type { Org } from "./org.ts"
import { type Path, pathOf } from "./paths.ts"
import type { Condition, Literal, Operator, Order } from "./soql.ts"
import { SoqlError } from "./soqlTokens.ts"
import type { Row, Table } from "./table.ts"
import { instantOf } from "./values.ts"

type Test = (row: Row) => boolean
type Comparable = string | number | boolean | null

const numeric = new Set(["int", "double", "currency", "percent"])

const mismatch = (field: FieldSpec, wanted: string): never => {
  throw new SoqlError("INVALID_FIELD", `value of filter criterion for field '${field.name}' must be of type ${wanted}`)
}

/** A literal as values of the field are compared. */
const comparableOf = (field: FieldSpec, literal: Literal): Comparable => {
  if (literal.kind === "null") return null
  if (field.type === "boolean") return literal.kind === "boolean" ? literal.truth : mismatch(field, "boolean")
  if (numeric.has(field.type)) return literal.kind === "number" ? literal.number : mismatch(field, field.type)
  if (field.type === "date") return literal.kind === "date" ? literal.text : mismatch(field, "date")
  if (field.type === "datetime") {
    const instant = literal.kind === "datetime" ? instantOf(literal.text) : undefined
    return instant ?? mismatch(field, "dateTime")
  }
  if (literal.kind !== "string") return mismatch(field, "string and should be enclosed in quotes")
  if (field.type === "id" || field.type === "reference") return comparableId(field, literal.text)
  return fold(field, literal.text)
}

/** One malformed id fails the query. */
const comparableId = (field: FieldSpec, text: string): Comparable => {
  if (text !== "" && parseId(text) === undefined)
    throw new SoqlError("INVALID_QUERY_FILTER_OPERATOR", `invalid ID field: ${text} (${field.name})`)
  return text.slice(0, 15)
}

/** Only fields that are unique with their case are compared with it. */
const fold = (field: FieldSpec, text: string): string => (field.caseSensitive ? text : text.toLowerCase())

const comparable = (field: FieldSpec, value: unknown): Comparable => {
  if (typeof value === "number" || typeof value === "boolean") return value
  if (typeof value !== "string") return null
  return field.type === "id" || field.type === "reference" ? value.slice(0, 15) : fold(field, value)
}

/** `%` any letters, `_` one; escaped they are themselves. */
const likeOf = (pattern: string): RegExp => {
  const source = pattern.replace(/\\[%_]|[%_]|[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === "%" ? "[\\s\\S]*" : sign === "_" ? "[\\s\\S]" : `\\${sign.replace("\\%", "%").replace("\\_", "_")}`,
  )
  return new RegExp(`^${source}$`, "i")
}

const compare = (operator: Operator, path: Path, literals: ReadonlyArray<Literal>): Test => {
  const { field, read } = path
  const [first] = literals
  if (operator === "LIKE") {
    if (first?.kind !== "string") return mismatch(field, "string and should be enclosed in quotes")
    const pattern = likeOf(first.text)
    return (row) => pattern.test(String(read(row) ?? ""))
  }
  const values = literals.map((literal) => comparableOf(field, literal))
  const set = new Set(values)
  const value = values[0] ?? null
  const seen = (row: Row) => comparable(field, read(row))
  switch (operator) {
    case "=":
    case "IN":
      return (row) => set.has(seen(row))
    case "!=":
    case "NOT IN":
      return (row) => !set.has(seen(row))
    default:
      return (row) => ordered(operator, seen(row), value)
  }
}

const ordered = (operator: "<" | "<=" | ">" | ">=", left: Comparable, right: Comparable): boolean => {
  if (left === null || right === null) return false
  if (operator === "<") return left < right
  if (operator === "<=") return left <= right
  return operator === ">" ? left > right : left >= right
}

export const testOf = (org: Org, table: Table, condition: Condition): Test => {
  if (condition.kind === "not") {
    const test = testOf(org, table, condition.part)
    return (row) => !test(row)
  }
  if (condition.kind === "compare") {
    const path = pathOf(org, table, condition.field)
    if (path.field.type === "textarea" && path.field.length > 255)
      throw new SoqlError("INVALID_FIELD", `field '${path.field.name}' can not be filtered in a query call`)
    if (path.field.type === "address" || path.field.type === "multipicklist")
      throw new Unmodelled(`a condition on ${path.field.name}`)
    return compare(condition.operator, path, condition.values)
  }
  const tests = condition.parts.map((part) => testOf(org, table, part))
  return condition.kind === "and" ? (row) => tests.every((test) => test(row)) : (row) => tests.some((test) => test(row))
}

/** The records that can match at all, if an id or an indexed field says so. */
export const candidatesOf = (
  org: Org,
  table: Table,
  condition: Condition | undefined,
): ReadonlyArray<number> | undefined => {
  if (condition?.kind === "and") {
    for (const part of condition.parts) {
      const found = candidatesOf(org, table, part)
      if (found !== undefined) return found
    }
  }
  if (condition?.kind !== "compare" || (condition.operator !== "=" && condition.operator !== "IN")) return undefined
  const { field, place } = pathOf(org, table, condition.field)
  if (place === undefined) return undefined
  const numbers = new Set<number>()
  for (const literal of condition.values) {
    if (literal.kind !== "string") return undefined
    const found = field.type === "id" ? numbersOf(table, literal.text) : table.lookUp(place, literal.text)
    if (found === undefined) return undefined
    for (const number of found) numbers.add(number)
  }
  return [...numbers].sort((a, b) => a - b)
}

const numbersOf = (table: Table, id: string): ReadonlyArray<number> => {
  const parsed = parseId(id)
  return parsed?.number === undefined || parsed.prefix !== table.spec.prefix ? [] : [parsed.number]
}

export const compareBy = (org: Org, table: Table, orders: ReadonlyArray<Order>): ((a: Row, b: Row) => number) => {
  const keys = orders.map(({ field, descending, nullsLast }) => ({
    path: pathOf(org, table, field),
    sign: descending ? -1 : 1,
    nulls: nullsLast ? 1 : -1,
  }))
  return (a, b) => {
    for (const { path, sign, nulls } of keys) {
      const [left, right] = [comparable(path.field, path.read(a)), comparable(path.field, path.read(b))]
      if (left === right) continue
      if (left === null) return nulls
      if (right === null) return -nulls
      return left < right ? -sign : sign
    }
    return 0
  }
}
