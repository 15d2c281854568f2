/** What the organization holds of rows, for preview: by key, else the record that a run would adopt. */
import type { Held, Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { Column } from "./describe/columns.ts"
import type { Describe, SObject } from "./describe/describe.ts"
import { fieldsOf, readable } from "./describe/held.ts"
import { keyingOf } from "./describe/keying.ts"
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

type Rows = ReadonlyMap<string, Row>

export const makeLookup = ({ search, describe, own, key, columns, matcher }: LookupOptions) => {
  const { folded, isNumber, merges } = keyingOf(own.fields.get(key))

  const byKey = Effect.fnUntraced(function* (keys: ReadonlyArray<string>, rows: Rows) {
    const fields = [...new Set(["Id", key, ...readable(columns, own)])]
    const held = new Map<string, Held>()
    const asked = new Map(keys.map((each) => [folded(each), each]))
    for (const record of yield* search(selects({ object: own.name, fields, by: key, isNumber }, keys))) {
      const wanted = asked.get(folded(textIn(record, key) ?? ""))
      const remoteId = id18(textIn(record, "Id") ?? "")
      if (wanted === undefined) continue
      const other = held.get(wanted)
      held.set(wanted, {
        remoteId,
        fields: fieldsOf(record, columns, rows.get(wanted)),
        why: `${key} is on ${own.name} ${remoteId}`,
        ...(merges && textIn(record, key) !== wanted ? { held: `${remoteId} has the ${key} in other capitals` } : {}),
        ...(other === undefined ? {} : { held: `${other.remoteId} and ${remoteId} have the same ${key}` }),
      })
    }
    return held
  })

  /** The fields of records of any object, by id. */
  const byId = Effect.fnUntraced(function* (type: string, wanted: ReadonlyMap<string, Row | undefined>) {
    const fields = [...new Set(["Id", ...readable(columns, yield* describe(type))])]
    const records = yield* search(selects({ object: type, fields, by: "Id" }, wanted.keys()))
    return records.map((record) => {
      const id = id18(textIn(record, "Id") ?? "")
      return [id, fieldsOf(record, columns, wanted.get(id))] as const
    })
  })

  const several = ({ ids, why }: Extract<Match, { readonly _tag: "Several" }>): Held => ({
    remoteId: ids[0] ?? "",
    fields: {},
    why,
    held: `${why}: ${ids.join(", ")}`,
  })

  /** Of another object, with what that one has no field for. */
  const taken = Effect.fnUntraced(function* (
    { candidate, why }: Extract<Match, { readonly _tag: "One" }>,
    fields: JsonObject | undefined,
  ) {
    const { id, isPerson, type } = candidate
    const person = isPerson ? { held: `${id} is a person account: write it as an Account` } : {}
    const other = type === own.name ? undefined : yield* describe(type)
    const lacks = columns.flatMap(({ field, name }) =>
      other === undefined || other.fields.has(field.name) ? [] : [name],
    )
    const without = lacks.length === 0 ? "" : `; left out, for a ${type} has none: ${lacks.join(", ")}`
    const held: Held = { remoteId: id, fields: fields ?? {}, why: `${why}${without}`, ...person }
    return held
  })

  const adopted = Effect.fnUntraced(function* (matches: ReadonlyMap<string, Match>, rows: Rows) {
    const ones = [...matches].flatMap(([of, match]) =>
      match._tag === "One" ? [{ type: match.candidate.type, id: match.candidate.id, row: rows.get(of) }] : [],
    )
    const fields = new Map<string, JsonObject>()
    for (const [type, found] of Map.groupBy(ones, (one) => one.type)) {
      for (const [id, held] of yield* byId(type, new Map(found.map((one) => [one.id, one.row])))) fields.set(id, held)
    }
    const held = new Map<string, Held>()
    for (const [of, match] of matches) {
      if (match._tag === "Several") held.set(of, several(match))
      if (match._tag === "One") held.set(of, yield* taken(match, fields.get(match.candidate.id)))
    }
    return held
  })

  return Effect.fnUntraced(function* (
    keys: ReadonlyArray<string>,
    rows: ReadonlyArray<Row> = [],
  ): Effect.fn.Return<ReadonlyMap<string, Held>, SinkError> {
    const wanted = new Map(rows.map((row) => [row.key, row]))
    const held = yield* byKey(keys, wanted)
    const rest = rows.filter((row) => row.change === "upsert" && !held.has(row.key))
    if (matcher === undefined || rest.length === 0) return held
    return new Map([...held, ...(yield* adopted(yield* matcher.find(rest), wanted))])
  })
}
