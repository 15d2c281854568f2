/** Writes one row: the calls it takes, and what each answer leads to. */
import { type Batch, Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { PersonaApi } from "../api.ts"
import { attempts, type Settled } from "../attempts.ts"
import { unexpected } from "../errors.ts"
import { makeKeys } from "../keys.ts"
import type { Found, Look } from "../look.ts"
import type { Account } from "../shapes.ts"
import { type Create, makeCreate } from "./create.ts"
import { lost, planBlind, planCreate, planTags, planUpdate, type Terms, tagsSent } from "./plan.ts"

const rejected = (row: Row, code: string, message: string, fields: ReadonlyArray<string> = ["reference_id"]) =>
  Outcome.Rejected({ id: row.id, code, message, ...(fields.length === 0 ? {} : { fields }) })

/** Whoever had their data deleted does not get it back by a sync, although Persona would take it. */
const redacted = (row: Row) =>
  rejected(row, "redacted", "Persona: the person's data was redacted there; nothing is written to the account", [])

/** Only an answer told it, after the fact. */
const writtenRedacted = (row: Row, { id }: Account) =>
  rejected(
    row,
    "redacted",
    `Persona: the person's data was redacted there, which showed only when this row had been written to the account ${id}: redact it again`,
    [],
  )

const gone = (row: Row) =>
  rejected(
    row,
    "archived",
    "Persona: the account this was written to is archived, was consolidated into another one or is gone; restore it, or end this by `sluice state reset`",
  )

const ambiguous = (row: Row, accounts: ReadonlyArray<Account>) =>
  rejected(
    row,
    "ambiguous",
    `Persona: accounts of several types have this reference id (${accounts.map(({ id }) => id).join(", ")}); set account_type`,
  )

export interface Delivery {
  readonly api: PersonaApi
  readonly look: Look
  readonly terms: Terms
  /** The attributes that answers show. */
  readonly shown: ReadonlyArray<string>
}

type Refusal = Exclude<Settled<unknown>, { readonly _tag: "Done" | "Absent" | "Taken" }>

const refusal = (row: Row, trouble: Refusal): Outcome => {
  switch (trouble._tag) {
    case "Redacted":
      return redacted(row)
    case "NoUpsert":
      return rejected(row, "no_upsert", "Persona: the environment takes no upsert", [])
    case "Stale":
      return Outcome.Deferred({ id: row.id, message: trouble.message })
    default:
      return rejected(row, trouble.code, trouble.message, trouble.fields)
  }
}

export const makeDeliver = ({ api, look, terms, shown }: Delivery) => {
  const create: Create = makeCreate(api, shown)
  const keyOf = makeKeys()

  const applyTags = Effect.fnUntraced(function* (row: Row, account: Account) {
    let changed = false
    for (const change of planTags(row, account.tags, terms)) {
      const reply = yield* attempts(() =>
        change._tag === "Set"
          ? api.setTags(account.id, change.tags)
          : api.changeTag(account.id, change.action, change.tag),
      )
      if (reply._tag !== "Done") return { changed, trouble: reply }
      changed = true
    }
    return { changed, trouble: undefined }
  })

  const finish = Effect.fnUntraced(function* (row: Row, account: Account, wrote: "created" | "updated" | "unchanged") {
    if (account.isRedacted) return writtenRedacted(row, account)
    const { changed, trouble } = yield* applyTags(row, account)
    const effect = wrote === "unchanged" && changed ? "updated" : wrote
    if (trouble !== undefined && (trouble._tag !== "Rejected" || effect === "unchanged")) {
      return trouble._tag === "Absent" || trouble._tag === "Taken" ? gone(row) : refusal(row, trouble)
    }
    const dropped = [
      ...(wrote === "unchanged" ? [] : lost(row, account, terms)),
      // The rest of the row is there already.
      ...(trouble === undefined ? [] : [{ field: "tags", code: trouble.code, message: trouble.message }]),
    ]
    return Outcome.Delivered({
      id: row.id,
      effect,
      remoteId: account.id,
      ...(dropped.length === 0 ? {} : { dropped }),
    })
  })

  /** What the look told of the tags holds where the answer to the write does not say. */
  const updated = (row: Row, account: Account, before?: Account) =>
    finish(row, { ...account, tags: account.tags ?? before?.tags }, "updated")

  const update = Effect.fnUntraced(function* (row: Row, account: Account): Effect.fn.Return<Outcome, SinkError> {
    if (account.isRedacted) return redacted(row)
    const attributes = planUpdate(row, account, terms)
    if (attributes === undefined) return yield* finish(row, account, "unchanged")
    const reply = yield* attempts(() => api.updateAccount(account.id, attributes, shown))
    if (reply._tag === "Done") return yield* updated(row, reply.value.account, account)
    if (reply._tag === "Absent") return gone(row)
    if (reply._tag === "Taken") return rejected(row, "taken", "Persona: another account has this reference id")
    return refusal(row, reply)
  })

  /** Known to the ledger, and not found by its reference id: by the id it had, if it is still there. */
  const byRemoteId = Effect.fnUntraced(function* (row: Row, id: string): Effect.fn.Return<Outcome, SinkError> {
    const reply = yield* attempts(() => api.account(id, shown))
    if (reply._tag === "Done") return yield* update(row, reply.value)
    if (reply._tag === "Absent") return gone(row)
    return yield* unexpected("an account", reply, ["base_url"])
  })

  const choose = (row: Row, accounts: ReadonlyArray<Account>): Effect.Effect<Outcome, SinkError> | undefined => {
    const [first] = accounts
    if (first === undefined) return undefined
    const mine = accounts.find(({ id }) => id === row.remoteId)
    return accounts.length > 1 && mine === undefined
      ? Effect.succeed(ambiguous(row, accounts))
      : update(row, mine ?? first)
  }

  const make = Effect.fnUntraced(function* (row: Row, batch: Batch): Effect.fn.Return<Outcome, SinkError> {
    const reply = yield* create(planCreate(row, terms), keyOf(batch, row))
    if (reply._tag === "Done") {
      const { account, isNew } = reply.value
      return yield* isNew
        ? finish(row, { ...account, tags: account.tags ?? tagsSent(row, terms) }, "created")
        : updated(row, account)
    }
    if (reply._tag === "Taken") {
      // Made by somebody else since the look; or of an account that is archived, which no list shows.
      return yield* choose(row, (yield* look([row.key])).get(row.key) ?? []) ?? Effect.succeed(gone(row))
    }
    if (reply._tag === "Absent") return yield* unexpected("the account type", reply, ["with", "account_type"])
    return refusal(row, reply)
  })

  /** Without a look: what Persona answers shows whether the account is as it was left. */
  const blind = Effect.fnUntraced(function* (row: Row, id: string): Effect.fn.Return<Outcome, SinkError> {
    const reply = yield* attempts(() => api.updateAccount(id, planBlind(row, terms), shown))
    if (reply._tag === "Done") return yield* updated(row, reply.value.account)
    if (reply._tag === "Taken") return rejected(row, "taken", "Persona: another account has this reference id")
    if (reply._tag !== "Absent") return refusal(row, reply)
    return yield* choose(row, (yield* look([row.key])).get(row.key) ?? []) ?? Effect.succeed(gone(row))
  })

  /** `found` undefined: the row's account was not looked for. */
  return (row: Row, batch: Batch, found: Found | undefined): Effect.Effect<Outcome, SinkError> => {
    const { remoteId } = row
    if (found === undefined && remoteId !== undefined) return blind(row, remoteId)
    const chosen = choose(row, found?.get(row.key) ?? [])
    if (chosen !== undefined) return chosen
    return remoteId === undefined ? make(row, batch) : byRemoteId(row, remoteId)
  }
}
