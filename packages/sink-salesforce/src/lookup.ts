/** What the organization holds of rows, for preview: by key, else the record that a run would adopt. */
import type { Held, Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json, JsonObject } from "effect/Schema"
import type { Column } from "./describe/columns.ts"
import type { Describe, SObject } from "./describe/describe.ts"
import { typeOf } from "./describe/fields.ts"
import { id18 } from "./ids.ts"
import type { Match } from "./match/candidates.ts"
import type { Matcher } from "./match/match.ts"
import { type Search, textIn } from "./match/search.ts"
import { selects } from "./match/soql.ts"

export interface LookupOptions {
  readonly search: Search
  readonly describe: Describe
  readonly own: SObject
  readonly key: string
  readonly columns: ReadonlyArray<Column>
  readonly matcher: Matcher | undefined
}

/** `2026-01-02T03:04:05.000+0000` as mappings write it. */
const moment = (text: string): string => {
  const millis = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"))
  return Number.isNaN(millis) ? text : new Date(millis).toISOString()
}

const fromWire = ({ field, parent }: Column, value: Json): Json => {
  if (typeof value !== "string" || parent !== undefined) return value
  if (typeOf(field) === "datetime") return moment(value)
  return typeOf(field) === "list" ? value.split(";") : value
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const objectAt = (record: JsonObject, name: string): JsonObject => {
  const value = Object.hasOwn(record, name) ? record[name] : undefined
  return isObject(value) ? value : {}
}

const valueIn = (record: JsonObject, { name, parent }: Column): Json | undefined => {
  const place = parent === undefined ? record : objectAt(record, parent.relationship)
  const at = parent?.by ?? name
  return Object.hasOwn(place, at) ? place[at] : undefined
}

/** In the form of a row. Of a parent that may be of several objects SOQL tells no key. */
const fieldsOf = (record: JsonObject, columns: ReadonlyArray<Column>): JsonObject =>
  Object.fromEntries(
    columns.flatMap((column) => {
      const value = valueIn(record, column)
      return value === undefined || value === null ? [] : [[column.name, fromWire(column, value)] as const]
    }),
  )

const readable = (columns: ReadonlyArray<Column>, { fields }: SObject): ReadonlyArray<string> =>
  columns.flatMap(({ name, field, parent }) => (parent?.type === undefined && fields.has(field.name) ? [name] : []))

export const makeLookup = ({ search, describe, own, key, columns, matcher }: LookupOptions) => {
  const byKey = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    const fields = [...new Set(["Id", key, ...readable(columns, own)])]
    const held = new Map<string, Held>()
    const sameCase = own.fields.get(key)?.caseSensitive === true
    const asked = new Map(keys.map((each) => [sameCase ? each : each.toLowerCase(), each]))
    for (const record of yield* search(selects({ object: own.name, fields, by: key }, keys))) {
      const found = textIn(record, key) ?? ""
      const wanted = asked.get(sameCase ? found : found.toLowerCase())
      const remoteId = id18(textIn(record, "Id") ?? "")
      if (wanted === undefined) continue
      const other = held.get(wanted)
      const several = other === undefined ? {} : { held: `${other.remoteId} and ${remoteId} have the same ${key}` }
      held.set(wanted, {
        remoteId,
        fields: fieldsOf(record, columns),
        why: `${key} is on ${own.name} ${remoteId}`,
        ...several,
      })
    }
    return held
  })

  /** Of a record of either object. */
  const byId = Effect.fnUntraced(function* (type: string, ids: ReadonlyArray<string>) {
    const fields = [...new Set(["Id", ...readable(columns, yield* describe(type))])]
    const records = yield* search(selects({ object: type, fields, by: "Id" }, ids))
    return records.map((record) => [id18(textIn(record, "Id") ?? ""), fieldsOf(record, columns)] as const)
  })

  const adopted = Effect.fnUntraced(function* (matches: ReadonlyMap<string, Match>) {
    const ones = [...matches].flatMap(([of, match]) => (match._tag === "One" ? [[of, match] as const] : []))
    const types = Map.groupBy(ones, ([, { candidate }]) => candidate.type)
    const fields = new Map<string, JsonObject>()
    for (const [type, of] of types) {
      for (const [id, found] of yield* byId(
        type,
        of.map(([, { candidate }]) => candidate.id),
      ))
        fields.set(id, found)
    }
    return new Map<string, Held>(
      [...matches].flatMap(([of, match]): ReadonlyArray<readonly [string, Held]> => {
        if (match._tag === "None") return []
        if (match._tag === "Several") {
          return [
            [
              of,
              {
                remoteId: match.ids[0] ?? "",
                fields: {},
                why: match.why,
                held: `${match.why}: ${match.ids.join(", ")}`,
              },
            ],
          ]
        }
        const { candidate, why } = match
        const person = candidate.isPerson ? { held: `${candidate.id} is a person account: write it as an Account` } : {}
        return [[of, { remoteId: candidate.id, fields: fields.get(candidate.id) ?? {}, why, ...person }]]
      }),
    )
  })

  return Effect.fnUntraced(function* (
    keys: ReadonlyArray<string>,
    rows: ReadonlyArray<Row> = [],
  ): Effect.fn.Return<ReadonlyMap<string, Held>, SinkError> {
    const held = yield* byKey(keys)
    const rest = rows.filter((row) => row.change === "upsert" && !held.has(row.key))
    if (matcher === undefined || rest.length === 0) return held
    return new Map([...held, ...(yield* adopted(yield* matcher.find(rest)))])
  })
}
