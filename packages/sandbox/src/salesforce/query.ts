/** GET /query and /queryAll, page by page. salesforce.md §3.1. */
import { json, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { Route } from "../vendor.ts"
import { candidatesOf, compareBy, testOf } from "./conditions.ts"
import { failure } from "./errors.ts"
import type { Org } from "./org.ts"
import { type Path, pathOf } from "./paths.ts"
import { parseSoql, type Query } from "./soql.ts"
import { SoqlError } from "./soqlTokens.ts"
import type { Row, Table } from "./table.ts"
import { shown } from "./values.ts"

interface Cursor {
  readonly id: string
  readonly version: string
  readonly table: Table
  readonly paths: ReadonlyArray<Path>
  readonly numbers: ReadonlyArray<number>
}

/** Open cursors; the oldest gives way. */
const maxCursors = 10

const select = (org: Org, table: Table, query: Query, all: boolean): ReadonlyArray<number> => {
  const test = query.where === undefined ? () => true : testOf(org, table, query.where)
  const candidates = candidatesOf(org, table, query.where)
  let matches: Array<{ readonly number: number; readonly row: Row }> = []
  const consider = (number: number) => {
    const row = table.read(number)
    if (row !== undefined && (all || !table.isDeleted(row)) && test(row)) matches.push({ number, row })
  }
  // Deleted records are in no index.
  if (candidates !== undefined && !all) candidates.forEach(consider)
  else for (let number = 0; number < table.size; number++) consider(number)
  if (query.orders.length > 0) {
    const compare = compareBy(org, table, query.orders)
    matches = matches.sort((a, b) => compare(a.row, b.row) || a.number - b.number)
  }
  const end = query.limit === undefined ? undefined : query.offset + query.limit
  return matches.slice(query.offset, end).map(({ number }) => number)
}

const nest = (record: { [name: string]: unknown }, { names, types, field, read }: Path, row: Row): void => {
  const [name = "", ...rest] = names
  const value = read(row)
  if (rest.length === 0) {
    record[name] = typeof value === "object" || value === undefined ? (value ?? null) : shown(field, toValue(value))
    return
  }
  // The other record is not there: its whole object is null.
  if (value === undefined) {
    record[name] ??= null
    return
  }
  const [type, ...further] = types
  const inner = isRecord(record[name]) ? record[name] : { attributes: { type } }
  record[name] = inner
  nest(inner, { names: rest, types: further, field, place: undefined, read: () => value }, row)
}

const isRecord = (value: unknown): value is { [name: string]: unknown } => typeof value === "object" && value !== null

const toValue = (value: unknown) =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null

/** A record with some of its fields, as every reading endpoint shows it. */
export const recordAnswer = (table: Table, number: number, row: Row, paths: ReadonlyArray<Path>, version: string) => {
  const { name } = table.spec
  const url = `/services/data/${version}/sobjects/${name}/${table.idOf(number)}`
  const record: { [name: string]: unknown } = { attributes: { type: name, url } }
  for (const path of paths) nest(record, path, row)
  return record
}

export const makeQuery = (org: Org): ReadonlyArray<Route> => {
  const cursors: Array<Cursor> = []
  let opened = 0

  const page = (cursor: Cursor, from: number, size: number): SandboxAnswer => {
    const { table, numbers, paths, version, id } = cursor
    const to = Math.min(numbers.length, from + size)
    const records = numbers.slice(from, to).map((number) => {
      const row = table.read(number) ?? []
      return recordAnswer(table, number, row, paths, version)
    })
    const done = to === numbers.length
    const next = done ? {} : { nextRecordsUrl: `/services/data/${version}/query/${id}-${to}` }
    return json(200, { totalSize: numbers.length, done, ...next, records })
  }

  /** A hint of 200 to 2,000. */
  const sizeOf = ({ headers }: SandboxRequest): number => {
    const asked = Number(/batchSize=(\d+)/i.exec(headers["sforce-query-options"] ?? "")?.[1] ?? 2_000)
    return Math.min(2_000, Math.max(200, asked))
  }

  const open = (request: SandboxRequest, version: string, all: boolean): SandboxAnswer => {
    const query = parseSoql(request.query.get("q") ?? "")
    const table = org.table(query.object)
    if (table === undefined) throw new SoqlError("INVALID_TYPE", `sObject type '${query.object}' is not supported.`)
    const paths = query.fields.map((name) => pathOf(org, table, name))
    const numbers = select(org, table, query, all)
    if (paths.length === 0) return json(200, { totalSize: numbers.length, done: true, records: [] })
    const cursor = { id: `0r8sandbox${String(opened++).padStart(8, "0")}`, version, table, paths, numbers }
    cursors.push(cursor)
    if (cursors.length > maxCursors) cursors.shift()
    return page(cursor, 0, sizeOf(request))
  }

  const guarded =
    (all: boolean): Route["run"] =>
    (request, [version = ""]) => {
      try {
        return open(request, version, all)
      } catch (error) {
        if (error instanceof SoqlError) return failure(400, error.code, error.message)
        throw error
      }
    }

  const more: Route["run"] = (request, [, locator = ""]) => {
    const [, id, from] = /^(.+)-(\d+)$/.exec(locator) ?? []
    const cursor = cursors.find((each) => each.id === id)
    if (cursor === undefined) return failure(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return page(cursor, Number(from), sizeOf(request))
  }

  return [
    { method: "GET", pattern: "/services/data/:version/query", kind: "read", run: guarded(false) },
    { method: "GET", pattern: "/services/data/:version/queryAll", kind: "read", run: guarded(true) },
    { method: "GET", pattern: "/services/data/:version/query/:locator", kind: "read", run: more },
  ]
}
