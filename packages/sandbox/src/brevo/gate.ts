/** What stands before every route of the fake Brevo: the key and the rate limits. A report's address takes no key. */
import type { SandboxRequest } from "../exchange.ts"
import { credentials, type SandboxOptions } from "../options.ts"
import type { Gate, Route } from "../vendor.ts"
import { failure, tooMany } from "./errors.ts"
import { headersOf, limitersOf } from "./limits.ts"

export const makeGate = (options: SandboxOptions) => {
  const limiters = limitersOf(options.brevoPlan ?? "general", options.limits)
  return ({ headers }: SandboxRequest, { pattern }: Route, nowMillis: number): Gate => {
    const key = headers["api-key"]
    if (pattern.startsWith("/reports/")) {
      return key === undefined ? { headers: {} } : { headers: {}, refusal: failure(400, "bad_request", "a key leaked") }
    }
    if (key === undefined)
      return { headers: {}, refusal: failure(401, "unauthorized", "authentication not found in headers") }
    if (key !== credentials.apiKey) return { headers: {}, refusal: failure(401, "unauthorized", "Key not found") }
    const grant = limiters[pattern.startsWith("/contacts") ? "contacts" : "other"].take(nowMillis)
    return { headers: headersOf(grant), ...(grant.allowed ? {} : { refusal: tooMany({}) }) }
  }
}
