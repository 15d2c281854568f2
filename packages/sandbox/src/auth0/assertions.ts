/** Private Key JWT: whether an assertion is the registered client's, and fresh. auth0.md §4. */
import { createPublicKey, verify } from "node:crypto"
import { isObject, type JsonObject, own, parseJson, type SandboxAnswer } from "../exchange.ts"
import { type ClientKey, credentials } from "../options.ts"
import { oauthFailure } from "./errors.ts"

const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
const LONGEST_SECONDS = 300
const SKEW_SECONDS = 10

const schemes = {
  RS256: { hash: "sha256" },
  RS384: { hash: "sha384" },
  PS256: { hash: "sha256", padding: 6, saltLength: 32 },
} as const

const decoded = (part: string | undefined): JsonObject => {
  const value = parseJson(Buffer.from(part ?? "", "base64url").toString())
  return isObject(value) ? value : {}
}

/** What is wrong with the claims, if anything. */
const wrongClaims = (claims: JsonObject, audience: string, now: number): string | undefined => {
  const [exp, iat, nbf] = ["exp", "iat", "nbf"].map((name) => own(claims, name))
  if (own(claims, "iss") !== credentials.clientId || own(claims, "sub") !== credentials.clientId)
    return "iss and sub must be the client_id"
  if (own(claims, "aud") !== audience) return "unexpected aud"
  if (typeof exp !== "number" || exp <= now) return "the assertion has expired"
  if (exp > now + LONGEST_SECONDS) return "the assertion is valid for too long"
  const early = [iat, nbf].some(
    (time) => time !== undefined && !(typeof time === "number" && time <= now + SKEW_SECONDS),
  )
  return early ? "the assertion is not valid yet" : undefined
}

/** Answers why the request is not let in; each assertion is let in once. */
export const makeAssertions = ({ publicKey, algorithm = "RS256" }: ClientKey, domain: string) => {
  const { hash, ...padding } = schemes[algorithm]
  const key = { key: createPublicKey(publicKey), ...padding }
  const used = new Map<string, number>()

  const problem = (body: ReadonlyMap<string, unknown>, now: number): string | undefined => {
    const assertion = body.get("client_assertion")
    if (body.has("client_secret") || typeof assertion !== "string") return "the client authenticates by an assertion"
    if (body.get("client_assertion_type") !== TYPE) return "unknown client_assertion_type"
    if (body.get("client_id") !== credentials.clientId) return "unknown client"
    const [header, payload, signature] = assertion.split(".")
    if (own(decoded(header), "alg") !== algorithm) return "unexpected alg"
    const signed = Buffer.from(`${header}.${payload}`)
    if (!verify(hash, signed, key, Buffer.from(signature ?? "", "base64url"))) return "the signature does not verify"
    const claims = decoded(payload)
    const wrong = wrongClaims(claims, `https://${domain}/`, now)
    if (wrong !== undefined) return wrong
    const jti = own(claims, "jti")
    for (const [id, until] of used) if (until <= now) used.delete(id)
    if (typeof jti !== "string" || used.has(jti)) return "jti is missing or was used before"
    used.set(jti, Number(own(claims, "exp")))
    return undefined
  }

  return (body: ReadonlyMap<string, unknown>, nowMillis: number): SandboxAnswer | undefined => {
    const found = problem(body, Math.floor(nowMillis / 1000))
    return found === undefined ? undefined : oauthFailure(401, "invalid_client", found)
  }
}
