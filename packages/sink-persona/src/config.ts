/** What a pipeline file may say about Persona: the connection's keys, the options of its objects, and the rate. */
import { describe, type RateLimit } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * Calls a minute of one environment, all its keys together: the limit that the customer's live checks of people draw on
 * too. https://docs.withpersona.com/rate-limiting
 */
export const limits: { readonly calls: RateLimit } = { calls: { limit: 300, windowMillis: 60_000 } }

/** What is left over is for people who are being verified right now. */
export const DEFAULT_SHARE = 0.8

/** Read off the samples in Persona's documentation: a key of another form is taken as it is. */
const kindOf = (key: string): string | undefined => /^persona_(sandbox|production)_/.exec(key)?.[1]

export const PersonaConfig = Schema.Struct({
  api_key: Schema.RedactedFromValue(Schema.NonEmptyString).pipe(
    describe("An API key of the environment to write to. A key belongs to one environment."),
  ),
  environment: Schema.optionalKey(Schema.Literals(["sandbox", "production"])).pipe(
    describe("Which environment the key must be of; a file that names it cannot be run with the key of another."),
  ),
  environment_id: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe("The id of the environment that must answer (env_…). Another one is never written to."),
  ),
}).check(
  Schema.makeFilter(({ api_key, environment }) => {
    const kind = kindOf(Redacted.value(api_key))
    return environment === undefined || kind === undefined || kind === environment
      ? undefined
      : { path: ["api_key"], issue: `is a key of the ${kind} environment, and \`environment\` says ${environment}` }
  }),
)
export type PersonaConfig = typeof PersonaConfig.Type

const id = (prefix: string, of: string) =>
  Schema.String.check(Schema.isPattern(new RegExp(`^${prefix}_\\w+$`), { expected: `the id of ${of}, ${prefix}_…` }))

export const AccountOptions = Schema.Struct({
  account_type: Schema.optionalKey(id("acttp", "an account type")).pipe(
    describe(
      "The account type of these accounts. Needed for fields of its own (fields.NAME), which are checked against it; without it new accounts get the environment's default type.",
    ),
  ),
  tags: Schema.Literals(["add", "remove", "set"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("add" as const)),
    describe(
      "What a row's tags do. add: the account gets them beside those it has. remove: it loses them. set: it has them and no other; tags that people gave it by hand go.",
    ),
  ),
  look: Schema.Literals(["all", "new"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("all" as const)),
    describe(
      "Which accounts are looked at before they are written, a hundred in a call. all: every one, so that nothing is written to a person whose data was redacted at Persona meanwhile. new: those that this pipeline has not written before; the others cost one call less in a hundred.",
    ),
  ),
  allow_email_reference: Schema.Boolean.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(false)),
    describe(
      "Lets a reference_id be an e-mail address. Persona does not protect reference ids as personal data, and a new address would make a second account.",
    ),
  ),
  clear: Schema.Literals(["null", "empty"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("null" as const)),
    describe(
      "How a null is sent: null, or an empty text. Persona does not document how a field is cleared; a field that did not change is reported as dropped.",
    ),
  ),
})
export type AccountOptions = typeof AccountOptions.Type

const NINETY_DAYS = 90 * 86_400

export const CaseOptions = Schema.Struct({
  template: id("ctmpl", "a case template").pipe(
    describe("The case template that cases are opened from, such as ctmpl_acme."),
  ),
  sla_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: NINETY_DAYS }))).pipe(
    describe("Seconds until a new case is overdue, up to 90 days."),
  ),
})
export type CaseOptions = typeof CaseOptions.Type
