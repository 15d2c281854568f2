/** Decides for each row of a batch which record is written, before anything is. */
import { Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { SObject } from "../describe/describe.ts"
import type { Keying } from "../describe/keying.ts"
import { prefixOf } from "../ids.ts"
import type { Match } from "../match/candidates.ts"
import type { Matcher } from "../match/match.ts"
import type { Found, Seek, Sought } from "../match/seek.ts"
import type { ObjectOptions } from "../options.ts"
import { byFoundId, byKey, byKnownId } from "./aim.ts"
import { personAccount, rejected } from "./verdict.ts"

/** The objects of people, by what their ids begin with. */
const people = new Map([
  ["003", "Contact"],
  ["00Q", "Lead"],
])

export interface AimOptions {
  readonly own: SObject
  readonly key: string
  readonly keying: Keying
  readonly options: ObjectOptions
  readonly seek: Seek
  /** Undefined: nothing is matched. */
  readonly matcher: Matcher | undefined
}

const several = (row: Row, { ids, why }: Extract<Match, { readonly _tag: "Several" }>): Outcome =>
  rejected({ row }, { code: "ambiguous", message: `Salesforce: ${why}`, fields: [], ids })

export const makeAims = ({ own, key, keying, options, seek, matcher }: AimOptions) => {
  const matched = Effect.fnUntraced(function* (row: Row, match: Match | undefined) {
    if (match === undefined || match._tag === "None") return { aim: byKey(row, own.name) }
    if (match._tag === "Several") return { outcome: several(row, match) }
    const { candidate } = match
    if (candidate.isPerson) return { outcome: personAccount(row, candidate.id) }
    return { aim: yield* seek.onto(row, candidate.type, candidate.id) }
  })

  /** The ledger knows the record: a Contact, perhaps, of a route to Leads. */
  const known = Effect.fnUntraced(function* (row: Row, id: string) {
    const type = people.get(prefixOf(id))
    if (own.prefix === prefixOf(id) || type === undefined) return { aim: byKnownId(row, own.name, id) }
    return { aim: { ...(yield* seek.onto(row, type, id)), isFresh: false } }
  })

  const conflict = ({ id }: Row): Found => {
    const message = `another row or record has the same ${key}, spelled otherwise; map a key that tells them apart`
    return { outcome: Outcome.Rejected({ id, code: "key_conflict", message, fields: [key] }) }
  }

  const unknown = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const rivals = yield* seek.rivals(rows)
    const found = yield* sought(rows.filter((row) => !rivals.has(row)))
    return [...[...rivals].map(conflict), ...found]
  })

  const sought = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    if (rows.length === 0) return []
    if (key === "Id") return rows.map((row): Found => ({ aim: byFoundId(row, own.name, row.key) }))
    if (options.mode === "update") return yield* seek.existing(rows)
    if (matcher === undefined) return rows.map((row): Found => ({ aim: byKey(row, own.name) }))
    const matches = yield* matcher.claim(rows)
    return yield* Effect.forEach(rows, (row): Effect.Effect<Found, SinkError> => matched(row, matches.get(row.key)))
  })

  /** Two rows of one key in a batch refuse each other: the first one has it (salesforce trap 14). */
  const once = (rows: ReadonlyArray<Row>) => {
    const keys = new Set<string>()
    const conflicts: Array<Found> = []
    const kept = rows.filter((row) => {
      const folded = keying.folded(row.key)
      if (!keys.has(folded)) return keys.add(folded)
      conflicts.push(conflict(row))
      return false
    })
    return { kept, conflicts }
  }

  const aimsFor = Effect.fnUntraced(function* (
    rows: ReadonlyArray<Row>,
  ): Effect.fn.Return<ReadonlyArray<Found>, SinkError> {
    const { kept, conflicts } = once(rows)
    const found = yield* Effect.forEach(kept, (row) =>
      row.remoteId === undefined ? Effect.undefined : known(row, row.remoteId),
    )
    const rest = kept.filter((row) => row.remoteId === undefined)
    return [...conflicts, ...found.filter((each) => each !== undefined), ...(yield* unknown(rest))]
  })

  /** After a refusal another record is meant. A row whose record is gone begins anew, as one of which nothing is known. */
  const again = Effect.fnUntraced(function* (
    sought: ReadonlyArray<Sought>,
  ): Effect.fn.Return<ReadonlyArray<Found>, SinkError> {
    const isGone = ({ problem }: Sought) => problem.handling === "stale"
    const gone = sought.filter(isGone).map(({ aim }) => aim.row)
    const anew = options.mode === "update" ? yield* seek.existing(gone) : yield* unknown(gone)
    return [...anew, ...(yield* seek.seek(sought.filter((each) => !isGone(each))))]
  })

  return { aimsFor, again }
}

export type Aims = ReturnType<typeof makeAims>
