/** What stands before every route of the fake environment: the key, the version, the rate limit, answers that are kept. */
import type { SandboxRequest } from "../exchange.ts"
import { credentials } from "../options.ts"
import type { Gate } from "../vendor.ts"
import { badRequest, failure } from "./errors.ts"
import type { Idempotency } from "./idempotency.ts"
import { type EnvironmentLimit, headersOf } from "./limits.ts"

const versions = [
  "2020-05-18",
  "2021-02-21",
  "2021-07-05",
  "2021-08-18",
  "2022-09-01",
  "2023-01-05",
  "2025-10-27",
  "2025-12-08",
]

export const environmentId = (account: string): string => `env_${account}`

export interface GateOptions {
  readonly account: string
  readonly limit: EnvironmentLimit
  readonly idempotency: Idempotency
}

export const makeGate = ({ account, limit, idempotency }: GateOptions) => {
  let requests = 0
  return (request: SandboxRequest, _: unknown, nowMillis: number): Gate => {
    const id = { "request-id": `req_sandbox${++requests}` }
    if (request.headers.authorization !== `Bearer ${credentials.personaKey}`) {
      return { headers: id, refusal: failure(401, "Must be authenticated to access this endpoint", "Token is invalid") }
    }
    const grant = limit.take(nowMillis)
    const headers = {
      ...id,
      ...headersOf(grant),
      "persona-environment-id": environmentId(account),
      "persona-organization-id": `org_${account}`,
    }
    if (!grant.allowed) return { headers, refusal: failure(429, "Rate limit exceeded", "Too many requests") }
    const version = request.headers["persona-version"]
    if (version !== undefined && !versions.includes(version)) {
      return { headers, refusal: badRequest("Persona-Version is not a version") }
    }
    const kept = idempotency.replay(request)
    return { headers, ...(kept === undefined ? {} : { refusal: kept }) }
  }
}
