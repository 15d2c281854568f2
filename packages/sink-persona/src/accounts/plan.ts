/** What to send for a row, given what Persona holds: pure. */
import type { DroppedField, Row } from "@sluice/core"
import * as Equal from "effect/Equal"
import type { Json, JsonObject } from "effect/Schema"
import type { TagAction } from "../api.ts"
import type { AccountOptions } from "../config.ts"
import { customName } from "../customFields.ts"
import type { Account } from "../shapes.ts"
import { attributeName, heldIn } from "./fields.ts"

/** What holds for every row of a route. */
export interface Terms {
  readonly options: AccountOptions
  /** Columns whose lists have no order. */
  readonly unordered: ReadonlySet<string>
}

type Columns = ReadonlyArray<readonly [column: string, value: Json]>

/** The row's columns but for its tags, which have calls of their own. */
const columnsOf = (row: Row): Columns =>
  Object.entries(row.fields).flatMap(([column, value]) =>
    column === "tags" || value === undefined ? [] : [[column, value] as const],
  )

const isList = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)

const tagsOf = (row: Row): ReadonlyArray<string> | undefined => {
  if (!Object.hasOwn(row.fields, "tags")) return undefined
  const { tags } = row.fields
  return isList(tags) ? tags.filter((tag) => typeof tag === "string") : []
}

const isNothing = (value: Json | undefined): boolean => value === undefined || value === null || value === ""

const isTime = (value: Json | undefined): value is string =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))

const sorted = (list: ReadonlyArray<Json>) => list.map((item) => JSON.stringify(item)).toSorted()

/** Without what people put between the digits. */
const digits = (phone: string): string => phone.replaceAll(/[\s().\-/]/g, "")

/** Whether writing the value would change nothing. Persona writes times, numbers and addresses in its own way. */
const same = (column: string, held: Json | undefined, wanted: Json, { unordered }: Terms): boolean => {
  if (isNothing(wanted)) return isNothing(held)
  if (column === "phone_number" && typeof held === "string" && typeof wanted === "string") {
    return digits(held) === digits(wanted)
  }
  if (column === "email_address" && typeof held === "string" && typeof wanted === "string") {
    return held.toLowerCase() === wanted.toLowerCase()
  }
  if (isTime(held) && isTime(wanted)) return Date.parse(held) === Date.parse(wanted)
  if (unordered.has(column) && isList(held) && isList(wanted)) return Equal.equals(sorted(held), sorted(wanted))
  return Equal.equals(held, wanted)
}

/** Custom fields go below `fields`, by the names they have. */
const attributesOf = (columns: Columns, { options }: Terms): JsonObject => {
  const wire = (value: Json): Json => (value === null && options.clear === "empty" ? "" : value)
  const custom = columns.flatMap(([column, value]) => {
    const name = customName(column)
    return name === undefined ? [] : [[name, wire(value)] as const]
  })
  const standard = columns.flatMap(([column, value]) =>
    customName(column) === undefined ? [[attributeName(column), wire(value)] as const] : [],
  )
  return Object.fromEntries([
    ...standard,
    ...(custom.length === 0 ? [] : [["fields", Object.fromEntries(custom)] as const]),
  ])
}

/** The tags that a new account is given. */
export const tagsSent = (row: Row, { options }: Terms): ReadonlyArray<string> =>
  options.tags === "remove" ? [] : (tagsOf(row) ?? [])

/** A new account, its tags included: nobody gave it others yet. */
export const planCreate = (row: Row, terms: Terms): JsonObject => {
  const { account_type } = terms.options
  const tags = tagsSent(row, terms)
  const filled = columnsOf(row).filter(([column, value]) => value !== null && column !== "reference_id")
  return {
    "reference-id": row.key,
    ...(account_type === undefined ? {} : { "account-type-id": account_type }),
    ...attributesOf(filled, terms),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

/** Only what differs; undefined where nothing does. */
export const planUpdate = (row: Row, account: Account, terms: Terms): JsonObject | undefined => {
  const columns: Columns = [
    ["reference_id", row.key],
    ...columnsOf(row).filter(([column]) => column !== "reference_id"),
  ]
  const changed = columns.filter(([column, value]) => !same(column, heldIn(account, column), value, terms))
  return changed.length === 0 ? undefined : attributesOf(changed, terms)
}

/** Without a look: all of the row. */
export const planBlind = (row: Row, terms: Terms): JsonObject => attributesOf(columnsOf(row), terms)

export type TagChange =
  | { readonly _tag: "Set"; readonly tags: ReadonlyArray<string> }
  | { readonly _tag: "Change"; readonly action: TagAction; readonly tag: string }

/** Never a replacement unless the route says `set`. Where no answer told which tags there are, all are asked for. */
export const planTags = (row: Row, held: Account["tags"], { options }: Terms): ReadonlyArray<TagChange> => {
  const wanted = tagsOf(row)
  if (wanted === undefined) return []
  const missing = wanted.filter((tag) => held?.includes(tag) !== true)
  if (options.tags === "set") {
    const isSame = missing.length === 0 && held?.every((tag) => wanted.includes(tag)) === true
    return isSame ? [] : [{ _tag: "Set", tags: wanted }]
  }
  return options.tags === "add"
    ? missing.map((tag) => ({ _tag: "Change", action: "add-tag", tag }))
    : wanted
        .filter((tag) => held?.includes(tag) !== false)
        .map((tag) => ({ _tag: "Change", action: "remove-tag", tag }))
}

/**
 * What was sent and is not there afterwards: Persona does not say what becomes of values that it does not take. Attributes
 * that the answer leaves out tell nothing.
 */
export const lost = (row: Row, account: Account, terms: Terms): ReadonlyArray<DroppedField> =>
  columnsOf(row).flatMap(([column, value]) =>
    !Object.hasOwn(account.attributes, attributeName(column)) || same(column, heldIn(account, column), value, terms)
      ? []
      : [{ field: column, code: "not_stored", message: `Persona holds something else in ${column} than was written` }],
  )
