/** Auth0's side of the conformance suites: tenants of the sandbox. */
import type { SourceConformance } from "@sluice/core/testing"
import { credentials, httpClient, makeSandbox, type SandboxOptions, tenantDomain } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import { type Auth0Config, source } from "../src/index.ts"

const makeOrigin = (options: Partial<SandboxOptions>) =>
  Effect.map(makeSandbox({ users: 260, seed: 1, limits: "high", ...options }), (sandbox) => {
    const { control, counters } = sandbox
    return {
      client: httpClient(sandbox),
      keys: () => [...control.users()].map((user) => user.user_id),
      writes: () => counters.requests.auth0.writes,
      expire: control.expireTokens,
      touch: (key: string) => void control.upsertUser({ user_id: key, nickname: "touched" }),
    }
  })

const users: SourceConformance<Auth0Config> = {
  source,
  name: "users",
  config: {
    domain: tenantDomain("sandbox"),
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
  },
  stream: "users",
  key: "user_id",
  fields: ["user_id", "email", "user_metadata"],
  own: ["created_at", "updated_at"],
  throttled: { status: 429, body: { errorCode: "too_many_requests" }, headers: { "retry-after": "7" } },
  origin: () => makeOrigin({}),
}

/** In a test of its own: its pages come at once, so that a run stopped at the first row has settled none of them. */
export const byExport = { ...users, name: "users, by an export", options: { read: "export", per_page: 10 } }

export const suites = [
  users,
  { ...users, name: "users, pages cut to 50", origin: () => makeOrigin({ maxPerPage: 50, users: 170 }) },
  {
    ...users,
    name: "users as real tenants have them, many created at once",
    untidy: true,
    // A position holds the ids of a small tie only.
    repeats: 130,
    without: ["records fit the stream's schema"],
    origin: () => makeOrigin({ messy: true, importedAtOnce: 130 }),
  },
]
