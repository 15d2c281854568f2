/**
 * Before a row would make a record: is the person there already? By the row's key and the matched fields, Contacts
 * before Leads, all rows of a batch in a few calls.
 */
import type { Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { Describe, SObject } from "../describe/describe.ts"
import { keyingOf } from "../describe/keying.ts"
import { id18 } from "../ids.ts"
import { type Candidate, type Index, type Match, type Matching, makeIndex, matchRow, normalised } from "./candidates.ts"
import { type Claims, type Hold, makeHold } from "./claims.ts"
import { type Search, textIn, typeIn } from "./search.ts"
import { selects } from "./soql.ts"

/** The objects that hold people: one may be a Contact for one team and a Lead for another. */
const PEOPLE = ["Contact", "Lead"]

export const matchedFields = (
  object: string,
  mapped: ReadonlyArray<string>,
  wanted: ReadonlyArray<string> | undefined,
) => wanted ?? (PEOPLE.includes(object) && mapped.includes("Email") ? ["Email"] : [])

export interface MatchOptions {
  readonly search: Search
  readonly describe: Describe
  readonly claims: Claims
  readonly object: string
  readonly key: string
  readonly fields: ReadonlyArray<string>
}

export interface Matcher {
  /** For each 200 rows, at most. */
  readonly queries: number
  /** By row key. Reads only. */
  readonly find: (rows: ReadonlyArray<Row>) => Effect.Effect<ReadonlyMap<string, Match>, SinkError>
  /** The same, and the records that are found are these rows' alone until they are released. */
  readonly claim: (rows: ReadonlyArray<Row>) => Effect.Effect<ReadonlyMap<string, Match>, SinkError>
}

const valuesOf = (rows: ReadonlyArray<Row>, field: string): ReadonlyArray<string> =>
  rows.flatMap(({ fields }) => {
    const value = fields[field]
    if (typeof value !== "string" || value.trim() === "") return []
    const normal = normalised(field, value)
    // Numbers are stored as somebody typed them: as given, bare, and with a plus.
    return /^\d+$/.test(normal) ? [value.trim(), normal, `+${normal}`] : [value.trim()]
  })

export const makeMatcher = (options: MatchOptions): Matcher => {
  const { search, describe, claims, object, key, fields } = options

  /** An object counts where the user sees it and it can carry the key. */
  const usable = Effect.fnUntraced(function* (name: string) {
    const described = yield* Effect.catchTag(describe(name), "SinkError", (error) =>
      name === object || error.reason._tag !== "Misconfigured" ? Effect.fail(error) : Effect.succeed(undefined),
    )
    if (described?.fields.has(key) === true) return described
    yield* Effect.logWarning(`Salesforce: ${name} is not looked at for matches: it is not visible or has no ${key}`)
    return undefined
  })
  let known: ReadonlyArray<SObject> | undefined
  const objects = Effect.gen(function* () {
    const names = PEOPLE.includes(object) ? PEOPLE : [object]
    known ??= (yield* Effect.forEach(names, usable)).filter((each) => each !== undefined)
    return known
  })

  const shown = ({ fields: described }: SObject): ReadonlyArray<string> => [
    ...new Set(
      ["Id", key, ...fields, "IsPersonAccount", "IsConverted", "ConvertedContactId"].filter((name) =>
        described.has(name),
      ),
    ),
  ]

  const queriesFor = (described: SObject, rows: ReadonlyArray<Row>) => {
    const question = { object: described.name, fields: shown(described) }
    const keys = selects(
      { ...question, by: key, isNumber: keyingOf(described.fields.get(key)).isNumber },
      rows.map((row) => row.key),
    )
    const values = fields.filter((field) => described.fields.has(field))
    return [...keys, ...values.flatMap((field) => selects({ ...question, by: field }, valuesOf(rows, field)))]
  }

  const toCandidate = (type: string, record: JsonObject): Candidate => ({
    type,
    id: id18(textIn(record, "Id") ?? ""),
    key: textIn(record, key),
    isPerson: record.IsPersonAccount === true,
    lead: undefined,
    values: new Map(
      fields.flatMap((field) => {
        const value = textIn(record, field)
        return value === undefined ? [] : [[field, normalised(field, value)] as const]
      }),
    ),
  })

  /** A converted Lead cannot be written any more (salesforce trap 23): the Contact that it became stands for it. */
  const converted = Effect.fnUntraced(function* (leads: ReadonlyArray<JsonObject>, contact: SObject | undefined) {
    const targets = leads.flatMap((lead) => textIn(lead, "ConvertedContactId") ?? [])
    if (contact === undefined || targets.length === 0) return []
    const question = { object: contact.name, fields: shown(contact), by: "Id" }
    const found = new Map(
      (yield* search(selects(question, targets))).map((record) => {
        const candidate = toCandidate(contact.name, record)
        return [candidate.id, candidate] as const
      }),
    )
    return leads.flatMap((lead): ReadonlyArray<Candidate> => {
      const { id, key: ofLead, values } = toCandidate("Lead", lead)
      const target = found.get(id18(textIn(lead, "ConvertedContactId") ?? ""))
      return target === undefined ? [] : [{ ...target, key: target.key ?? ofLead, lead: id, values }]
    })
  })

  const candidates = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const described = yield* objects
    const records = yield* search(described.flatMap((each) => queriesFor(each, rows)))
    const live = records.filter((record) => record.IsConverted !== true)
    const contact = described.find(({ name }) => name === "Contact")
    const leads = records.filter((record) => record.IsConverted === true)
    const found = [
      ...live.map((record) => toCandidate(typeIn(record) ?? object, record)),
      ...(yield* converted(leads, contact)),
    ]
    const matching: Matching = { key, fields, types: described.map(({ name }) => name) }
    return { matching, index: makeIndex(matching, found) }
  })

  const decide = (
    rows: ReadonlyArray<Row>,
    { matching, index }: { readonly matching: Matching; readonly index: Index },
    hold: Hold,
  ) =>
    new Map(
      rows.map((row) => {
        const match = matchRow(row, matching, index, (id) => hold.isTaken(id, row.key))
        if (match._tag === "One") hold.take(match.candidate.id, row.key)
        return [row.key, match] as const
      }),
    )

  return {
    queries: (PEOPLE.includes(object) ? PEOPLE.length : 1) * (1 + fields.length),
    find: (rows) => Effect.map(candidates(rows), (found) => decide(rows, found, makeHold(new Map()))),
    claim: (rows) => claims.decide(candidates(rows), (found, hold) => decide(rows, found, hold)),
  }
}
