/** What tests and people do in the fake org behind the API's back. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { empty, isObject, type JsonObject, json, own, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { Ingest } from "./bulk/ingest.ts"
import type { Call } from "./call.ts"
import { readRecord } from "./draft.ts"
import type { SalesforceEntry } from "./journal.ts"
import { makeSalesforceJournal } from "./journal.ts"
import type { Settings } from "./org.ts"
import { recordAnswer } from "./query.ts"
import { fieldPaths } from "./records.ts"
import { save } from "./save.ts"
import type { Session } from "./session.ts"
import type { Table } from "./table.ts"
import type { Write } from "./target.ts"

/** A record as the REST API shows it, fields without a value left out. */
export interface SalesforceRecord {
  readonly Id: string
  readonly [field: string]: unknown
}

export interface SalesforceControl {
  /** All that are not deleted, in the order in which they were made. */
  readonly records: (object: string) => ReadonlyArray<SalesforceRecord>
  /** The first whose field has exactly this value. */
  readonly record: (object: string, field: string, value: unknown) => SalesforceRecord | undefined
  /** Records ever made, the deleted among them. */
  readonly count: (object: string) => number
  /** What a person does in the org itself: not journalled, past all rules. Throws where a value does not fit. */
  readonly create: (object: string, fields: JsonObject) => string
  readonly edit: (id: string, fields: JsonObject) => void
  readonly remove: (id: string) => void
  readonly convertLead: (id: string, contactId: string, accountId?: string) => void
  readonly set: (settings: Partial<Settings>) => void
  readonly journal: () => ReadonlyArray<SalesforceEntry>
  /** How often triggers ran for a record. */
  readonly triggerRuns: (id: string) => number
  readonly certificate: (pem: string) => void
  /** How long a Bulk job takes from now on. */
  readonly jobsTake: (millis: number) => void
}

const behind: Call = {
  number: 0,
  path: "/control",
  version: 68,
  autoAssign: false,
  client: undefined,
  allowSave: true,
  includeRecordDetails: false,
}

export const makeSalesforceControl = (
  session: Session,
  certificate: (pem: string) => void,
  ingest: Ingest,
): SalesforceControl => {
  const { org } = session
  const unseen = { org, journal: makeSalesforceJournal(org.now, 0) }

  const tableOf = (object: string): Table => {
    const table = org.table(object)
    if (table === undefined) throw new Error(`the fake org has no ${object}`)
    return table
  }

  /** The table once the jobs that are due have run. */
  const current = (object: string): Table => {
    ingest.advance()
    return tableOf(object)
  }

  const put = (table: Table, write: Write): string => {
    const { settings } = org
    const before = { ...settings }
    Object.assign(settings, { duplicateRules: [], triggers: [], locks: undefined })
    const [outcome] = save(unseen, table, [write], { call: behind, allOrNone: true })
    Object.assign(settings, before)
    org.commit()
    if (outcome?.id !== undefined) return outcome.id
    throw new Error(outcome?.errors[0]?.message ?? "nothing was written")
  }

  const recordOf = (id: string) => {
    const found = org.record(id)
    if (found._tag !== "Found") throw new Error(`no record ${id}`)
    return found
  }

  const view = (table: Table, number: number): SalesforceRecord | undefined => {
    const row = table.read(number)
    if (row === undefined || table.isDeleted(row)) return undefined
    const { attributes: _, ...fields } = recordAnswer(table, number, row, fieldPaths(session, table, null), "v68.0")
    return {
      Id: table.idOf(number),
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
    }
  }

  const records = (object: string): ReadonlyArray<SalesforceRecord> => {
    const table = current(object)
    return Array.from({ length: table.size }, (_, number) => number).flatMap((number) => view(table, number) ?? [])
  }

  return {
    records,
    record: (object, field, value) => {
      const table = current(object)
      const place = table.find(field)?.place ?? -1
      const numbers = typeof value === "string" ? table.lookUp(place, value) : undefined
      if (numbers === undefined) return records(object).find((each) => each[field] === value)
      return numbers.flatMap((number) => view(table, number) ?? []).find((each) => each[field] === value)
    },
    count: (object) => current(object).size,
    create: (object, fields) => {
      const table = tableOf(object)
      return put(table, { operation: "insert", draft: readRecord(org, table, fields) })
    },
    edit: (id, fields) => {
      const { table } = recordOf(id)
      put(table, { operation: "update", draft: { ...readRecord(org, table, fields), id } })
    },
    remove: (id) => {
      const { table } = recordOf(id)
      put(table, { operation: "delete", draft: { values: new Map(), errors: [], id } })
    },
    convertLead: (id, contactId, accountId) => {
      const { table, number, row } = recordOf(id)
      const after = [...row]
      after[table.placeOf("IsConverted")] = true
      after[table.placeOf("ConvertedContactId")] = contactId
      after[table.placeOf("ConvertedAccountId")] = accountId ?? null
      after[table.placeOf("Status")] = "Closed - Converted"
      table.write(number, row, after)
      org.commit()
    },
    set: (settings) => void Object.assign(org.settings, settings),
    journal: () => {
      ingest.advance()
      return session.journal.entries()
    },
    triggerRuns: (id) => org.triggerRuns.get(id) ?? 0,
    certificate,
    jobsTake: ingest.take,
  }
}

const SettingsBody = Schema.Struct({
  duplicateRules: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        object: Schema.String,
        fields: Schema.Array(Schema.String),
        action: Schema.Literals(["alert", "block"]),
      }),
    ),
  ),
  triggers: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        object: Schema.String,
        field: Schema.String,
        contains: Schema.String,
        attempt: Schema.optionalKey(Schema.Literals([1, 2, 3])),
        code: Schema.optionalKey(Schema.String),
        message: Schema.String,
      }),
    ),
  ),
  locks: Schema.optionalKey(Schema.NullOr(Schema.Struct({ probability: Schema.Finite, millis: Schema.Int }))),
  assignmentRules: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Milliseconds that a Bulk job takes. */
  jobsTake: Schema.optionalKey(Schema.Int),
  /** PEM of the app's certificate. */
  certificate: Schema.optionalKey(Schema.String),
})
const decodeSettings = Schema.decodeUnknownOption(SettingsBody)

const changeSettings = (control: SalesforceControl, body: unknown): SandboxAnswer => {
  const decoded = decodeSettings(body)
  if (Option.isNone(decoded)) return json(400, { error: "not a setting: see salesforce/control.ts for the shapes" })
  const { certificate, locks, jobsTake, ...settings } = decoded.value
  control.set({ ...settings, ...(locks === undefined ? {} : { locks: locks ?? undefined }) })
  if (jobsTake !== undefined) control.jobsTake(jobsTake)
  if (certificate !== undefined) control.certificate(certificate)
  return empty(204)
}

const createRecords = (control: SalesforceControl, body: unknown): SandboxAnswer => {
  const object = isObject(body) ? own(body, "object") : undefined
  const records = isObject(body) ? own(body, "records") : undefined
  if (typeof object !== "string" || !Array.isArray(records) || !records.every(isObject))
    return json(400, { error: "expected { object, records: [fields] }" })
  try {
    return json(200, { ids: records.map((fields) => control.create(object, fields)) })
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : "refused" })
  }
}

/** Below `/control/salesforce`; `undefined`: no such route. */
export const salesforceControlRoutes = (
  control: SalesforceControl,
  request: SandboxRequest,
  body: unknown,
): SandboxAnswer | undefined => {
  const object = request.query.get("object") ?? "Contact"
  switch (`${request.method} ${request.path}`) {
    case "GET /salesforce/records":
      return json(200, control.records(object))
    case "GET /salesforce/count":
      return json(200, { count: control.count(object) })
    case "POST /salesforce/records":
      return createRecords(control, body)
    case "GET /salesforce/journal":
      return json(200, control.journal())
    case "POST /salesforce/settings":
      return changeSettings(control, body)
    default:
      return undefined
  }
}
