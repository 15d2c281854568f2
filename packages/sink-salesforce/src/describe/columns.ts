/**
 * What a mapped field is: a field of the record, or the key of a record it points to, written as in Bulk files:
 * `Account.Auth0_Org_Id__c`, and where several objects can be meant `Contact:Who.Auth0_Id__c`.
 */
import type { Field, Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { stop } from "../errors.ts"
import type { DescribedField } from "../shapes.ts"
import type { Describe, SObject } from "./describe.ts"
import { ID_FORMAT, toField, typeOf } from "./fields.ts"

/** The record it points to, by a key of that one's own. */
export interface Parent {
  readonly relationship: string
  readonly object: string
  /** The relationship may lead to several objects: the one that is meant has to be said. */
  readonly isOneOf: boolean
  readonly by: string
  readonly key: DescribedField
}

export interface Column {
  readonly name: string
  /** The field itself, or the one that holds the id of the parent. */
  readonly field: DescribedField
  readonly parent: Parent | undefined
}

const parentName = /^(?:([A-Za-z]\w*):)?([A-Za-z]\w*)\.([A-Za-z]\w*)$/

const wrong = (name: string, message: string): SinkError => stop(`${name}: ${message}`, ["map", name])

const parentColumn = Effect.fnUntraced(function* (name: string, described: SObject, describe: Describe) {
  const [, type, relationship = "", by = ""] = parentName.exec(name) ?? []
  const field = [...described.fields.values()].find((each) => each.relationshipName === relationship)
  if (field === undefined) return yield* wrong(name, `${described.name} has no relationship ${relationship}`)
  const targets = field.referenceTo ?? []
  const target = type ?? (targets.length === 1 ? targets[0] : undefined)
  if (target === undefined || !targets.includes(target)) {
    const forms = targets.slice(0, 4).map((each) => `${each}:${relationship}.${by}`)
    return yield* wrong(name, `${relationship} leads to several objects; write ${forms.join(" or ")}`)
  }
  const key = (yield* describe(target)).fields.get(by)
  if (key === undefined) return yield* wrong(name, `${target} has no field ${by}`)
  if (key.externalId !== true && key.idLookup !== true) {
    return yield* wrong(name, `${by} is no external id of ${target}`)
  }
  const column: Column = {
    name,
    field,
    parent: { relationship, object: target, isOneOf: targets.length > 1, by, key },
  }
  return column
})

/**
 * What a mapped field names a record for: `Who` of `Contact:Who.Auth0_Id__c` and of `WhoId`, `Plan__r` of `Plan__c`. By
 * the vendor's way of naming, so that it is known without a description.
 */
export const relationshipIn = (name: string, field: Field | undefined): string | undefined =>
  parentName.exec(name)?.[2] ??
  (field?.format === ID_FORMAT ? name.replace(/Id$/, "").replace(/__c$/, "__r") : undefined)

/** Whether another mapped field names a record for the same reference: `Lead:Who…` beside `Contact:Who…`. */
export const isNamedElsewhere = ({ fields }: Row, column: Column, columns: ReadonlyArray<Column>): boolean =>
  columns.some((other) => other !== column && other.field === column.field && (fields[other.name] ?? null) !== null)

/** The mapped fields in their order; those the object does not have are left out: core names them. */
export const columnsOf = Effect.fnUntraced(function* (
  names: ReadonlyArray<string>,
  described: SObject,
  describe: Describe,
): Effect.fn.Return<ReadonlyArray<Column>, SinkError> {
  const columns: Array<Column> = []
  for (const name of names) {
    const field = described.fields.get(name)
    if (field !== undefined) columns.push({ name, field, parent: undefined })
    else if (parentName.test(name)) columns.push(yield* parentColumn(name, described, describe))
  }
  return columns
})

/** For core: a parent's key has the form of its own field, and can be written and cleared where the parent's id can. */
export const parentField = ({ name, field }: Column, { key }: Parent): Field => {
  const { type, max, digits } = toField(key, { mode: "update", loose_key: false }, field)
  return {
    name,
    type,
    writable: field.createable || field.updateable,
    ...(max === undefined ? {} : { max }),
    ...(digits === undefined ? {} : { digits }),
    ...(field.nillable ? {} : { nullable: false }),
  }
}

/** Lists of values are one text. "" and null are the same to Salesforce: no value. */
export const toWire = ({ field, parent }: Column, value: Json): Json => {
  if (parent !== undefined || typeOf(field) !== "list" || !Array.isArray(value)) return value
  return value.length === 0 ? null : value.join(";")
}
