/**
 * What an object's fields do not say by themselves: routes that cannot work, and rows that are not worth a call. From
 * fields alone, so that it is the same live and by a lock.
 */
import type { Field, Row, Rules, SinkError, WriterRequest } from "@sluice/core"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { relationshipIn } from "./describe/columns.ts"
import { ID_FORMAT } from "./describe/fields.ts"
import { stop } from "./errors.ts"
import { isId } from "./ids.ts"
import type { ObjectOptions } from "./options.ts"

type Request = WriterRequest<ObjectOptions>
type Known = ReadonlyMap<string, Field>
type Unfit = ReturnType<Rules["refuse"]>

export const rules = (request: Request, fields: ReadonlyArray<Field>): Result.Result<Rules, SinkError> => {
  const known = new Map(fields.map((field) => [field.name, field]))
  const wrong = mistake(request, known)
  return wrong === undefined ? Result.succeed({ refuse: refusing(request, known) }) : Result.fail(wrong)
}

const EXTERNAL_ID = "an External ID that is unique and case-sensitive, or with `loose_key: true` one that is not"

const mistake = ({ key, fields, options }: Request, known: Known): SinkError | undefined => {
  if (key.includes(".")) return stop(`rows are matched by a field of the object itself, not by ${key}`, ["key"])
  if ([...known.values()].every(({ writable }) => !writable)) {
    const right = options.mode === "update" ? "Edit" : "Create and Edit"
    return stop(`the user may not write these records: give it the right to ${right} the object`, [])
  }
  if (key === "Id" && options.mode !== "update") {
    return stop("Salesforce gives the Ids of new records: match by an External ID, or set `with: { mode: update }`", [
      "key",
    ])
  }
  if (known.has(key) && known.get(key)?.key !== true) {
    return stop(`Salesforce looks no record up by ${key}: match by ${EXTERNAL_ID}`, ["key"])
  }
  const { owner_from, match = [] } = options
  if (owner_from !== undefined && !(fields.includes(owner_from) && owner_from.includes("."))) {
    return stop(`${owner_from} is no mapped field that names another record by its key`, ["with", "owner_from"])
  }
  const unmapped = match.find((name) => !fields.includes(name) || !known.has(name) || name.includes("."))
  return unmapped === undefined
    ? undefined
    : stop(`${unmapped} is no field of the object itself that is mapped, so nothing can be matched by it`, [
        "with",
        "match",
      ])
}

const unfit = (code: string, message: string, field: string): Unfit => ({ code, message, fields: [field] })

const ID = "which has 15 or 18 letters and digits"

/** "" is no value to Salesforce: it takes the old one away. */
const ofText = (name: string, value: string, field: Field | undefined): Unfit => {
  if (value !== "") {
    return field?.format === ID_FORMAT && !isId(value)
      ? unfit("malformed_id", `${name} is no record id, ${ID}; a record can be named by its external id as well`, name)
      : undefined
  }
  if (name.includes(".")) return unfit("empty", `${name} is empty; null clears it`, name)
  return field?.required === true || field?.nullable === false
    ? unfit("required_field", `${name} cannot be without a value, and empty text is none; give it another one`, name)
    : undefined
}

/** They go as one text, with semicolons between them. */
const ofList = (name: string, values: ReadonlyArray<Json>, { max = Number.POSITIVE_INFINITY }: Field): Unfit => {
  if (values.some((each) => typeof each !== "string" || each.includes(";"))) {
    return unfit("not_a_choice", `${name} has a value that is no text or has a semicolon; leave it out`, name)
  }
  const length = values.join(";").length
  return length > max
    ? unfit(
        "too_long",
        `${name} has ${length} characters with its semicolons, at most ${max} fit; leave some out`,
        name,
      )
    : undefined
}

const ofValue = (name: string, value: Json, field: Field | undefined): Unfit => {
  if (typeof value === "string") return ofText(name, value, field)
  return field?.type === "list" && Array.isArray(value) ? ofList(name, value, field) : undefined
}

const hasValue = ({ fields }: Row, name: string): boolean =>
  Object.hasOwn(fields, name) && (fields[name] ?? null) !== null

/** Names fields, never values. */
const refusing = ({ key, fields }: Request, known: Known) => {
  const pointers = fields.flatMap((name) => {
    const relationship = relationshipIn(name, known.get(name))
    return relationship === undefined ? [] : [{ name, relationship }]
  })
  const rivals = (name: string) => {
    const own = pointers.find((each) => each.name === name)?.relationship
    return pointers.filter((each) => each.name !== name && each.relationship === own)
  }
  const contested = pointers
    .filter(({ name }) => name.includes("."))
    .map(({ name }) => ({ name, others: rivals(name) }))

  return (row: Row): Unfit => {
    if (row.key.trim() === "")
      return unfit("bad_key", `${key} has no usable value; leave such records out by \`where\``, key)
    if (key === "Id" && !isId(row.key)) return unfit("malformed_id", `${key} is no record id, ${ID}`, key)
    if (row.change === "delete") return undefined
    for (const name of fields) {
      const value = Object.hasOwn(row.fields, name) ? row.fields[name] : undefined
      const found = value === undefined ? undefined : ofValue(name, value, known.get(name))
      if (found !== undefined) return found
    }
    const twice = contested.find(
      ({ name, others }) => hasValue(row, name) && others.some((other) => hasValue(row, other.name)),
    )
    return twice === undefined
      ? undefined
      : unfit(
          "two_records",
          `${twice.name} and another field name a record for the same reference; map one of them`,
          twice.name,
        )
  }
}
