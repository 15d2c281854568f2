/** What becomes of a contact whose record is gone: the route's `on_delete`. */
import { Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import { addressable, type BrevoApi, type Reply } from "./api.ts"
import { stop } from "./errors.ts"
import { byId } from "./plan.ts"
import type { Identifier, IdentifierType } from "./shapes.ts"

export const policies = ["delete", "unlink", "blocklist"] as const

/** A delete row by the ledger's id, else by key. A contact that is gone already counts as done. */
export const makeWithdraw = (
  api: BrevoApi,
  policy: string,
  type: IdentifierType,
  managed: ReadonlyArray<number>,
): ((row: Row) => Effect.Effect<Outcome, SinkError>) => {
  const unlink = Effect.fnUntraced(function* (id: Identifier) {
    const found = yield* api.find(id)
    if (found._tag !== "Done") return found
    const unlinkListIds = managed.filter((list) => found.value.listIds.includes(list))
    return unlinkListIds.length === 0 ? found : yield* api.update(byId(found.value.id), { unlinkListIds })
  })

  const apply = (id: Identifier): Effect.Effect<Reply<unknown>, SinkError> => {
    if (policy === "delete") return api.remove(id)
    return policy === "unlink" ? unlink(id) : api.update(id, { emailBlacklisted: true, smsBlacklisted: true })
  }

  return Effect.fnUntraced(function* (row) {
    const deleted = Outcome.Delivered({ id: row.id, effect: "deleted" })
    if (row.remoteId === undefined && !addressable(row.key)) return deleted
    const reply = yield* apply(row.remoteId === undefined ? { type, value: row.key } : byId(row.remoteId))
    switch (reply._tag) {
      case "Done":
      case "Absent":
        return deleted
      case "Busy":
        return Outcome.Deferred({ id: row.id, message: reply.message })
      case "BadLists":
        return yield* stop(reply.message, ["with", "lists"])
      default:
        return Outcome.Rejected({ id: row.id, code: reply.code, message: `Brevo refused to ${policy} the contact` })
    }
  })
}
