/** Writes the rows of one call, each for itself or all or none, and says for each what became of it. salesforce.md §2.2. */
import type { Call } from "./call.ts"
import { type RowError, rowError } from "./errors.ts"
import type { FieldSpec } from "./fields.ts"
import type { SalesforceJournal } from "./journal.ts"
import { assignees, integrationUser, type Org } from "./org.ts"
import { castShadow, isPerson } from "./persons.ts"
import { type Firing, findDuplicates, fireTriggers, lockParents } from "./rules.ts"
import type { Row, Table } from "./table.ts"
import { comparedKey, type Known, repeatedKeys, targetOf, type Write } from "./target.ts"

export interface Outcome {
  readonly id?: string
  /** Of the record in its table. */
  readonly number?: number
  readonly created?: boolean
  readonly errors: ReadonlyArray<RowError>
}

export interface Saving {
  readonly org: Org
  readonly journal: SalesforceJournal
}

/** Fails the first and then every so manieth row of a call. */
export interface RowsFault {
  readonly code: string
  readonly message?: string | undefined
  readonly every?: number | undefined
}

export interface SaveOptions {
  readonly call: Call
  readonly allOrNone: boolean
  readonly fault?: RowsFault | undefined
}

/** A row that nothing speaks against yet. */
interface Prepared extends Firing {
  readonly at: number
  readonly known: Known | undefined
}

/** Of a row that was good, but not alone. */
export const rolledBack = rowError(
  "ALL_OR_NONE_OPERATION_ROLLED_BACK",
  "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

export const save = (
  { org, journal }: Saving,
  table: Table,
  writes: ReadonlyArray<Write>,
  { call, allOrNone, fault }: SaveOptions,
): ReadonlyArray<Outcome> => {
  const mark = org.mark()
  const repeated = repeatedKeys(writes)
  const errors = new Map<number, ReadonlyArray<RowError>>()
  const outcomes: Array<Outcome> = []
  const assigned = new Set<number>()

  const prepare = (write: Write, at: number): Prepared | undefined => {
    const struck = fault !== undefined && at % (fault.every ?? 1) === 0
    const made = struck
      ? [rowError(fault.code, fault.message ?? "sandbox")]
      : prepareRow(org, table, write, repeated, call)
    if (!("row" in made)) {
      errors.set(at, made)
      return undefined
    }
    return { ...made, at, runs: 0 }
  }

  const put = ({ at, known, row, runs }: Prepared): void => {
    const error = duplicateValue(table, row, known?.number)
    if (error !== undefined) {
      errors.set(at, [error])
      return
    }
    castShadow(org, table, row)
    if (assign(org, table, row, call)) assigned.add(at)
    stamp(org, table, row, known === undefined)
    const number = known?.number ?? table.insert(row)
    if (known !== undefined) table.write(known.number, known.row, row)
    const id = table.idOf(number)
    if (runs > 0) org.triggerRuns.set(id, (org.triggerRuns.get(id) ?? 0) + runs)
    outcomes[at] = { id, number, created: known === undefined, errors: [] }
  }

  const prepared = writes.flatMap((write, at) => prepare(write, at) ?? [])
  const retries = fireTriggers(org, table, prepared, prepared.length < writes.length)
  for (const each of prepared) {
    const error = retries ?? each.error
    if (error === undefined) put(each)
    else errors.set(each.at, [error])
  }
  if (allOrNone && errors.size > 0) {
    org.rollback(mark)
    for (const at of outcomes.keys()) outcomes[at] = { errors: [rolledBack] }
  }
  for (const [at, reasons] of errors) outcomes[at] = { errors: reasons }
  for (const [at, write] of writes.entries()) record(journal, table, write, outcomes[at], assigned.has(at), call)
  return outcomes
}

const prepareRow = (
  org: Org,
  table: Table,
  write: Write,
  repeated: ReadonlySet<string>,
  call: Call,
): ReadonlyArray<RowError> | Pick<Prepared, "row" | "known"> => {
  const key = comparedKey(write)
  if (key !== undefined && repeated.has(key))
    return [rowError("DUPLICATE_VALUE", `Duplicate external id specified: ${write.key?.value}`)]
  const target = targetOf(org, table, write)
  if ("error" in target) return [target.error]
  const { known } = target
  if (write.operation === "delete") {
    const row = [...(known?.row ?? [])]
    row[table.system.deleted] = true
    return { known, row }
  }
  if (write.draft.errors.length > 0) return write.draft.errors
  const refused = readOnlyField(table, write, known)
  if (refused !== undefined) return [refused]
  const row = known === undefined ? initialRow(table) : [...known.row]
  for (const [place, value] of write.draft.values) row[place] = value
  if (write.key !== undefined && write.key.place.field.type !== "id") row[write.key.place.place] = write.key.value
  const error =
    convertedLead(table, known) ??
    missingFields(table, row, write, known) ??
    lockParents(org, table, row, call) ??
    findDuplicates(org, table, row, known?.number, call)
  return error === undefined ? { known, row } : [error]
}

const initialRow = (table: Table): Row => {
  const row = [...table.initial]
  row[table.system.owner] = integrationUser
  return row
}

const readOnlyField = (table: Table, { draft }: Write, known: Known | undefined): RowError | undefined => {
  const names: Array<string> = []
  for (const place of draft.values.keys()) {
    const field: FieldSpec | undefined = table.spec.fields[place]
    if (field !== undefined && !(known === undefined ? field.createable : field.updateable)) names.push(field.name)
  }
  if (names.length === 0) return undefined
  const message = `Unable to create/update fields: ${names.join(", ")}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`
  return rowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)
}

const convertedLead = (table: Table, known: Known | undefined): RowError | undefined => {
  const { row } = known ?? {}
  if (row === undefined) return undefined
  if (table.spec.name === "Lead" && row[table.placeOf("IsConverted")] === true)
    return rowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
  if (table.spec.name === "Contact" && row[table.placeOf("IsPersonAccount")] === true)
    return rowError("INVALID_PERSON_ACCOUNT_OPERATION", "cannot update a person account's contact: update the account")
  return undefined
}

/** Of a new record all required fields, of a known one those that the row empties. */
const missingFields = (table: Table, row: Row, { draft }: Write, known: Known | undefined): RowError | undefined => {
  const named = isPerson(table, row)
  const names: Array<string> = []
  for (const { place, field } of table.required) {
    if ((row[place] ?? null) !== null || (named && field.name === "Name")) continue
    const isSent = draft.values.has(place)
    if (isSent || (known === undefined && !field.defaultedOnCreate)) names.push(field.name)
  }
  return names.length === 0
    ? undefined
    : rowError("REQUIRED_FIELD_MISSING", `Required fields are missing: [${names.join(", ")}]`, names)
}

const duplicateValue = (table: Table, row: Row, self: number | undefined): RowError | undefined => {
  if (table.isDeleted(row)) return undefined
  for (const { place, field } of table.unique) {
    const value = row[place] ?? null
    const other = value === null ? undefined : table.lookUp(place, String(value))?.find((number) => number !== self)
    if (other !== undefined) {
      const message = `duplicate value found: ${field.name} duplicates value on record with id: ${table.idOf(other).slice(0, 15)}`
      return rowError("DUPLICATE_VALUE", message)
    }
  }
  return undefined
}

/** An active rule gives the record to the next in turn, on an update too, unless the call says not to. */
const assign = (org: Org, table: Table, row: Row, call: Call): boolean => {
  if (!call.autoAssign || table.isDeleted(row) || !org.settings.assignmentRules.includes(table.spec.name)) return false
  row[table.system.owner] = assignees[org.dice.below(assignees.length)] ?? integrationUser
  return true
}

const stamp = (org: Org, table: Table, row: Row, isNew: boolean): void => {
  const now = Math.floor(org.now() / 1000) * 1000
  if (isNew) {
    row[table.system.created] = now
    row[table.system.creator] = integrationUser
  }
  row[table.system.modified] = now
  row[table.system.stamp] = now
  row[table.system.modifier] = integrationUser
}

const record = (
  journal: SalesforceJournal,
  table: Table,
  { operation, key, draft }: Write,
  outcome: Outcome | undefined,
  assigned: boolean,
  call: Call,
): void => {
  const { id, created, errors = [] } = outcome ?? {}
  journal.add({
    call: call.number,
    path: call.path,
    object: table.spec.name,
    operation,
    key: key === undefined ? draft.id : String(key.value),
    id,
    effect: id === undefined ? "none" : operation === "delete" ? "deleted" : created ? "created" : "updated",
    error: errors[0]?.statusCode,
    client: call.client,
    assigned: assigned && id !== undefined,
  })
}
