/** `on_delete: redact`: deletes what Persona holds of a person, for good. */
import { Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { PersonaApi } from "../api.ts"
import { attempts } from "../attempts.ts"
import type { Look } from "../look.ts"
import type { Account } from "../shapes.ts"

export const makeRedact = (api: PersonaApi, look: Look) => {
  const target = (row: Row): Effect.Effect<string | ReadonlyArray<Account>, SinkError> =>
    row.remoteId === undefined
      ? Effect.map(look([row.key]), (found) => found.get(row.key) ?? [])
      : Effect.succeed(row.remoteId)

  return Effect.fnUntraced(function* (row: Row): Effect.fn.Return<Outcome, SinkError> {
    const deleted = Outcome.Delivered({ id: row.id, effect: "deleted" })
    const found = yield* target(row)
    const ids = typeof found === "string" ? [found] : found.map(({ id }) => id)
    const [id] = ids
    if (id === undefined) return deleted
    if (ids.length > 1) {
      const message = `Persona: accounts of several types have this reference id (${ids.join(", ")}); set account_type`
      return Outcome.Rejected({ id: row.id, code: "ambiguous", message, fields: ["reference_id"] })
    }
    const reply = yield* attempts(() => api.redactAccount(id))
    switch (reply._tag) {
      case "Done":
      case "Absent":
      case "Redacted":
        return deleted
      case "Stale":
        return Outcome.Deferred({ id: row.id, message: reply.message })
      case "Rejected":
        return Outcome.Rejected({ id: row.id, code: reply.code, message: reply.message })
      default:
        return Outcome.Rejected({ id: row.id, code: "refused", message: "Persona did not redact the account" })
    }
  })
}
