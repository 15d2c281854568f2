/** What a sandbox is made of, and the fake names and keys it goes by. */
import type { Inflection } from "./persona/inflection.ts"
import type { PersonaField } from "./persona/types.ts"
import type { CustomField } from "./salesforce/objects.ts"

/** `real`: the vendors' numbers. `high`: the same, a hundredfold. `off`: none, and headers of a very large one. */
export type Limits = "real" | "high" | "off"

/** Auth0's Management API limits by plan, auth0.md §5. */
export type Auth0Plan = "free" | "professional" | "enterprise" | "enterprise-dev"

/** Brevo's limits by plan, brevo.md §4. */
export type BrevoPlan = "general" | "advanced" | "extended"

export interface SandboxOptions {
  /** Generated users, up to 1,000,000. */
  readonly users: number
  readonly seed: number
  readonly limits: Limits
  /** Adds what real tenants hold: no e-mail, shared e-mails, bad phones, odd text, wrong types. Default false. */
  readonly messy?: boolean
  /** Names the fake tenant and the fake Brevo account; two names are two accounts. Default `sandbox`. */
  readonly account?: string
  /** Default `professional`. */
  readonly auth0Plan?: Auth0Plan
  /** Default `general`. */
  readonly brevoPlan?: BrevoPlan
  /** The largest page of GET /users; a larger `per_page` is cut to it without an error. Default 100. */
  readonly maxPerPage?: 50 | 100
  /** Lifetime of an access token in seconds. Default 86,400. */
  readonly tokenSeconds?: number
  /** Registers a key with the fake client, which then proves itself by assertions alone, no more by its secret. */
  readonly clientKey?: ClientKey
  /** What the fake client was granted. Default `read:users`. */
  readonly scopes?: ReadonlyArray<string>
  /** Milliseconds until a change can be found by search. Default 0. */
  readonly indexLagMillis?: number
  /** So many users share one millisecond of `created_at`, as after a bulk import. Default 0. */
  readonly importedAtOnce?: number
  /**
   * When the newest generated user was created, in milliseconds since 1970. A clock that shows less, such as a
   * TestClock at 0, counts from here. Default 2026-11-01.
   */
  readonly until?: number
  /** How long an Auth0 export job takes, in milliseconds. Default 3,000. */
  readonly exportMillis?: number
  /** Attributes the Brevo account already has beside the vendor's own. Default: those that `configs/` map to. */
  readonly attributes?: ReadonlyArray<AttributeSpec>
  /** Milliseconds from the answer of POST /contacts/import to the moment its rows take effect. Default 1,000. */
  readonly importMillis?: number
  /** Whether an import stores `false`. Default false: brevo.md §3.3 has it ignored; nobody has seen 2026's API do either. */
  readonly importsFalse?: boolean
  /** Whether an import takes EXT_ID among a row's attributes or ignores it. Default true; as unproven. */
  readonly importsExtId?: boolean
  /** Writes kept in the journal. Default 200,000. */
  readonly journalLimit?: number
  readonly salesforce?: SalesforceOptions
  readonly persona?: PersonaOptions
}

/** The fake Persona environment. What nobody has documented can be had either way. */
export interface PersonaOptions {
  /** What `meta.upsert-by` calls the reference id; `none` takes no upsert. Default `reference-id`. */
  readonly upsertBy?: "reference-id" | "reference_id" | "none"
  /** Whether a null clears what is there. Default true. */
  readonly nullClears?: boolean
  /** What the key's owner set in the dashboard, for requests that do not say. Default kebab. */
  readonly inflection?: Inflection
  /** The fields of the account type. Default: those that `configs/` map to. */
  readonly fields?: ReadonlyArray<PersonaField>
}

/** The fake Salesforce org, and the app that signs in to it. */
export interface SalesforceOptions {
  /** How long a session lasts unused, in seconds. Default 7,200. */
  readonly sessionSeconds?: number
  /** A refresh token is good for one use, and using it twice revokes the grant. Default false. */
  readonly rotateRefreshTokens?: boolean
  /** PEM of the certificate or public key that the app's assertions are signed for. */
  readonly publicKey?: string
  /** Calls in a rolling day. Default 100,000, times the factor of `limits`. */
  readonly dailyRequests?: number
  /** Default false. */
  readonly personAccounts?: boolean
  /** Custom fields beside those that `configs/` map to; a field of a name that exists replaces it. */
  readonly fields?: ReadonlyArray<CustomField>
  /** Milliseconds that a Bulk job takes from UploadComplete to its end. Default 2,000. */
  readonly bulkMillis?: number
}

/** A credential of an Auth0 application for Private Key JWT. */
export interface ClientKey {
  /** PEM, SPKI. */
  readonly publicKey: string
  /** Default RS256. */
  readonly algorithm?: "RS256" | "RS384" | "PS256"
}

/** A Brevo contact attribute, brevo.md §3.6. */
export interface AttributeSpec {
  readonly name: string
  readonly category: "normal" | "transactional" | "category" | "calculated" | "global"
  readonly type?: "text" | "date" | "float" | "id" | "boolean" | "multiple-choice"
  readonly enumeration?: ReadonlyArray<{ readonly value: number; readonly label: string }>
  readonly multiCategoryOptions?: ReadonlyArray<string>
  readonly calculatedValue?: string
}

export const defaultUntil = Date.UTC(2026, 10, 1)

/** Obviously fake credentials, the same for every sandbox. */
export const credentials = {
  clientId: "sandbox-client-id",
  clientSecret: "sandbox-client-secret",
  apiKey: "xkeysib-sandbox-not-a-real-key",
  personaKey: "persona_sandbox_not-a-real-key",
  /** Of the Salesforce app. */
  consumerKey: "3MVG9sandbox.not.a.real.key",
  consumerSecret: "sandbox-consumer-secret",
  refreshToken: "5Aep-sandbox-not-a-real-refresh-token",
  username: "integration@sandbox.example.com",
} as const

/** The ids of the lists that exist from the start. */
export const lists = { all: 20, verified: 21, social: 22, imports: 23 } as const

export const tenantDomain = (account: string): string => `${account}.auth0.example.com`
