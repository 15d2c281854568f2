/** The ways to sign in: what each puts into the request for a token. */
import { type CallReason, makeSign } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { SalesforceConfig } from "../config.ts"
import { audienceOf } from "./hosts.ts"
import { makeRefreshToken, type RefreshToken } from "./refreshToken.ts"

export interface Grant {
  /** The form of a request for a token. Asked for each attempt: an assertion is used once. */
  readonly form: Effect.Effect<Readonly<Record<string, string>>, CallReason>
  /** Takes the token in that the next sign-in needs. */
  readonly keep?: RefreshToken["keep"]
}

/** Salesforce takes assertions of three minutes. */
const ASSERTION_SECONDS = 180

const assertion = Effect.fnUntraced(function* (config: SalesforceConfig, privateKey: Redacted.Redacted) {
  const sign = yield* makeSign({ privateKey, algorithm: "RS256", path: ["private_key"] })
  const claims = {
    issuer: config.client_id,
    subject: config.username ?? "",
    audience: config.audience ?? audienceOf(config.login_url),
    seconds: ASSERTION_SECONDS,
  }
  const grant: Grant = {
    form: Effect.map(sign(claims), (signed) => ({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: Redacted.value(signed),
    })),
  }
  return grant
})

const secretOf = ({ client_id, client_secret }: SalesforceConfig) => ({
  client_id,
  ...(client_secret === undefined ? {} : { client_secret: Redacted.value(client_secret) }),
})

const refreshing = Effect.fnUntraced(function* (config: SalesforceConfig, configured: Redacted.Redacted) {
  const token = yield* makeRefreshToken(configured)
  const grant: Grant = {
    form: Effect.map(token.current, (current) => ({
      grant_type: "refresh_token",
      ...secretOf(config),
      refresh_token: Redacted.value(current),
    })),
    keep: token.keep,
  }
  return grant
})

export const makeGrant = (config: SalesforceConfig) => {
  if (config.private_key !== undefined) return assertion(config, config.private_key)
  if (config.refresh_token !== undefined) return refreshing(config, config.refresh_token)
  const grant: Grant = { form: Effect.succeed({ grant_type: "client_credentials", ...secretOf(config) }) }
  return Effect.succeed(grant)
}
