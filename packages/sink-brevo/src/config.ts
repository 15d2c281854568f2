/** What a pipeline file may say about Brevo: the connection's keys, a contact route's options, and the plan's rates. */
import { describe, type RateLimit } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Calls a second for contacts and calls an hour for the rest, by plan. Source: Brevo's API limits page, 2026-08. */
const rates = {
  general: { contacts: 10, other: 100 },
  advanced: { contacts: 20, other: 200 },
  extended: { contacts: 60, other: 600 },
} as const

export type Tier = keyof typeof rates

export const limitsOf = (tier: Tier): { readonly contacts: RateLimit; readonly other: RateLimit } => ({
  contacts: { limit: rates[tier].contacts, windowMillis: 1_000 },
  other: { limit: rates[tier].other, windowMillis: 3_600_000 },
})

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

export const ContactOptions = Schema.Struct({
  lists: Schema.Array(Schema.Int.check(Schema.isGreaterThan(0))).pipe(
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
})
export type ContactOptions = typeof ContactOptions.Type
