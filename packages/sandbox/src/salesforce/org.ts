/** The fake org: its tables and what an administrator has switched on. Everything a call wrote can be taken back. */
import type { Now } from "../exchange.ts"
import type { Dice } from "../random.ts"
import type { Value } from "./fields.ts"
import { idOf, parseId } from "./ids.ts"
import { type CustomField, objectsOf } from "./objects.ts"
import { type Row, Table } from "./table.ts"

/** Two records are taken for one when all these fields are equal, whatever their case. */
export interface DuplicateRule {
  readonly object: string
  readonly fields: ReadonlyArray<string>
  /** `alert` lets through who sends `allowSave=true`; `block` nobody. */
  readonly action: "alert" | "block"
}

/** Fails the rows whose field contains the text, on the attempt with this number; without one on every attempt. */
export interface Trigger {
  readonly object: string
  readonly field: string
  readonly contains: string
  readonly attempt?: 1 | 2 | 3
  /** Default CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY. */
  readonly code?: string
  readonly message: string
}

/** A parent that another call has written to within so many milliseconds is locked with this probability. */
export interface Locks {
  readonly probability: number
  readonly millis: number
}

export interface Settings {
  duplicateRules: ReadonlyArray<DuplicateRule>
  triggers: ReadonlyArray<Trigger>
  locks: Locks | undefined
  /** Objects with an active assignment rule: Lead, until told otherwise. */
  assignmentRules: ReadonlyArray<string>
}

export interface Org {
  readonly settings: Settings
  readonly now: Now
  readonly dice: Dice
  /** Parents by the call that last wrote below them. */
  readonly held: Map<string, { readonly call: number; readonly until: number }>
  /** How often triggers ran for a record, by its id: partial saves run them again. */
  readonly triggerRuns: Map<string, number>
  readonly tables: ReadonlyArray<Table>
  readonly table: (name: string) => Table | undefined
  readonly record: (id: string) => Found
  /** Begins what `rollback` takes back. */
  readonly mark: () => number
  readonly rollback: (mark: number) => void
  /** Forgets how to take anything back. */
  readonly commit: () => void
}

export type Found =
  | { readonly _tag: "Found"; readonly table: Table; readonly number: number; readonly row: Row }
  | { readonly _tag: "Deleted" | "Unknown" | "Malformed" }

/** The integration's own user, and those whom the assignment rules give records to. */
const userPrefix = "005"
export const integrationUser = idOf(userPrefix, 0)
export const assignees = [idOf(userPrefix, 1), idOf(userPrefix, 2), idOf(userPrefix, 3)]
const users = new Set([integrationUser, ...assignees])

export const isUser = (id: string): boolean => users.has(id)
export const isUserId = (id: string): boolean => id.startsWith(userPrefix)

export interface OrgOptions {
  readonly personAccounts: boolean
  readonly custom: ReadonlyArray<CustomField>
  readonly now: Now
  readonly dice: Dice
}

export const makeOrg = ({ personAccounts, custom, now, dice }: OrgOptions): Org => {
  const undo: Array<() => void> = []
  const tables = objectsOf(personAccounts, custom).map((spec) => new Table(spec, undo))
  const byName = new Map(tables.map((table) => [table.spec.name.toLowerCase(), table]))
  const byPrefix = new Map(tables.map((table) => [table.spec.prefix, table]))

  const record = (id: string): Found => {
    const parsed = parseId(id)
    if (parsed === undefined) return { _tag: "Malformed" }
    const table = byPrefix.get(parsed.prefix)
    const row = parsed.number === undefined ? undefined : table?.read(parsed.number)
    if (table === undefined || parsed.number === undefined || row === undefined) return { _tag: "Unknown" }
    return table.isDeleted(row) ? { _tag: "Deleted" } : { _tag: "Found", table, number: parsed.number, row }
  }

  return {
    settings: { duplicateRules: [], triggers: [], locks: undefined, assignmentRules: ["Lead"] },
    now,
    dice,
    held: new Map(),
    triggerRuns: new Map(),
    tables,
    table: (name) => byName.get(name.toLowerCase()),
    record,
    mark: () => undo.length,
    rollback: (mark) => {
      while (undo.length > mark) undo.pop()?.()
    },
    commit: () => {
      undo.length = 0
    },
  }
}

/** A record's value by its field's name, formulas worked out. */
export const cellOf = (table: Table, row: Row, name: string): unknown => {
  const found = table.find(name)
  if (found === undefined) return undefined
  const stored = (each: string): Value => row[table.placeOf(each)] ?? null
  return found.field.formula === undefined ? (row[found.place] ?? null) : found.field.formula(stored)
}
