/** The users stream as a pipeline file sees it: its options and the fields that a mapping can read. */
import { describe } from "@sluice/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const flag = (description: string) =>
  Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false)), describe(description))

const Span = Schema.DurationFromString.check(
  Schema.makeFilter((overlap) => Duration.isFinite(overlap) && !Duration.isNegative(overlap), {
    expected: "a duration such as 10 minutes",
  }),
)

export const UserOptions = Schema.Struct({
  query: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe(
      'A search in Auth0\'s query syntax v3 that users must match, such as user_metadata.plan:"pro". Ranges and wildcards work on root fields only, and users whose field is absent, null or empty never match.',
    ),
  ),
  connection: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe("Only users with an identity of this connection, by its name."),
  ),
  active_only: flag("Leaves out users that an administrator blocked."),
  verified_only: flag("Only users whose e-mail address is verified."),
  overlap: Span.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("10 minutes")),
    describe(
      "How far before the last change seen an incremental run starts, because Auth0's search lags behind. Users read again and unchanged cost no write.",
    ),
  ),
  read: Schema.Literals(["auto", "search", "export"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("auto" as const)),
    describe(
      "How a whole scan reads. `search` takes a call for each 99 users. `export` starts an export job at Auth0 and reads its file: a few calls however many users, and minutes of waiting. `auto` takes the export from 10,000 users on, where it brings the same: not with `query`, nor where a mapping reads the whole record. With `export` a whole record has the fields below, without those that identity providers add. Changes since the last run always come by search, and so does a preview.",
    ),
  ),
  export_wait: Span.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("2 hours")),
    describe("How long a run waits for an export job. A later run within 24 hours goes on waiting for the same job."),
  ),
  per_page: Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 100 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100)),
    describe("Users to ask for in one call, from 10 to 100. Auth0 may give fewer."),
  ),
})
export type UserOptions = typeof UserOptions.Type

const text = Schema.optionalKey(Schema.String)
const anything = Schema.optionalKey(Schema.JsonObject)

/** Nothing but `user_id` is certain; identity providers add root fields of their own, which mappings can read too. */
export const UserRecord = Schema.Struct({
  user_id: Schema.String,
  email: text,
  email_verified: Schema.optionalKey(Schema.Boolean),
  username: text,
  phone_number: text,
  phone_verified: Schema.optionalKey(Schema.Boolean),
  created_at: text,
  updated_at: text,
  // user_id is a string or an integer there.
  identities: Schema.optionalKey(Schema.Array(Schema.JsonObject)),
  app_metadata: anything,
  user_metadata: anything,
  picture: text,
  name: text,
  nickname: text,
  given_name: text,
  family_name: text,
  last_ip: text,
  last_login: text,
  last_password_reset: text,
  logins_count: Schema.optionalKey(Schema.Int),
  blocked: Schema.optionalKey(Schema.Boolean),
  multifactor: Schema.optionalKey(Schema.Array(Schema.String)),
})
