/** A row as a client sends it, made into values of the object's fields: from JSON, or from the cells of a CSV file. */
import { isObject, type JsonObject, own } from "../exchange.ts"
import { type RowError, rowError } from "./errors.ts"
import type { FieldSpec, Value } from "./fields.ts"
import { parseId } from "./ids.ts"
import { isUser, isUserId, type Org } from "./org.ts"
import type { Place, Table } from "./table.ts"
import { checkValue, type Source } from "./values.ts"

export interface Draft {
  /** By the place of the field. */
  readonly values: Map<number, Value>
  readonly errors: Array<RowError>
  /** As sent; empty if it was sent as nothing. */
  id?: string
}

export const emptyDraft = (): Draft => ({ values: new Map(), errors: [] })

/** What a record or a nested one gets that does not begin with its type. */
export const untyped = rowError(
  "JSON_PARSER_ERROR",
  "Nested object for polymorphic foreign key must have an attributes field before any other fields.",
)

export const noColumn = (name: string, table: Table): RowError =>
  rowError("INVALID_FIELD", `No such column '${name}' on sobject of type ${table.spec.name}`)

/** The reference that `Account` or `Contact__r` stands for. */
export const relationshipOf = (table: Table, name: string): Place | undefined => {
  const lower = name.toLowerCase()
  const spec = table.spec.fields.find((each) => each.relationshipName?.toLowerCase() === lower)
  return spec === undefined ? undefined : table.find(spec.name)
}

/** Puts a checked value, or the reason why there is none. */
export const putValue = (org: Org, draft: Draft, { place, field }: Place, raw: unknown, source: Source): void => {
  const checked = checkValue(field, raw, source)
  const error = "error" in checked ? checked.error : checkReference(org, field, checked.value)
  if (error !== undefined) draft.errors.push(error)
  else if ("value" in checked) draft.values.set(place, checked.value)
}

const checkReference = (org: Org, field: FieldSpec, value: Value): RowError | undefined => {
  if (field.type !== "reference" || typeof value !== "string") return undefined
  if (isUserId(value)) {
    if (field.referenceTo.includes("User") && isUser(value)) return undefined
    return rowError("INVALID_CROSS_REFERENCE_KEY", `${field.label}: id value of incorrect type: ${value}`, [field.name])
  }
  if (parseId(value) === undefined)
    return rowError("MALFORMED_ID", `${field.label}: id value of incorrect type: ${value}`, [field.name])
  const found = org.record(value)
  if (found._tag === "Deleted") return rowError("ENTITY_IS_DELETED", "entity is deleted", [field.name])
  if (found._tag !== "Found")
    return rowError(
      "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
      `insufficient access rights on cross-reference id: ${value}`,
    )
  if (found.table.spec.name === "Lead" && found.row[found.table.placeOf("IsConverted")] === true)
    return rowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [field.name])
  return field.referenceTo.includes(found.table.spec.name)
    ? undefined
    : rowError("FIELD_INTEGRITY_EXCEPTION", `${field.label}: id value of incorrect type: ${value}`, [field.name])
}

/** A reference by an external id of the other record. */
export const putForeignKey = (draft: Draft, reference: Place, target: Table, key: Place, raw: unknown): void => {
  if (!key.field.idLookup && !key.field.externalId) {
    const message = `${key.field.name} is not an External ID or indexed field for ${target.spec.name}`
    draft.errors.push(rowError("INVALID_FIELD", message))
    return
  }
  const value = String(raw)
  const found = target.lookUp(key.place, value) ?? []
  const [only] = found
  if (only !== undefined && found.length === 1) {
    draft.values.set(reference.place, target.idOf(only))
    return
  }
  const { name } = key.field
  draft.errors.push(
    only === undefined
      ? rowError(
          "INVALID_FIELD",
          `Foreign key external ID: ${value} not found for field ${name} in entity ${target.spec.name}`,
        )
      : rowError(
          "DUPLICATE_EXTERNAL_ID",
          `Foreign key external ID: ${value} is not unique for ${name} in ${target.spec.name}`,
        ),
  )
}

const putNested = (org: Org, draft: Draft, reference: Place, nested: JsonObject): void => {
  const keys = Object.keys(nested)
  const attributes = own(nested, "attributes")
  const sent = isObject(attributes) ? own(attributes, "type") : undefined
  const { referenceTo } = reference.field
  if (referenceTo.length > 1 && (typeof sent !== "string" || keys[0] !== "attributes")) {
    draft.errors.push(untyped)
    return
  }
  const type = typeof sent === "string" ? sent : referenceTo[0]
  const target = type === undefined || !referenceTo.includes(type) ? undefined : org.table(type)
  const names = keys.filter((key) => key !== "attributes")
  const [name] = names
  const key = name === undefined || names.length > 1 ? undefined : target?.find(name)
  if (name === undefined || target === undefined || key === undefined) {
    draft.errors.push(rowError("INVALID_FIELD", `No such column '${name ?? ""}' on sobject of type ${type ?? ""}`))
  } else putForeignKey(draft, reference, target, key, own(nested, name))
}

/** `left`: a name that stands in the address and not in the body. */
export const readRecord = (org: Org, table: Table, record: JsonObject): Draft => {
  const draft = emptyDraft()
  for (const name of Object.keys(record)) {
    const raw = own(record, name)
    if (name === "attributes") continue
    if (name.toLowerCase() === "id") {
      draft.id = raw === null ? "" : String(raw)
      continue
    }
    const reference = relationshipOf(table, name)
    if (reference !== undefined) {
      if (raw === null) draft.values.set(reference.place, null)
      else if (isObject(raw)) putNested(org, draft, reference, raw)
      else draft.errors.push(rowError("JSON_PARSER_ERROR", `Cannot deserialize instance of ${name}`))
      continue
    }
    const found = table.find(name)
    if (found === undefined) draft.errors.push(noColumn(name, table))
    else if (found.field.createable || found.field.updateable) putValue(org, draft, found, raw, "json")
    // Refused for what it is, whatever its value.
    else draft.values.set(found.place, null)
  }
  return draft
}
