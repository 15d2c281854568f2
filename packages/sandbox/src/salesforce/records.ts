/** Single records: by id, by external id, one call each. salesforce.md §2.1. */
import { empty, isObject, json, type SandboxAnswer, type SandboxRequest, Unmodelled } from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import type { Route } from "../vendor.ts"
import { jsonOf } from "./call.ts"
import { noObject } from "./describe.ts"
import { readRecord } from "./draft.ts"
import { badJson, failure, notFound, singleError } from "./errors.ts"
import { type Path, pathOf } from "./paths.ts"
import { recordAnswer } from "./query.ts"
import { type Outcome, save } from "./save.ts"
import { keyedWrite, keyOf, rowsFault } from "./saving.ts"
import type { Session } from "./session.ts"
import { SoqlError } from "./soqlTokens.ts"
import type { Place, Table } from "./table.ts"
import type { Write } from "./target.ts"

const noKey = (name: string): SandboxAnswer =>
  failure(404, "NOT_FOUND", `Provided external ID field does not exist or is not accessible: ${name}`)

/** Paths below an object that are no ids. */
const others = new Set(["updated", "deleted", "listviews", "quickActions", "layouts", "describe", "compactLayouts"])

export const fieldPaths = (session: Session, table: Table, fields: string | null): ReadonlyArray<Path> => {
  const names = fields === null || fields === "" ? table.spec.fields.map(({ name }) => name) : fields.split(",")
  return names.map((name) => pathOf(session.org, table, name.trim()))
}

export const recordRoutes = (session: Session): ReadonlyArray<Route> => {
  const { org } = session
  const base = "/services/data/:version/sobjects/:object"

  const one = (
    request: SandboxRequest,
    version: string,
    table: Table,
    write: Write,
    fault: FaultKind | undefined,
  ): Outcome => {
    const options = { call: session.call(request, version), allOrNone: false, fault: rowsFault(fault) }
    return save(session, table, [write], options)[0] ?? { errors: [] }
  }

  const refusalOf = ({ errors: [error] }: Outcome): SandboxAnswer | undefined =>
    error === undefined ? undefined : singleError(error)

  const create: Route["run"] = (request, [version = "", object = ""], fault) => {
    const table = org.table(object)
    const body = jsonOf(request)
    if (table === undefined) return noObject(object)
    if (!isObject(body)) return badJson()
    const outcome = one(request, version, table, { operation: "insert", draft: readRecord(org, table, body) }, fault)
    return refusalOf(outcome) ?? json(201, { id: outcome.id, success: true, errors: [] })
  }

  const change =
    (operation: "update" | "delete"): Route["run"] =>
    (request, [version = "", object = "", id = ""], fault) => {
      const table = org.table(object)
      if (table === undefined) return noObject(object)
      const body = operation === "delete" ? {} : jsonOf(request)
      if (!isObject(body)) return badJson()
      const found = org.record(id)
      if (found._tag === "Deleted") return failure(404, "ENTITY_IS_DELETED", "entity is deleted")
      if (found._tag !== "Found" || found.table !== table) return notFound()
      const draft = readRecord(org, table, body)
      if (draft.id !== undefined)
        return failure(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
      draft.id = id
      return refusalOf(one(request, version, table, { operation, draft }, fault)) ?? empty(204)
    }

  /** Who a key in the address leads to; several are a 300 with their addresses. */
  const matches = (table: Table, key: Place, value: string): ReadonlyArray<number> => {
    if (key.field.type !== "id") return table.lookUp(key.place, value) ?? []
    const found = org.record(value)
    return found._tag === "Found" && found.table === table ? [found.number] : []
  }

  const choices = (table: Table, version: string, numbers: ReadonlyArray<number>): SandboxAnswer =>
    json(
      300,
      numbers.map((number) => `/services/data/${version}/sobjects/${table.spec.name}/${table.idOf(number)}`),
    )

  const upsert: Route["run"] = (request, [version = "", object = "", name = "", value = ""], fault) => {
    const table = org.table(object)
    const key = table === undefined ? undefined : keyOf(table, name)
    if (table === undefined || key === undefined) return table === undefined ? noObject(object) : noKey(name)
    const body = jsonOf(request)
    if (!isObject(body)) return badJson()
    const sent = Object.keys(body).find((each) => ["id", name.toLowerCase()].includes(each.toLowerCase()))
    if (sent !== undefined)
      return failure(400, "INVALID_FIELD", `The ${sent} field should not be specified in the sobject data.`)
    // salesforce.md §2.1: an address that ends like a file of a blocked kind finds nothing.
    if (/\.inc$/i.test(value)) return notFound()
    const numbers = matches(table, key, value)
    if (numbers.length > 1) return choices(table, version, numbers)
    const updateOnly = request.query.get("updateOnly") === "true"
    if (numbers.length === 0 && (updateOnly || key.field.type === "id")) return notFound()
    const outcome = one(request, version, table, keyedWrite(org, table, key, value, body), fault)
    const refusal = refusalOf(outcome)
    if (refusal !== undefined) return refusal
    if (outcome.created !== true && Number(version.slice(1)) < 46) return empty(204)
    const { id, created } = outcome
    const location = `/services/data/${version}/sobjects/${table.spec.name}/${id}`
    return json(created ? 201 : 200, { id, success: true, errors: [], created }, { location })
  }

  const read = (request: SandboxRequest, version: string, table: Table, number: number | undefined): SandboxAnswer => {
    const row = number === undefined ? undefined : table.read(number)
    if (row === undefined || number === undefined || table.isDeleted(row)) return notFound()
    try {
      return json(
        200,
        recordAnswer(table, number, row, fieldPaths(session, table, request.query.get("fields")), version),
      )
    } catch (error) {
      if (error instanceof SoqlError) return failure(400, error.code, error.message)
      throw error
    }
  }

  const byId: Route["run"] = (request, [version = "", object = "", id = ""]) => {
    if (others.has(id)) throw new Unmodelled(`/sobjects/{object}/${id}`)
    const table = org.table(object)
    if (table === undefined) return noObject(object)
    const found = org.record(id)
    if (found._tag === "Deleted") return failure(404, "ENTITY_IS_DELETED", "entity is deleted")
    return found._tag === "Found" && found.table === table ? read(request, version, table, found.number) : notFound()
  }

  const byKey: Route["run"] = (request, [version = "", object = "", name = "", value = ""]) => {
    const table = org.table(object)
    const key = table === undefined ? undefined : keyOf(table, name)
    if (table === undefined || key === undefined) return table === undefined ? noObject(object) : noKey(name)
    const numbers = matches(table, key, value)
    return numbers.length > 1 ? choices(table, version, numbers) : read(request, version, table, numbers[0])
  }

  return [
    { method: "POST", pattern: base, kind: "write", run: create },
    { method: "GET", pattern: `${base}/:id`, kind: "read", run: byId },
    { method: "PATCH", pattern: `${base}/:id`, kind: "write", run: change("update") },
    { method: "DELETE", pattern: `${base}/:id`, kind: "write", run: change("delete") },
    { method: "GET", pattern: `${base}/:field/:value`, kind: "read", run: byKey },
    { method: "PATCH", pattern: `${base}/:field/:value`, kind: "write", run: upsert },
  ]
}
