/** What changed between saved fields and those of now. */
import * as Equal from "effect/Equal"
import { someOf } from "../../mapping/validate.ts"
import { isOutdated, type LockedField, type LockedFields, NEWS, type SchemaLock, sorted } from "./schemaLock.ts"

export interface FieldChange {
  readonly field: string
  readonly change: "added" | "removed" | "retyped" | "changed"
  /** In words: `was text, is number now`. */
  readonly message: string
}

/** A field of an object of a sink; without a field, a whole object or the account. */
export interface LockChange extends Omit<FieldChange, "field"> {
  readonly sink: string
  readonly object?: string
  readonly field?: string
}

/** `isOld`: the saved fields are of a lock that kept less of each. What it does not say is no change. */
export const fieldChanges = (saved: LockedFields, live: LockedFields, isOld: boolean): ReadonlyArray<FieldChange> =>
  sorted({ ...saved, ...live }).flatMap(([field]): ReadonlyArray<FieldChange> => {
    const [before, after] = [saved, live].map((fields) => (Object.hasOwn(fields, field) ? fields[field] : undefined))
    if (before === undefined) return [{ field, change: "added", message: `is new: ${after?.type}` }]
    if (after === undefined) return [{ field, change: "removed", message: "is no longer there" }]
    if (before.type !== after.type) {
      return [{ field, change: "retyped", message: `was ${before.type}, is ${after.type} now` }]
    }
    const differences = [...aspects(before, isOld ? withoutNews(before, after) : after)]
    return differences.length === 0 ? [] : [{ field, change: "changed", message: differences.join("; ") }]
  })

const withoutNews = (
  before: LockedField,
  { max, format: _format, digits: _digits, loose: _loose, nullable: _nullable, ...rest }: LockedField,
): LockedField => ({ ...rest, ...(before.max === undefined || max === undefined ? {} : { max }) })

function* aspects(before: LockedField, after: LockedField): Generator<string> {
  if (before.required !== after.required) yield after.required ? "is required now" : "is no longer required"
  if (before.writable !== after.writable)
    yield after.writable === false ? "cannot be written any more" : "can be written now"
  if (before.key !== after.key) yield after.key ? "can be a key now" : "can no longer be a key"
  if (before.nullable !== after.nullable)
    yield after.nullable === false ? "cannot be without a value now" : "can be without a value now"
  if (before.max !== after.max) yield `took ${length(before.max)}, takes ${length(after.max)} now`
  if (before.digits !== after.digits) yield `took ${digits(before.digits)}, takes ${digits(after.digits)} now`
  if (before.format !== after.format) yield `was of ${form(before.format)}, is of ${form(after.format)} now`
  if (before.loose !== after.loose) yield after.loose ? "takes other capitals now" : "takes no other capitals now"
  if (!Equal.equals(before.options, after.options)) yield* optionChanges(before.options, after.options)
}

const length = (max: number | undefined): string => (max === undefined ? "any length" : `${max} characters`)
const digits = (most: number | undefined): string => (most === undefined ? "any number" : `${most} digits`)
const form = (format: string | undefined): string => (format === undefined ? "any form" : `the form ${format}`)

function optionChanges(
  before: ReadonlyArray<string> | undefined,
  after: ReadonlyArray<string> | undefined,
): ReadonlyArray<string> {
  if (after === undefined) return ["takes any value now"]
  if (before === undefined) return [`takes only ${someOf(after)} now`]
  const [gone, come] = [before.filter((each) => !after.includes(each)), after.filter((each) => !before.includes(each))]
  return [
    ...(gone.length > 0 ? [`no longer takes ${someOf(gone)}`] : []),
    ...(come.length > 0 ? [`takes ${someOf(come)} as well`] : []),
  ]
}

/** From one lock to another; without one before, everything is added. */
export const lockChanges = (before: SchemaLock | undefined, after: SchemaLock): ReadonlyArray<LockChange> => {
  const sinks = before?.sinks ?? {}
  const isOld = before !== undefined && isOutdated(before)
  return sorted({ ...sinks, ...after.sinks }).flatMap(([sink]): ReadonlyArray<LockChange> => {
    const [old, now] = [sinks, after.sinks].map((each) => (Object.hasOwn(each, sink) ? each[sink] : undefined))
    const both = old !== undefined && now !== undefined
    const said = [
      ...(both && old.account !== now.account ? ["is another account than the saved one"] : []),
      ...(both && isOld ? [`is saved with ${NEWS} of its fields now`] : []),
    ]
    const account = said.map((message): LockChange => ({ sink, change: "changed", message }))
    const objects = sorted({ ...old?.objects, ...now?.objects }).flatMap(([object]): ReadonlyArray<LockChange> => {
      const [was, is] = [old?.objects[object], now?.objects[object]]
      if (was === undefined)
        return [{ sink, object, change: "added", message: `has ${Object.keys(is ?? {}).length} fields` }]
      if (is === undefined) return [{ sink, object, change: "removed", message: "is in no route any more" }]
      return fieldChanges(was, is, isOld).map((each) => ({ sink, object, ...each }))
    })
    return [...account, ...objects]
  })
}
