/** What stands between a row and its record besides its own values: locks, duplicate rules, triggers. salesforce.md §2.2, §3.3, §6. */
import type { Call } from "./call.ts"
import { type RowError, rowError } from "./errors.ts"
import { isUserId, type Org, type Trigger } from "./org.ts"
import type { Row, Table } from "./table.ts"

const lockText = "unable to obtain exclusive access to this record or 1 records:"

/** Fails when another call has just written below the same parent, and otherwise takes the parent for itself. */
export const lockParents = (org: Org, table: Table, row: Row, call: Call): RowError | undefined => {
  const { locks } = org.settings
  if (locks === undefined) return undefined
  for (const [place, { type }] of table.spec.fields.entries()) {
    const parent = type === "reference" ? row[place] : undefined
    if (typeof parent !== "string" || isUserId(parent)) continue
    const holder = org.held.get(parent)
    const taken = holder !== undefined && holder.call !== call.number && org.now() < holder.until
    if (taken && org.dice.next() < locks.probability) return rowError("UNABLE_TO_LOCK_ROW", `${lockText} ${parent}`)
    if (!taken) org.held.set(parent, { call: call.number, until: org.now() + locks.millis })
  }
  return undefined
}

const matchesOf = (table: Table, row: Row, fields: ReadonlyArray<string>, self: number | undefined) => {
  const places = fields.map((name) => table.placeOf(name))
  const texts = places.map((place) => row[place]?.toString().toLowerCase())
  const [first] = texts
  if (first === undefined || texts.includes(undefined)) return []
  const candidates = table.lookUp(places[0] ?? -1, first) ?? Array.from({ length: table.size }, (_, number) => number)
  return candidates.filter((number) => {
    const other = number === self ? undefined : table.read(number)
    return (
      other !== undefined &&
      !table.isDeleted(other) &&
      places.every((place, at) => other[place]?.toString().toLowerCase() === texts[at])
    )
  })
}

export const findDuplicates = (
  org: Org,
  table: Table,
  row: Row,
  self: number | undefined,
  call: Call,
): RowError | undefined => {
  for (const { object, fields, action } of org.settings.duplicateRules) {
    if (object !== table.spec.name || (action === "alert" && call.allowSave)) continue
    const matches = matchesOf(table, row, fields, self)
    if (matches.length === 0) continue
    const matchRecords = matches.map((number) => ({
      additionalInformation: [],
      fieldDiffs: [],
      matchConfidence: 100,
      record: { attributes: { type: object }, Id: table.idOf(number) },
    }))
    return {
      ...rowError("DUPLICATES_DETECTED", "Use one of these records?"),
      duplicateResult: {
        allowSave: action === "alert",
        duplicateRule: `Sandbox_${object}_Rule`,
        duplicateRuleEntityType: object,
        errorMessage: "Use one of these records?",
        matchResults: [
          {
            entityType: object,
            errors: [],
            matchEngine: "ExactMatchEngine",
            rule: `Sandbox_${object}_Matching`,
            size: matches.length,
            success: true,
            matchRecords: call.includeRecordDetails ? matchRecords : [],
          },
        ],
      },
    }
  }
  return undefined
}

const tooManyRetries = rowError(
  "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
  "Too many batch retries in the presence of Apex triggers and partial failures.",
)

export interface Firing {
  readonly row: Row
  /** How often triggers ran for it. */
  runs: number
  error?: RowError
}

/**
 * A partial save, at most three attempts: each runs the triggers for all rows that are left, and those that fail leave.
 * A failure on the third fails them all. `failed`: rows have failed before any trigger, so one attempt is spent.
 */
export const fireTriggers = (
  org: Org,
  table: Table,
  firings: ReadonlyArray<Firing>,
  failed: boolean,
): RowError | undefined => {
  const triggers = org.settings.triggers.filter(({ object }) => object === table.spec.name)
  if (triggers.length === 0) return undefined
  let left = firings
  let again = failed
  for (let attempt = 1; attempt <= 3; attempt++) {
    for (const firing of left) {
      firing.runs += 1
      const error = failureOf(triggers, table, firing.row, attempt)
      if (error !== undefined) firing.error = error
    }
    const survivors = left.filter(({ error }) => error === undefined)
    if (survivors.length === left.length && !again) return undefined
    if (attempt === 3 && survivors.length < left.length) return tooManyRetries
    again = false
    left = survivors
  }
  return undefined
}

const failureOf = (triggers: ReadonlyArray<Trigger>, table: Table, row: Row, attempt: number): RowError | undefined => {
  const trigger = triggers.find(
    (each) =>
      (each.attempt === undefined || each.attempt === attempt) &&
      String(row[table.placeOf(each.field)] ?? "").includes(each.contains),
  )
  return trigger === undefined
    ? undefined
    : rowError(trigger.code ?? "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", trigger.message)
}
