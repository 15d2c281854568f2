/** Single users, straight from Auth0's primary store: complete and never late, unlike search. */
import { Misconfigured, SourceError, type SourceRecord } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Management, User } from "./management.ts"
import type { UserOptions } from "./options.ts"
import { recordOf } from "./reading.ts"
import { fieldsOf, type UsersRequest } from "./request.ts"

export const findBy = ["user_id", "email", "key"]

const inConnection = ({ identities }: User, name: string): boolean =>
  Array.isArray(identities) &&
  identities.some(
    (each) => each !== null && typeof each === "object" && "connection" in each && each.connection === name,
  )

/** The stream's filters, as far as they can be judged here: what `query` asks only search can evaluate. */
export const passes = (user: User, { active_only, verified_only, connection }: UserOptions): boolean =>
  (!active_only || user.blocked !== true) &&
  (!verified_only || user.email_verified === true) &&
  (connection === undefined || inConnection(user, connection))

/** The fields that this needs, one for each of the options in `passes`, in that order. */
export const judged = ["blocked", "email_verified", "identities"]

/** Auth0 compares addresses by case, and keeps its own in lower case while other stores keep theirs as they are. */
const byEmail = Effect.fnUntraced(function* (
  management: Management,
  email: string,
  fields: ReadonlyArray<string> | undefined,
) {
  const spellings = [...new Set([email, email.toLowerCase()])]
  const found = yield* Effect.forEach(spellings, (each) => management.byEmail(each, fields))
  return [...new Map(found.flat().map((user) => [user.user_id, user])).values()]
})

export const findUsers = Effect.fnUntraced(function* (
  management: Management,
  request: UsersRequest,
  { field, value }: { readonly field: string; readonly value: string },
): Effect.fn.Return<ReadonlyArray<SourceRecord>, SourceError> {
  const fields = fieldsOf(request)
  const asked = fields === undefined ? undefined : [...new Set([...fields, ...judged])]
  if (!findBy.includes(field)) {
    const message = `Auth0 finds users by ${findBy.join(", ")}, not by ${field}.`
    return yield* new SourceError({ reason: new Misconfigured({ message }) })
  }
  const users = field === "email" ? yield* byEmail(management, value, asked) : yield* management.byId(value, asked)
  return users.filter((user) => passes(user, request.options)).map((user) => recordOf(user, fields))
})
