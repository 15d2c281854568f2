/** What became of the rows of an import: read back and compared, for Brevo's own answer covers only some failures. */
import { JobLost, Outcome, type Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { BrevoApi } from "./api.ts"
import { isOwn } from "./importRow.ts"
import type { Look } from "./look.ts"
import { eachContact } from "./pages.ts"
import { planUpdate, type Terms, want } from "./plan.ts"
import type { Ended } from "./process.ts"
import type { Reported } from "./reports.ts"
import type { Roster } from "./roster.ts"
import type { Contact } from "./shapes.ts"
import type { Ref } from "./submit.ts"

/** Rows whose contact held all of the row before: it was not sent. By row id. */
export type Untouched = ReadonlyMap<string, Outcome>

interface Compared {
  /** By number of the row; undefined where its contact was not read, null where it holds something else. */
  readonly outcomes: ReadonlyArray<Outcome | null | undefined>
}

const landed = (row: Row, contact: Contact, terms: Terms, created: boolean): Outcome | null | undefined => {
  const wanted = want(row, terms)
  if ("code" in wanted || !isOwn(row, wanted, contact, terms)) return undefined
  const { body, dropped } = planUpdate(wanted, contact, terms)
  if (body !== undefined) return null
  return Outcome.Delivered({
    id: row.id,
    effect: created ? "created" : "updated",
    remoteId: contact.id,
    ...(dropped.length > 0 ? { dropped } : {}),
  })
}

const wasSent = ({ processes, unseen }: Ref): boolean => processes.length > 0 || unseen

/** Every contact that changed since the import was sent, against the rows. */
export const compare = Effect.fnUntraced(function* (
  api: BrevoApi,
  ref: Ref,
  roster: Roster,
  terms: Terms,
  look: Pick<Look, "note" | "caughtUp">,
): Effect.fn.Return<Compared, SinkError> {
  const outcomes: Array<Outcome | null | undefined> = roster.rows.map(() => undefined)
  if (!wasSent(ref)) return { outcomes }
  const question = { modifiedSince: ref.modifiedSince, mostPages: Number.POSITIVE_INFINITY }
  const { end, modifiedAt } = yield* eachContact(api, question, (contact) => {
    look.note(contact)
    for (const number of roster.of(contact)) {
      const row = roster.rows[number]
      if (row === undefined || outcomes[number]) continue
      const outcome = landed(row, contact, terms, Number(contact.id) > ref.newest)
      if (outcome !== undefined) outcomes[number] = outcome
    }
  })
  if (end === "All") look.caughtUp(modifiedAt)
  return { outcomes }
})

const isComplete = (process: Ended): boolean => process?.status.toLowerCase() === "completed"

/** Nothing of it can have taken effect: it is sent again. */
export const isLostJob = (ref: Ref, ended: ReadonlyArray<Ended>, { outcomes }: Compared): boolean =>
  wasSent(ref) && !ended.some(isComplete) && !outcomes.some((outcome) => outcome)

export const jobLost = () =>
  new SinkError({ reason: new JobLost({ message: "Brevo did not run an import: none of its rows arrived" }) })

/** A row that did not land is written by itself, which says exactly what is wrong with it. */
const absent = (row: Row, reported: Reported): Outcome => {
  const report = reported(row)
  if (report === "invalid_emails") {
    const message = "Brevo's report of the import lists the e-mail address as invalid"
    return Outcome.Rejected({ id: row.id, code: "invalid_email", message, fields: ["email"] })
  }
  const message =
    report === undefined ? "not carried by the import, or not found as sent" : `the import's report ${report} lists it`
  return Outcome.Deferred({ id: row.id, message: `Brevo: ${message}` })
}

export const outcomesOf = (
  roster: Roster,
  { outcomes }: Compared,
  untouched: Untouched,
  reported: Reported,
): ReadonlyArray<Outcome> =>
  roster.rows.map((row, number) => {
    const outcome = outcomes[number]
    const before = untouched.get(row.id)
    if (before !== undefined && outcome !== null) return before
    return outcome ?? absent(row, reported)
  })
