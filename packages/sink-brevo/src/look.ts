/**
 * Looks at the account before an import. Consent is only written in the knowledge of what Brevo holds (as in
 * deliver.ts), and an import answers nothing by row: so a row goes into one only where its contact was read, or where
 * the account surely has nobody of that name. The first look reads all contacts, a thousand a call; those after it
 * read what changed since.
 */
import type { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import { type BrevoApi, PAGE } from "./api.ts"
import { type Census, makeCensus } from "./census.ts"
import { type Standing, single, standingOfKnown, standingOfNew } from "./importRow.ts"
import { eachContact } from "./pages.ts"
import { type Terms, want } from "./plan.ts"
import { identifiersOfRow, type Roster } from "./roster.ts"
import type { Contact } from "./shapes.ts"

/** Changes show up a little out of order. */
const LAG_MILLIS = 5_000

/** Where the account stood, by Brevo's own clock and numbers. */
export interface Seen {
  readonly modifiedSince: number
  readonly newest: number
}

export interface Looked extends Seen {
  /** By number of the row. */
  readonly standings: ReadonlyArray<Standing>
}

export interface Look {
  /** Undefined where the account cannot be read in fewer calls than the rows take by themselves. */
  readonly at: (roster: Roster, terms: Terms) => Effect.Effect<Looked | undefined, SinkError>
  /** Takes in a contact that was read for another reason, */
  readonly note: (contact: Contact) => void
  /** and that every change up to here was. */
  readonly caughtUp: (modifiedAt: number) => void
}

/** The rows that met no contact yet, and what became of the others. */
const makeMeeting = (roster: Roster, terms: Terms) => {
  const met = new Map<number, string>()
  const standings: Array<Standing | undefined> = roster.rows.map(() => undefined)

  const see = (contact: Contact) => {
    for (const number of roster.of(contact)) {
      const other = met.get(number)
      const row = roster.rows[number]
      if (row === undefined || other === contact.id) continue
      const wanted = want(row, terms)
      const unclear = other !== undefined || roster.isShared(number) || "code" in wanted
      standings[number] = unclear ? single : standingOfKnown(row, wanted, contact, terms)
      met.set(number, contact.id)
    }
  }

  /** `isNew`: nobody has anything of the row. */
  const finish = (isNew: (number: number) => boolean): ReadonlyArray<Standing> =>
    roster.rows.map((row, number) => {
      const known = standings[number]
      if (known !== undefined) return known
      if (row.change === "delete" || roster.isShared(number) || !isNew(number)) return single
      const wanted = want(row, terms)
      return "code" in wanted ? single : standingOfNew(row, wanted, terms)
    })

  return { see, finish }
}

export const makeLook = (api: BrevoApi): Look => {
  let census: Census | undefined

  const read = Effect.fnUntraced(function* (roster: Roster, terms: Terms, from: Census | undefined) {
    const into = from ?? makeCensus()
    const meeting = makeMeeting(roster, terms)
    const question = { modifiedSince: since(from), mostPages: roster.rows.length }
    const { end, modifiedAt } = yield* eachContact(api, question, (contact) => {
      into.addContact(contact)
      meeting.see(contact)
    })
    if (end === "All") into.caughtUp(modifiedAt)
    return { end, into, meeting }
  })

  /** Rows with an identifier that may be somebody's are only known where that contact was read. */
  const mayExist = (from: Census, roster: Roster, { key }: Terms) => {
    const held = new Set<number>()
    for (const [number, row] of roster.rows.entries()) {
      if (identifiersOfRow(row, key).some(from.mayHold)) held.add(number)
    }
    return held
  }

  const at = Effect.fnUntraced(function* (roster: Roster, terms: Terms) {
    const before = census
    const held = before === undefined ? undefined : mayExist(before, roster, terms)
    // Few of them are cheaper by themselves, at two calls each, than all contacts once more.
    const again = before !== undefined && (held?.size ?? 0) * 2 > before.size() / PAGE
    let found = yield* read(roster, terms, again ? undefined : before)
    if (found.end === "Slipped") found = yield* read(roster, terms, undefined)
    if (found.end !== "All") return undefined
    const { into, meeting } = found
    census = into
    const isNew = (number: number) => into !== before || held?.has(number) === false
    const looked: Looked = {
      standings: meeting.finish(isNew),
      modifiedSince: since(into),
      newest: into.newest(),
    }
    for (const row of roster.rows) for (const identifier of identifiersOfRow(row, terms.key)) into.add(identifier)
    return looked
  })

  return {
    at,
    note: (contact) => census?.addContact(contact),
    caughtUp: (modifiedAt) => census?.caughtUp(modifiedAt),
  }
}

const since = (census: Census | undefined): number => Math.max(0, (census?.modifiedAt() ?? 0) - LAG_MILLIS)
