/** What a pipeline file may say about a Salesforce organization: how to sign in, and what to spare. */
import { describe, type RateLimit } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isLogin, isMyDomain } from "./signin/hosts.ts"

/** The part of the day's calls that a run may use, the calls of all other clients counted in. */
export const DEFAULT_SHARE = 0.8

/**
 * Salesforce has no limit a second: it bounds the day, and how many calls may run long at once (write/pace.ts). This one
 * only keeps a mistake of ours from being a flood.
 */
const plenty: RateLimit = { limit: 100, windowMillis: 1_000 }
export const limits = { calls: plenty, token: plenty }

const text = Schema.NonEmptyString
const secret = Schema.RedactedFromValue(Schema.NonEmptyString)

/** Calls in flight that the vendor allows to run long: 25, or 5 in trials. A few of them are ours. */
const Concurrency = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))

interface Credentials {
  readonly login_url: string
  readonly client_secret?: unknown
  readonly username?: unknown
  readonly private_key?: unknown
  readonly refresh_token?: unknown
}

const signIn = (config: Credentials) => {
  const ways = [config.private_key, config.refresh_token].filter((each) => each !== undefined)
  if (ways.length > 1) return "set private_key or refresh_token, not both"
  if (config.private_key !== undefined) {
    return config.username === undefined ? "private_key needs the username it signs in" : undefined
  }
  if (config.refresh_token !== undefined) return undefined
  if (config.client_secret === undefined) {
    return "set client_secret of an External Client App, or private_key and username, or refresh_token"
  }
  return isLogin(config.login_url) && !isMyDomain(config.login_url)
    ? "with client_secret alone login_url must be the company's My Domain, such as https://acme.my.salesforce.com"
    : undefined
}

const LoginUrl = Schema.String.check(
  Schema.makeFilter((url: string) => URL.canParse(url), {
    expected: "an address such as https://acme.my.salesforce.com",
  }),
)

export const SalesforceConfig = Schema.Struct({
  login_url: LoginUrl.pipe(
    describe(
      "Where to sign in: the company's My Domain, such as https://acme.my.salesforce.com or https://acme--uat.sandbox.my.salesforce.com. With a private key or a refresh token also https://login.salesforce.com or https://test.salesforce.com.",
    ),
  ),
  client_id: text.pipe(describe("The consumer key of an External Client App with the scope api.")),
  client_secret: Schema.optionalKey(secret).pipe(
    describe("The consumer secret. Alone it signs in as the app's run-as user (client credentials flow)."),
  ),
  username: Schema.optionalKey(text).pipe(describe("The user to act as, for a private key (JWT bearer flow).")),
  private_key: Schema.optionalKey(secret).pipe(
    describe("The private key of the certificate in the app, as PEM; best kept in a file of its own."),
  ),
  refresh_token: Schema.optionalKey(secret).pipe(
    describe(
      "A refresh token of the app. If it rotates, the newest one is kept in the state, of this pipeline alone: give other pipelines tokens of their own.",
    ),
  ),
  audience: Schema.optionalKey(text).pipe(
    describe(
      "The audience of the assertion for a private key, where it is neither login nor test: a community's address.",
    ),
  ),
  api_version: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^\d{2,3}\.0$/, { expected: "a version such as 67.0" })),
  ).pipe(
    describe("The version of the API. Without it: the newest this plugin was tested with that the organization has."),
  ),
  client: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/, { expected: "letters, digits, _ and -" })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("sluice")),
    describe(
      "The name that writes carry (Sforce-Call-Options), by which change events tell them from others: for the end of a loop.",
    ),
  ),
  concurrency: Concurrency.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(4)),
    describe("The most writes in flight. Fewer while they take long, or rows are locked."),
  ),
  on_quota: Schema.Literals(["stop", "wait"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("stop" as const)),
    describe(
      "What to do when the organization has used the part of its daily calls that `share` allows (0.8 without it; calls of all clients count). stop: the run ends, resumable. wait: it goes on when calls are free again, looking every 15 minutes, for a day at most.",
    ),
  ),
}).check(Schema.makeFilter(signIn))
export type SalesforceConfig = typeof SalesforceConfig.Type
