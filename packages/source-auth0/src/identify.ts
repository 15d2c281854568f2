/** Whose credentials these are and what they are allowed: asked at the start of each run. */
import { type Identity, type Reader, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Management } from "./management.ts"
import { type Tokens, tenantOf } from "./token.ts"

type Finding = NonNullable<Identity["findings"]>[number]

const findings = (scopes: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const missing: ReadonlyArray<Finding> = scopes.includes("read:users")
    ? []
    : [{ severity: "error", message: "The scope read:users is missing: grant it for the Auth0 Management API." }]
  const writing = scopes.filter((scope) => !scope.startsWith("read:"))
  const unneeded: ReadonlyArray<Finding> =
    writing.length === 0
      ? []
      : [{ severity: "warning", message: `Sluice only reads, and these scopes allow more: ${writing.join(", ")}.` }]
  const providers: ReadonlyArray<Finding> = scopes.includes("read:user_idp_tokens")
    ? [{ severity: "warning", message: "read:user_idp_tokens puts the users' own provider tokens into what is read." }]
    : []
  return [...missing, ...unneeded, ...providers]
}

/** Where no one says what the token may do, reading one user does. */
export const identify = (tokens: Tokens, management: Management, domain: string): Reader["identify"] =>
  Effect.gen(function* () {
    const { claims, scopes } = yield* Effect.mapError(tokens.current, (reason) => new SourceError({ reason }))
    const account = tenantOf(claims, domain)
    if (scopes !== undefined) return { account, label: account, granted: scopes, findings: findings(scopes) }
    const one = { clauses: ["_exists_:user_id"], sort: "created_at:1", page: 0, perPage: 1, fields: ["user_id"] }
    yield* management.search(one)
    return { account, label: account }
  })
