/** sObject Collections: up to 200 records in one call, answered 200 however many of them failed. salesforce.md §2.2. */
import { isObject, type JsonObject, json, own, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import type { Route } from "../vendor.ts"
import { jsonOf } from "./call.ts"
import { noObject } from "./describe.ts"
import { emptyDraft } from "./draft.ts"
import { badJson, failure } from "./errors.ts"
import { recordAnswer } from "./query.ts"
import { fieldPaths } from "./records.ts"
import { type Outcome, rolledBack, save } from "./save.ts"
import { collectionWrite, keyOf, rowsFault, typeOf } from "./saving.ts"
import type { Session } from "./session.ts"
import { SoqlError } from "./soqlTokens.ts"
import type { Table } from "./table.ts"
import type { Write } from "./target.ts"

const maxRecords = 200
const maxRuns = 10
const maxRead = 2_000

const tooMany = (limit: number): SandboxAnswer =>
  failure(400, "EXCEEDED_ID_LIMIT", `record limit reached. cannot submit more than ${limit} records into this call`)

interface Body {
  readonly allOrNone: boolean
  readonly records: ReadonlyArray<JsonObject>
}

const bodyOf = (request: SandboxRequest): Body | SandboxAnswer => {
  const body = jsonOf(request)
  const records = isObject(body) ? own(body, "records") : undefined
  if (!isObject(body) || !Array.isArray(records) || !records.every(isObject)) return badJson()
  return records.length > maxRecords ? tooMany(maxRecords) : { allOrNone: own(body, "allOrNone") === true, records }
}

/** A create has no `created`, a failure no `id`. */
const outcomeAnswer = ({ id, created, errors }: Outcome, upsert: boolean) => ({
  ...(id === undefined ? {} : { id }),
  success: errors.length === 0,
  errors,
  ...(upsert ? { created: created === true } : {}),
})

/** Records one after the other that are of one type, saved together. */
const runsOf = (records: ReadonlyArray<JsonObject>): ReadonlyArray<ReadonlyArray<JsonObject>> => {
  const runs: Array<Array<JsonObject>> = []
  let type: string | undefined
  for (const record of records) {
    const own = typeOf(record)
    const last = runs.at(-1)
    if (last === undefined || own !== type) runs.push([record])
    else last.push(record)
    type = own
  }
  return runs
}

export const collectionRoutes = (session: Session): ReadonlyArray<Route> => {
  const { org } = session
  const base = "/services/data/:version/composite/sobjects"

  /** Saves run after run; all or none spans them all. */
  const saveRuns = (
    request: SandboxRequest,
    version: string,
    runs: ReadonlyArray<{ readonly table: Table; readonly writes: ReadonlyArray<Write> }>,
    allOrNone: boolean,
    fault: FaultKind | undefined,
  ): ReadonlyArray<Outcome> => {
    const mark = org.mark()
    const call = session.call(request, version)
    const outcomes = runs.flatMap(({ table, writes }) =>
      save(session, table, writes, { call, allOrNone, fault: rowsFault(fault) }),
    )
    if (!allOrNone || outcomes.every(({ errors }) => errors.length === 0)) return outcomes
    org.rollback(mark)
    return outcomes.map(({ errors }) => ({ errors: errors.length === 0 ? [rolledBack] : errors }))
  }

  const write =
    (operation: "insert" | "update"): Route["run"] =>
    (request, [version = ""], fault) => {
      const body = bodyOf(request)
      if ("status" in body) return body
      const runs = runsOf(body.records)
      if (runs.length > maxRuns)
        return failure(400, "INVALID_INPUT", `cannot submit more than ${maxRuns} runs of different types`)
      const unknown = body.records.map(typeOf).find((type) => type !== undefined && org.table(type) === undefined)
      if (unknown !== undefined) return failure(400, "INVALID_TYPE", `sObject type '${unknown}' is not supported.`)
      const [first] = org.tables
      const saved = runs.flatMap((records) => {
        const table = org.table(typeOf(records[0] ?? {}) ?? "") ?? first
        return table === undefined
          ? []
          : [{ table, writes: records.map((record) => collectionWrite(org, table, operation, record)) }]
      })
      const outcomes = saveRuns(request, version, saved, body.allOrNone, fault)
      return json(
        200,
        outcomes.map((outcome) => outcomeAnswer(outcome, false)),
      )
    }

  const upsert: Route["run"] = (request, [version = "", object = "", name = ""], fault) => {
    if (Number(version.slice(1)) < 46) return failure(404, "NOT_FOUND", "The requested resource does not exist")
    const table = org.table(object)
    if (table === undefined) return noObject(object)
    const key = keyOf(table, name)
    if (key === undefined)
      return failure(404, "NOT_FOUND", `Provided external ID field does not exist or is not accessible: ${name}`)
    const body = bodyOf(request)
    if ("status" in body) return body
    const writes = body.records.map((record) => collectionWrite(org, table, "upsert", record, key))
    const outcomes = saveRuns(request, version, [{ table, writes }], body.allOrNone, fault)
    return json(
      200,
      outcomes.map((outcome) => outcomeAnswer(outcome, true)),
    )
  }

  const remove: Route["run"] = (request, [version = ""], fault) => {
    const ids = (request.query.get("ids") ?? "").split(",").filter((id) => id !== "")
    if (ids.length > maxRecords) return tooMany(maxRecords)
    const runs = ids.flatMap((id) => {
      const found = org.record(id)
      const table = found._tag === "Found" ? found.table : org.tables[0]
      return table === undefined
        ? []
        : [{ table, writes: [{ operation: "delete" as const, draft: { ...emptyDraft(), id } }] }]
    })
    const allOrNone = request.query.get("allOrNone") === "true"
    const outcomes = saveRuns(request, version, runs, allOrNone, fault)
    return json(
      200,
      outcomes.map((outcome) => outcomeAnswer(outcome, false)),
    )
  }

  /** By id, `null` for each that is not there. */
  const retrieve = (version: string, object: string, ids: ReadonlyArray<string>, fields: string): SandboxAnswer => {
    const table = org.table(object)
    if (table === undefined) return noObject(object)
    if (ids.length > maxRead) return tooMany(maxRead)
    try {
      const paths = fieldPaths(session, table, fields)
      const records = ids.map((id) => {
        const found = org.record(id)
        return found._tag === "Found" && found.table === table
          ? recordAnswer(table, found.number, found.row, paths, version)
          : null
      })
      return json(200, records)
    } catch (error) {
      if (error instanceof SoqlError) return failure(400, error.code, error.message)
      throw error
    }
  }

  const retrieveByBody: Route["run"] = (request, [version = "", object = ""]) => {
    const body = jsonOf(request)
    const ids = isObject(body) ? own(body, "ids") : undefined
    const fields = isObject(body) ? own(body, "fields") : undefined
    if (!Array.isArray(ids) || !Array.isArray(fields) || fields.length === 0)
      return badJson("ids and fields are required")
    return retrieve(version, object, ids.map(String), fields.join(","))
  }

  return [
    { method: "POST", pattern: base, kind: "write", run: write("insert") },
    { method: "PATCH", pattern: base, kind: "write", run: write("update") },
    { method: "DELETE", pattern: base, kind: "write", run: remove },
    { method: "PATCH", pattern: `${base}/:object/:field`, kind: "write", run: upsert },
    { method: "POST", pattern: `${base}/:object`, kind: "read", run: retrieveByBody },
    {
      method: "GET",
      pattern: `${base}/:object`,
      kind: "read",
      run: ({ query }, [version = "", object = ""]) =>
        retrieve(version, object, (query.get("ids") ?? "").split(","), query.get("fields") ?? ""),
    },
  ]
}
