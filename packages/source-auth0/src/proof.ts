/** How the application proves who it is when it asks for a token: by its secret, or by an assertion that it signs. */
import { type CallReason, type Misconfigured, makeSign, Unauthorized } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { Auth0Config } from "./config.ts"

/** Puts the whole request for a token on, for each attempt anew: Auth0 takes an assertion once (auth0 trap 30). */
export type Proof = (
  request: HttpClientRequest.HttpClientRequest,
) => Effect.Effect<HttpClientRequest.HttpClientRequest, CallReason>

const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/** Auth0 allows five minutes and advises one. */
const SECONDS = 60

export const makeProof: (config: Auth0Config) => Effect.Effect<Proof, Misconfigured> = Effect.fnUntraced(
  function* (config) {
    const { client_id, client_secret, private_key } = config
    const host = `https://${config.domain.toLowerCase()}/`
    const audience = config.audience ?? `${host}api/v2/`
    // https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow
    const asking = (proof: Record<string, string>) =>
      HttpClientRequest.bodyJsonUnsafe({ grant_type: "client_credentials", client_id, ...proof, audience })
    if (client_id !== undefined && client_secret !== undefined) {
      return (request) => Effect.succeed(asking({ client_secret: Redacted.value(client_secret) })(request))
    }
    if (client_id !== undefined && private_key !== undefined) {
      const algorithm = config.signing_algorithm ?? "RS256"
      const sign = yield* makeSign({ privateKey: private_key, algorithm, keyId: config.key_id, path: ["private_key"] })
      const claims = { issuer: client_id, subject: client_id, audience: host, seconds: SECONDS }
      return (request) =>
        Effect.map(sign(claims), (assertion) =>
          asking({ client_assertion_type: ASSERTION, client_assertion: Redacted.value(assertion) })(request),
        )
    }
    return () => Effect.fail(new Unauthorized({ message: "Auth0: there are no credentials." }))
  },
)
