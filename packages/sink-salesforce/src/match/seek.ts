/** Finds the record that is meant where a write was refused for its id, its key or a duplicate. */
import { Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Column } from "../describe/columns.ts"
import type { Describe, SObject } from "../describe/describe.ts"
import { keyingOf } from "../describe/keying.ts"
import type { Problem } from "../errors.ts"
import { id18, prefixOf } from "../ids.ts"
import type { ObjectOptions } from "../options.ts"
import { type Aim, byFoundId } from "../write/aim.ts"
import { droppedFor } from "../write/record.ts"
import { personAccount, rejected } from "../write/verdict.ts"
import type { Claims } from "./claims.ts"
import { type Search, textIn } from "./search.ts"
import { selects } from "./soql.ts"

export interface Sought {
  readonly aim: Aim
  readonly problem: Problem
}

export type Found = { readonly aim: Aim } | { readonly outcome: Outcome }

/** What a converted Lead comes to: its Contact, or why not. */
type Chosen = { readonly outcome: Outcome } | { readonly row: Row; readonly id: string }

export interface SeekOptions {
  readonly search: Search
  readonly describe: Describe
  readonly claims: Claims
  readonly own: SObject
  readonly key: string
  readonly columns: ReadonlyArray<Column>
  readonly options: ObjectOptions
}

export const makeSeek = ({ search, describe, claims, own, key, columns, options }: SeekOptions) => {
  /** The row as it goes to a record of another object. */
  const onto = Effect.fnUntraced(function* (row: Row, type: string, id: string) {
    const aim = byFoundId(row, type, id)
    return type === own.name ? aim : { ...aim, dropped: droppedFor(aim, yield* describe(type), columns) }
  })

  /** A query may find keys in other capitals: they are others where the field tells them apart (salesforce trap 18). */
  const { folded, isNumber, merges } = keyingOf(own.fields.get(key))
  const byKey = { object: own.name, fields: [...new Set(["Id", key])], by: key, isNumber }

  /** Ids of the records that have these rows' keys. */
  const idsOf = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const keys = rows.map((row) => row.key)
    const records = keys.length === 0 ? [] : yield* search(selects(byKey, keys))
    const ids = new Map<string, Array<string>>()
    for (const record of records) {
      const place = folded(textIn(record, key) ?? "")
      ids.set(place, [...(ids.get(place) ?? []), id18(textIn(record, "Id") ?? "")])
    }
    return (row: Row): ReadonlyArray<string> => ids.get(folded(row.key)) ?? []
  })

  /** Rows whose key is that of another record or row in other capitals: written, the two would become one record. */
  const rivals = (rows: ReadonlyArray<Row>): Effect.Effect<ReadonlySet<Row>, SinkError> => {
    if (!merges || rows.length === 0) return Effect.succeed(new Set())
    const keys = rows.map((row) => row.key)
    return claims.decide(search(selects(byKey, keys)), (records, hold) => {
      const held = Map.groupBy(
        records.flatMap((record) => textIn(record, key) ?? []),
        folded,
      )
      const isRival = (row: Row): boolean => {
        const place = `${key} ${folded(row.key)}`
        const spelled = held.get(folded(row.key)) ?? [row.key]
        if (!spelled.includes(row.key) || hold.isTaken(place, row.key)) return true
        hold.take(place, row.key)
        return false
      }
      return new Set(rows.filter(isRival))
    })
  }

  const missing = (row: Row): Outcome =>
    options.missing === "ignore"
      ? Outcome.Delivered({ id: row.id, effect: "unchanged" })
      : Outcome.Rejected({
          id: row.id,
          code: "not_found",
          message: `Salesforce: no ${own.name} has its ${key}`,
          fields: [key],
        })

  const ambiguous = (row: Row, ids: ReadonlyArray<string>): Outcome =>
    rejected(
      { row },
      { code: "ambiguous", message: `Salesforce: ${ids.length} records have its ${key}`, fields: [key], ids },
    )

  /** For routes that make no records. */
  const existing = Effect.fnUntraced(function* (
    rows: ReadonlyArray<Row>,
  ): Effect.fn.Return<ReadonlyArray<Found>, SinkError> {
    const found = yield* idsOf(rows)
    return rows.map((row): Found => {
      const ids = found(row)
      const [id] = ids
      if (id === undefined) return { outcome: missing(row) }
      return ids.length === 1 ? { aim: byFoundId(row, own.name, id) } : { outcome: ambiguous(row, ids) }
    })
  })

  const ambiguities = Effect.fnUntraced(function* (sought: ReadonlyArray<Sought>) {
    const rows = sought.map(({ aim }) => aim.row)
    const found = yield* idsOf(rows)
    return rows.map((row): Found => ({ outcome: ambiguous(row, found(row)) }))
  })

  /** The Contact that each of these Leads became. */
  const contactsOf = Effect.fnUntraced(function* (sought: ReadonlyArray<Sought>) {
    const question = { object: own.name, fields: ["Id", key, "ConvertedContactId"] }
    const [known, unknown] = [
      sought.filter(({ aim }) => aim.id !== undefined),
      sought.filter(({ aim }) => aim.id === undefined),
    ]
    const records = yield* search([
      ...selects(
        { ...question, by: "Id" },
        known.map(({ aim }) => aim.id ?? ""),
      ),
      ...selects(
        { ...question, by: key, isNumber },
        unknown.map(({ aim }) => aim.row.key),
      ),
    ])
    const contacts = new Map<string, string>()
    for (const record of records) {
      const contact = textIn(record, "ConvertedContactId")
      if (contact === undefined) continue
      contacts.set(`id ${id18(textIn(record, "Id") ?? "")}`, id18(contact))
      contacts.set(`key ${folded(textIn(record, key) ?? "")}`, id18(contact))
    }
    return ({ aim }: Sought) => contacts.get(aim.id === undefined ? `key ${folded(aim.row.key)}` : `id ${id18(aim.id)}`)
  })

  /** A Lead may have been made one with somebody else's Contact: that one is not taken from whoever has it. */
  const conversions = Effect.fnUntraced(function* (sought: ReadonlyArray<Sought>) {
    if (sought.length === 0) return []
    const contactOf = yield* contactsOf(sought)
    const ids = sought.flatMap((each) => contactOf(each) ?? [])
    const contact = yield* describe("Contact")
    const fields = ["Id", key, "IsPersonAccount"].filter((name) => contact.fields.has(name))
    const chosen = yield* claims.decide(
      search(selects({ object: "Contact", fields, by: "Id" }, ids)),
      (records, hold) => {
        const contacts = new Map(records.map((record) => [id18(textIn(record, "Id") ?? ""), record] as const))
        return sought.map((each): Chosen => {
          const { aim, problem } = each
          const id = contactOf(each) ?? ""
          const record = contacts.get(id)
          if (record === undefined) return { outcome: rejected(aim, problem) }
          if (record.IsPersonAccount === true) return { outcome: personAccount(aim.row, id) }
          if ((textIn(record, key) ?? aim.row.key) !== aim.row.key || hold.isTaken(id, aim.row.key)) {
            return { outcome: rejected(aim, { ...problem, code: "key_conflict", message: another, ids: [id] }) }
          }
          hold.take(id, aim.row.key)
          return { row: aim.row, id }
        })
      },
    )
    return yield* Effect.forEach(chosen, (each) =>
      "outcome" in each
        ? Effect.succeed<Found>(each)
        : Effect.map(onto(each.row, "Contact", each.id), (aim): Found => ({ aim })),
    )
  })
  const another = `Salesforce: the Lead was converted, and its Contact is another ${key}'s`

  /** The record a duplicate rule found is taken where it is one, of this object, and nobody's yet. */
  const duplicates = (sought: ReadonlyArray<Sought>) => {
    const own18 = ({ problem }: Sought) => problem.ids.map(id18).filter((id) => prefixOf(id) === own.prefix)
    const question = { object: own.name, fields: ["Id", key], by: "Id" }
    return claims.decide(search(selects(question, sought.flatMap(own18))), (records, hold) => {
      const keys = new Map(records.map((record) => [id18(textIn(record, "Id") ?? ""), textIn(record, key)] as const))
      return sought.map((each): Found => {
        const { aim, problem } = each
        const { row } = aim
        const free = own18(each).filter(
          (id) => keys.has(id) && (keys.get(id) ?? row.key) === row.key && !hold.isTaken(id, row.key),
        )
        const [only] = free
        if (only === undefined || free.length > 1) return { outcome: rejected(aim, problem) }
        hold.take(only, row.key)
        return { aim: byFoundId(row, own.name, only) }
      })
    })
  }

  const seek = Effect.fnUntraced(function* (
    sought: ReadonlyArray<Sought>,
  ): Effect.fn.Return<ReadonlyArray<Found>, SinkError> {
    const groups = Map.groupBy(sought, ({ problem }) => problem.handling)
    return [
      ...(yield* conversions(groups.get("converted") ?? [])),
      ...(yield* ambiguities(groups.get("ambiguous") ?? [])),
      ...(yield* duplicates(groups.get("duplicates") ?? [])),
    ]
  })

  return { seek, idsOf, existing, onto, ambiguous, rivals }
}

export type Seek = ReturnType<typeof makeSeek>
