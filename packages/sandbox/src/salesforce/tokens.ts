/** The token endpoint: client credentials at My Domain, JWT bearer, refresh token. salesforce.md §1. */
import { createHmac } from "node:crypto"
import { json, type Now, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import { credentials, type SalesforceOptions } from "../options.ts"
import type { Route } from "../vendor.ts"
import { oauthFailure } from "./errors.ts"
import { checkAssertion } from "./jwt.ts"
import { integrationUser } from "./org.ts"
import { isLoginHost, myDomain } from "./places.ts"

export interface Tokens {
  readonly routes: ReadonlyArray<Route>
  /** Whether a request with this Authorization header is let in. A session lives on with each use. */
  readonly check: (authorization: string | undefined) => boolean
  readonly expireAll: () => void
  /** What an administrator uploads to the app: the certificate or public key that assertions are signed for. */
  readonly certificate: (pem: string) => void
}

const orgId = "00D5g0000000001EAA"
const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

/** Logins of a user in an hour. */
const maxLogins = 3_600

interface Client {
  readonly id: string | undefined
  readonly secret: string | undefined
}

const basicOf = (authorization: string | undefined): Client => {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? "")?.[1]
  if (encoded === undefined) return { id: undefined, secret: undefined }
  const [id, secret] = Buffer.from(encoded, "base64").toString("utf8").split(":")
  return { id, secret }
}

export const makeTokens = (options: SalesforceOptions, now: Now): Tokens => {
  const sessionMillis = (options.sessionSeconds ?? 7_200) * 1000
  const sessions = new Map<string, number>()
  let pem = options.publicKey
  let issued = 0
  let refreshToken: string = credentials.refreshToken
  /** Once a token that was rotated away is used again, the whole grant is revoked. */
  let revoked = false
  let logins: Array<number> = []

  const grant = (request: SandboxRequest, extra: object = {}): SandboxAnswer => {
    const base = isLoginHost(request.base) ? myDomain : (request.base ?? "")
    const hourAgo = now() - 3_600_000
    logins = [...logins.filter((time) => time > hourAgo), now()]
    if (logins.length > maxLogins) return oauthFailure("invalid_grant", "login rate exceeded")
    const access_token = `00D5g0000000001!AR${String(issued++).padStart(6, "0")}sandbox.not.a.real.token`
    for (const [old, until] of sessions) if (until <= now()) sessions.delete(old)
    sessions.set(access_token, now() + sessionMillis)
    const issued_at = String(now())
    const id = `${base}/id/${orgId}/${integrationUser}`
    return json(200, {
      access_token,
      signature: createHmac("sha256", "sandbox").update(`${id}${issued_at}`).digest("base64"),
      scope: "api refresh_token",
      instance_url: base,
      id,
      token_type: "Bearer",
      issued_at,
      ...extra,
    })
  }

  const clientCredentials = (request: SandboxRequest, { id, secret }: Client): SandboxAnswer => {
    if (isLoginHost(request.base)) return oauthFailure("invalid_grant", "request not supported on this domain")
    if (id !== credentials.consumerKey) return oauthFailure("invalid_client_id", "client identifier invalid")
    if (secret !== credentials.consumerSecret) return oauthFailure("invalid_client", "invalid client credentials")
    return grant(request, { token_format: "opaque" })
  }

  const refresh = (request: SandboxRequest, { id, secret }: Client, sent: string | null): SandboxAnswer => {
    if (id !== credentials.consumerKey) return oauthFailure("invalid_client_id", "client identifier invalid")
    if (secret !== undefined && secret !== credentials.consumerSecret)
      return oauthFailure("invalid_client", "invalid client credentials")
    if (sent !== refreshToken) {
      const isOld = sent?.startsWith(credentials.refreshToken)
      if (isOld === true && options.rotateRefreshTokens === true) revoked = true
      return oauthFailure("invalid_grant", "expired access/refresh token")
    }
    if (revoked) return oauthFailure("invalid_grant", "expired access/refresh token")
    if (options.rotateRefreshTokens !== true) return grant(request)
    refreshToken = `${credentials.refreshToken}-${issued + 1}`
    return grant(request, { refresh_token: refreshToken })
  }

  const token = (request: SandboxRequest): SandboxAnswer => {
    const form = new URLSearchParams(request.body)
    const basic = basicOf(request.headers.authorization)
    const client = {
      id: form.get("client_id") ?? basic.id,
      secret: form.get("client_secret") ?? basic.secret,
    }
    switch (form.get("grant_type")) {
      case "client_credentials":
        return clientCredentials(request, client)
      case "refresh_token":
        return refresh(request, client, form.get("refresh_token"))
      case jwtGrant: {
        const refusal = checkAssertion(form.get("assertion") ?? "", pem, now())
        return refusal === undefined ? grant(request) : oauthFailure("invalid_grant", refusal)
      }
      case "password":
        return oauthFailure("invalid_grant", "authentication failure")
      default:
        return oauthFailure("unsupported_grant_type", "grant type not supported")
    }
  }

  const introspect = ({ body }: SandboxRequest): SandboxAnswer => {
    const until = sessions.get(new URLSearchParams(body).get("token") ?? "")
    if (until === undefined || until <= now()) return json(200, { active: false })
    const exp = Math.floor(until / 1000)
    return json(200, { active: true, scope: "api refresh_token", client_id: credentials.consumerKey, exp })
  }

  const revoke = ({ body, query }: SandboxRequest): SandboxAnswer => {
    const sent = new URLSearchParams(body).get("token") ?? query.get("token") ?? ""
    if (sent === refreshToken) revoked = true
    else if (!sessions.delete(sent)) return oauthFailure("invalid_token", "invalid token")
    return { status: 200, headers: {}, body: "" }
  }

  return {
    routes: [
      { method: "POST", pattern: "/services/oauth2/token", kind: "read", run: token },
      { method: "POST", pattern: "/services/oauth2/introspect", kind: "read", run: introspect },
      { method: "POST", pattern: "/services/oauth2/revoke", kind: "read", run: revoke },
    ],
    check: (authorization) => {
      const sent = /^(?:Bearer|OAuth) (.+)$/.exec(authorization ?? "")?.[1] ?? ""
      const until = sessions.get(sent)
      if (until === undefined || until <= now()) return false
      sessions.set(sent, now() + sessionMillis)
      return true
    },
    expireAll: () => sessions.clear(),
    certificate: (next) => {
      pem = next
    },
  }
}
