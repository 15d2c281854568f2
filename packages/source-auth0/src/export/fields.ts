/** Which fields an export can bring, and which scans it can do. */
import { Misconfigured, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import { judged } from "../find.ts"
import { fieldsOf, type UsersRequest } from "../request.ts"

/**
 * All that Auth0 describes as exportable. What identity providers add at the root comes only where a mapping names it.
 * Source: Auth0's user profile structure, 2026-08.
 */
const described = [
  "user_id",
  "created_at",
  "updated_at",
  "email",
  "email_verified",
  "username",
  "phone_number",
  "phone_verified",
  "identities",
  "app_metadata",
  "user_metadata",
  "picture",
  "name",
  "nickname",
  "given_name",
  "family_name",
  "multifactor",
  "multifactor_last_modified",
  "last_ip",
  "last_login",
  "last_password_reset",
  "logins_count",
  "blocked",
]

const withheld = ["blocked_for", "guardian_authenticators", "tenant"]

/** A name with a dot is a path there, and longer ones are refused. */
const canName = (name: string): boolean => /^[\w-]{1,100}$/.test(name) && !withheld.includes(name)

/** What to ask for: what the mapping reads, and what the stream's filters are judged by. */
export const exportFields = (request: UsersRequest): ReadonlyArray<string> => {
  const { active_only, verified_only, connection } = request.options
  const used = [active_only, verified_only, connection !== undefined]
  const needed = judged.filter((_, place) => used[place])
  return [...new Set([...(fieldsOf(request) ?? described), ...needed])]
}

/** Why an export cannot do this scan; undefined: it can. */
const obstacle = (request: UsersRequest): string | undefined => {
  if (request.options.query !== undefined) return "an export knows no `query`: only search does"
  const unnamed = fieldsOf(request)?.find((name) => !canName(name))
  return unnamed === undefined ? undefined : `an export cannot bring the field ${JSON.stringify(unnamed)}`
}

/** By itself an export is only chosen where it brings what search would. */
export const fits = (request: UsersRequest): boolean =>
  obstacle(request) === undefined && fieldsOf(request) !== undefined

export const mustFit = (request: UsersRequest): Effect.Effect<void, SourceError> => {
  const found = obstacle(request)
  const message = `Auth0: ${found}. Set \`read\` to search or auto.`
  return found === undefined
    ? Effect.void
    : Effect.fail(new SourceError({ reason: new Misconfigured({ message, path: ["with", "read"] }) }))
}
