/** What a pipeline file may say about Brevo: the connection's keys, a contact route's options, and the plan's rates. */
import { describe, type RateLimit } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * Calls a second for contacts and calls an hour for the rest, by plan. Source: Brevo's API limits page, 2026-08. Contacts
 * have an hourly limit too, of 3,600 times as many: the one a second keeps it.
 */
const rates = {
  general: { contacts: 10, other: 100 },
  advanced: { contacts: 20, other: 200 },
  extended: { contacts: 60, other: 600 },
} as const

export type Tier = keyof typeof rates

type Family = "contacts" | "other" | "processes"

/** Looking at a process is in no named family, so it falls under the hourly limit of all others. */
export const limitsOf = (tier: Tier): { readonly [family in Family]: RateLimit } => {
  const other = { limit: rates[tier].other, windowMillis: 3_600_000 }
  const contacts = { limit: rates[tier].contacts, windowMillis: 1_000 }
  return { contacts, other, processes: { ...other, same: "other" } }
}

/** The limit is the account's: the customer's site and other tools draw on it too. */
export const DEFAULT_SHARE = 0.8

export const BrevoConfig = Schema.Struct({
  api_key: Schema.RedactedFromValue(Schema.NonEmptyString).pipe(
    describe("A v3 API key of the account. Brevo may block keys that call from an IP address it does not know."),
  ),
  tier: Schema.Literals(["general", "advanced", "extended"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("general" as const)),
    describe(
      "The rate limits of the plan: general (Free, Starter, Standard: 10 calls a second), advanced (Professional: 20) or extended (Enterprise: 60). Brevo's own headers correct it.",
    ),
  ),
})
export type BrevoConfig = typeof BrevoConfig.Type

/** Upper case, as Brevo keeps them; `email` and `ext_id` are fields of their own. */
const isAttributeName = (name: string): boolean => /^(?!EMAIL$|EXT_ID$)[A-Z][A-Z0-9_-]*$/.test(name)

const NewAttributes = Schema.Record(Schema.String, Schema.Literals(["text", "date", "float", "boolean"])).check(
  Schema.makeFilter((attributes) => {
    const wrong = Object.keys(attributes).find((name) => !isAttributeName(name))
    return wrong === undefined ? undefined : { path: [wrong], issue: "is no name: capital letters, digits, _ and -" }
  }),
)

const ListId = Schema.Int.check(Schema.isGreaterThan(0))

export const ContactOptions = Schema.Struct({
  lists: Schema.Array(ListId).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed([])),
    describe(
      "Ids of the lists this route manages. A row's listIds says which of them it is on, and it is taken off the others; without listIds in the mapping every row is put on all of them. No other list is touched.",
    ),
  ),
  allow_resubscribe: Schema.Boolean.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(false)),
    describe(
      "Lets a mapped emailBlacklisted or smsBlacklisted of false lift a block, and puts contacts back on lists they unsubscribed from. Only with a consent newer than their unsubscription.",
    ),
  ),
  on_identifier_conflict: Schema.Literals(["drop", "reject", "merge"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("drop" as const)),
    describe(
      "What to do when a phone number, e-mail or ext_id belongs to another contact. drop: leave the phone number out and report it (also for a malformed one); reject the row for an e-mail or ext_id. reject: reject the row. merge: take the other contact over, or where the row has one already let Brevo merge the two, which deletes one for good; blocks and unsubscriptions of both are kept.",
    ),
  ),
  path: Schema.Literals(["auto", "upsert", "import"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("auto" as const)),
    describe(
      "How rows are written. upsert: one by one, with an exact answer each. import: thousands a call, followed to their end, read back and compared; rows that an import cannot carry (false, a cleared value, a new e-mail, a block, a contact that unsubscribed, no list to go to) and rows that did not land are written one by one. auto: import where more rows changed than one by one takes 50 seconds for.",
    ),
  ),
  import_list: Schema.optionalKey(ListId).pipe(
    describe(
      "A list for imports that have no other, for Brevo imports to lists only: rows without a list of the route, and contacts that are on theirs already. Use one that no campaign is sent to, and none of `lists`. Without it such rows are written one by one.",
    ),
  ),
  import_ext_id: Schema.Boolean.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(true)),
    describe(
      "Imports carry ext_id as the attribute EXT_ID. Set false if your account does not take it: rows without it are found when read back and written again, so it costs calls only.",
    ),
  ),
  import_wait_minutes: Schema.Int.check(Schema.isGreaterThan(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(120)),
    describe(
      "How long a run waits for Brevo to finish an import. After that it stops, and the next one goes on waiting.",
    ),
  ),
  create_missing_attributes: NewAttributes.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({})),
    describe(
      "Attributes that a run makes before it writes where the account lacks them, with their type: `{ NICKNAME: text }`. Check and preview make none.",
    ),
  ),
})
export type ContactOptions = typeof ContactOptions.Type
