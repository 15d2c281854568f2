/** Access tokens of the fake tenant: client credentials in, something shaped like a JWT out. auth0.md §4. */
import { isObject, json, own, parseJson, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import { credentials, type SandboxOptions, tenantDomain } from "../options.ts"
import { mix } from "../random.ts"
import { makeAssertions } from "./assertions.ts"
import { oauthFailure } from "./errors.ts"

export interface Tokens {
  readonly issue: (request: SandboxRequest, nowMillis: number) => SandboxAnswer
  /** Why a request with this Authorization header is not let in, or the scopes it has. */
  readonly check: (authorization: string | undefined, nowMillis: number) => TokenCheck
  readonly expireAll: () => void
}

export type TokenCheck =
  | { readonly _tag: "Granted"; readonly scopes: ReadonlyArray<string> }
  | { readonly _tag: "Refused"; readonly message: string; readonly errorCode?: string }

const base64url = (value: unknown): string =>
  btoa(typeof value === "string" ? value : JSON.stringify(value))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")

/** A signature of the right length that signs nothing. */
const fakeSignature = (seed: number): string =>
  base64url(Array.from({ length: 256 }, (_, place) => String.fromCharCode(mix(seed, place) & 0xff)).join(""))

/** A form or JSON; anything else is not a token request. */
const readBody = ({ headers, body }: SandboxRequest): ReadonlyMap<string, unknown> | undefined => {
  if ((headers["content-type"] ?? "").includes("application/x-www-form-urlencoded"))
    return new Map(new URLSearchParams(body))
  const parsed = parseJson(body)
  return isObject(parsed) ? new Map(Object.keys(parsed).map((key) => [key, own(parsed, key)])) : undefined
}

const bySecret = (body: ReadonlyMap<string, unknown>): SandboxAnswer | undefined =>
  body.get("client_id") === credentials.clientId && body.get("client_secret") === credentials.clientSecret
    ? undefined
    : oauthFailure(401, "access_denied", "Unauthorized")

export const makeTokens = (options: SandboxOptions): Tokens => {
  const domain = tenantDomain(options.account ?? "sandbox")
  const audience = `https://${domain}/api/v2/`
  const seconds = options.tokenSeconds ?? 86_400
  const scopes = options.scopes ?? ["read:users"]
  const assertions = options.clientKey === undefined ? undefined : makeAssertions(options.clientKey, domain)
  const valid = new Map<string, number>()
  let issued = 0

  const sign = (nowMillis: number): string => {
    const iat = Math.floor(nowMillis / 1000)
    const claims = {
      iss: `https://${domain}/`,
      sub: `${credentials.clientId}@clients`,
      aud: audience,
      iat,
      exp: iat + seconds,
      scope: scopes.join(" "),
      gty: "client-credentials",
      azp: credentials.clientId,
      jti: `sandbox-${issued++}`,
    }
    const header = { alg: "RS256", typ: "JWT", kid: "sandbox" }
    return `${base64url(header)}.${base64url(claims)}.${fakeSignature(issued)}`
  }

  const issue = (request: SandboxRequest, nowMillis: number): SandboxAnswer => {
    const body = readBody(request)
    if (body === undefined) return oauthFailure(400, "invalid_request", "the body is neither a form nor JSON")
    if (body.get("grant_type") !== "client_credentials") {
      return oauthFailure(403, "unsupported_grant_type", "Unsupported grant type")
    }
    const refusal = assertions === undefined ? bySecret(body) : assertions(body, nowMillis)
    if (refusal !== undefined) return refusal
    if (body.get("audience") !== audience) {
      return oauthFailure(403, "access_denied", `Service not enabled within domain: ${String(body.get("audience"))}`)
    }
    if (scopes.length === 0)
      return oauthFailure(403, "access_denied", `Client is not authorized to access "${audience}"`)
    const token = sign(nowMillis)
    for (const [old, until] of valid) if (until <= nowMillis) valid.delete(old)
    valid.set(token, nowMillis + seconds * 1000)
    return json(200, { access_token: token, scope: scopes.join(" "), expires_in: seconds, token_type: "Bearer" })
  }

  const check = (authorization: string | undefined, nowMillis: number): TokenCheck => {
    if (authorization === undefined) return { _tag: "Refused", message: "Missing authentication" }
    const token = /^Bearer (.+)$/.exec(authorization)?.[1]
    const until = token === undefined ? undefined : valid.get(token)
    if (until === undefined) return { _tag: "Refused", message: "Invalid token", errorCode: "invalid_token" }
    if (until <= nowMillis) {
      const message = "Expired token received for JSON Web Token validation"
      return { _tag: "Refused", message, errorCode: "invalid_token" }
    }
    return { _tag: "Granted", scopes }
  }

  return { issue, check, expireAll: () => valid.clear() }
}
