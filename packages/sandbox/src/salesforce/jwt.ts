/** The assertion of the JWT bearer flow: signed with the app's key, for a user, for five minutes at most. salesforce.md §1. */
import { createPublicKey, verify } from "node:crypto"
import { isObject, own, parseJson } from "../exchange.ts"
import { credentials } from "../options.ts"

const audiences = new Set(["https://login.salesforce.com", "https://test.salesforce.com"])

const part = (text: string | undefined): unknown => parseJson(Buffer.from(text ?? "", "base64url").toString("utf8"))

const isSigned = (text: string, signature: string, pem: string): boolean => {
  try {
    return verify("RSA-SHA256", Buffer.from(text), createPublicKey(pem), Buffer.from(signature, "base64url"))
  } catch {
    return false
  }
}

/** Why it is refused. */
export const checkAssertion = (assertion: string, pem: string | undefined, nowMillis: number): string | undefined => {
  const [header, claims, signature = ""] = assertion.split(".")
  const [head, body] = [part(header), part(claims)]
  if (!isObject(head) || !isObject(body) || own(head, "alg") !== "RS256") return "invalid assertion"
  if (own(body, "iss") !== credentials.consumerKey) return "client identifier invalid"
  if (own(body, "sub") !== credentials.username) return "user hasn't approved this consumer"
  if (!audiences.has(String(own(body, "aud")))) return "audience is invalid"
  const exp = own(body, "exp")
  const left = typeof exp === "number" ? exp * 1000 - nowMillis : Number.NaN
  // A clock may be a little off; a distant end is refused as well.
  if (!(left > -30_000 && left <= 5 * 60_000)) return "expired authorization code"
  return pem !== undefined && isSigned(`${header}.${claims}`, signature, pem) ? undefined : "invalid assertion"
}
