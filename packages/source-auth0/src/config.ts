/** What a pipeline file may say about an Auth0 tenant, and the plans' rate limits. */
import { describe, type RateLimit } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** All other endpoints, jobs among them, where these have a bucket of their own. */
const others = { perMinute: 150, burst: 10 }

/**
 * The bucket of Read Users by plan, as refill a minute and bucket size. Source: Auth0's rate limit policy, 2026-08.
 * Auth0's headers tell the size and so correct a plan that is set wrong; of plans with one size the slower stands first.
 */
const plans = {
  free: { perMinute: 120, burst: 2 },
  essentials: { perMinute: 500, burst: 40 },
  professional: { perMinute: 500, burst: 40 },
  enterprise: { perMinute: 960, burst: 50 },
  enterprise_non_production: { perMinute: 120, burst: 10 },
  private_cloud_dev: { perMinute: 1_200, burst: 20 },
  private_cloud_100: { perMinute: 3_000, burst: 50 },
  private_cloud_500: { perMinute: 15_000, burst: 250 },
  private_cloud_1500: { perMinute: 45_000, burst: 750 },
  private_cloud_3000: { perMinute: 90_000, burst: 1_500 },
  private_cloud_6000: { perMinute: 180_000, burst: 3_000 },
  private_cloud_10000: { perMinute: 300_000, burst: 5_000 },
} as const

export type Plan = keyof typeof plans

const rate = ({ perMinute, burst }: { readonly perMinute: number; readonly burst: number }): RateLimit => ({
  limit: perMinute,
  windowMillis: 60_000,
  burst,
})

const known = [...Object.values(plans), others].map(rate)

export const limitsOf = (
  plan: Plan,
): { readonly users: RateLimit; readonly jobs: RateLimit; readonly token: RateLimit } => ({
  users: { ...rate(plans[plan]), plans: known },
  jobs:
    plan === "essentials" || plan === "professional"
      ? { ...rate(others), plans: known }
      : { ...rate(plans[plan]), plans: known, same: "users" },
  token: { limit: 30, windowMillis: 1_000, burst: 30 },
})

/** The tenant's logins and Actions draw on the same limits. */
export const DEFAULT_SHARE = 0.8

/** A bare host name: whatever a URL parser would read as something else than that very host is refused. */
const isHost = (domain: string): boolean =>
  /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(domain) &&
  URL.canParse(`https://${domain}`) &&
  new URL(`https://${domain}`).host === domain.toLowerCase()

const Domain = Schema.String.check(
  Schema.makeFilter(isHost, { expected: "the tenant's host name alone, such as acme.eu.auth0.com" }),
)

const Host = Schema.String.check(
  Schema.makeFilter(isHost, { expected: "a host name alone, such as files.example.com" }),
)

const secret = Schema.RedactedFromValue(Schema.NonEmptyString)

/** What Auth0 takes of an application that signs. */
const SIGNING = ["RS256", "RS384", "PS256"] as const

const hasCredentials = (config: {
  readonly token?: unknown
  readonly client_id?: unknown
  readonly client_secret?: unknown
  readonly private_key?: unknown
}) => {
  const { token, client_id, client_secret, private_key } = config
  if (client_secret !== undefined && private_key !== undefined) {
    return "set client_secret or private_key: an application proves itself in one way"
  }
  const proven = client_id !== undefined && (client_secret !== undefined || private_key !== undefined)
  return token !== undefined || proven
    ? undefined
    : "set client_id and client_secret (or private_key) of a machine-to-machine application, or a token"
}

export const Auth0Config = Schema.Struct({
  domain: Domain.pipe(
    describe("The tenant's domain, such as acme.eu.auth0.com, or its custom domain. No https:// and no path."),
  ),
  client_id: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe("The id of a machine-to-machine application that may use the Management API with the scope read:users."),
  ),
  client_secret: Schema.optionalKey(secret).pipe(describe("The secret of that application.")),
  private_key: Schema.optionalKey(secret).pipe(
    describe(
      "Instead of a secret: the private key of that application's key pair, as PEM text. Its public half is a credential of the application (Private Key JWT).",
    ),
  ),
  signing_algorithm: Schema.optionalKey(Schema.Literals(SIGNING)).pipe(
    describe("How to sign by the private key, as set for the credential in Auth0. Default RS256."),
  ),
  key_id: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe("The credential's key id (kid), which an application with several keys may need."),
  ),
  token: Schema.optionalKey(secret).pipe(
    describe("A Management API token to try things out, instead of an application. It ends within a day."),
  ),
  audience: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe(
      "The Management API's identifier. Default https://<domain>/api/v2/; with a custom domain it stays https://<tenant>.auth0.com/api/v2/.",
    ),
  ),
  plan: Schema.Literals(Object.keys(plans).filter((name): name is Plan => Object.hasOwn(plans, name))).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("free" as const)),
    describe("The tenant's plan, for the rate limit to begin with. Auth0's own headers correct it."),
  ),
  export_hosts: Schema.optionalKey(Schema.Array(Host)).pipe(
    describe(
      "Hosts that files of exports are read from, for a private cloud. Always among them: user-exports.auth0.com, and the host of `base_url`.",
    ),
  ),
}).check(Schema.makeFilter(hasCredentials))
export type Auth0Config = typeof Auth0Config.Type

/** Auth0's own file server, of a region too: its description shows the first alone. */
const ownFiles = /^user-exports(\.[a-z0-9-]+)?\.auth0\.com$/

/** Which hosts files of exports are read from. */
export const exportHosts = (config: Auth0Config, baseUrl: string | undefined) => {
  const named = (config.export_hosts ?? []).map((host) => host.toLowerCase())
  const stood = baseUrl !== undefined && URL.canParse(baseUrl) ? [new URL(baseUrl).host] : []
  return (host: string): boolean => ownFiles.test(host) || named.includes(host) || stood.includes(host)
}
