/** The writer of cases: one for each key, however often a record comes. */
import { type Batch, Outcome, type Row, type SinkError, type Writer, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { PAGE } from "../api.ts"
import { attempts, type Settled } from "../attempts.ts"
import type { CaseOptions } from "../config.ts"
import { customName } from "../customFields.ts"
import { stop, unexpected } from "../errors.ts"
import { makeKeys } from "../keys.ts"
import type { Lines } from "../lines.ts"
import { type Found, makeLook } from "../look.ts"
import { beforeWriting, settleEach } from "../settleEach.ts"
import { caseFields } from "./fields.ts"

type Request = WriterRequest<CaseOptions>

const mistake = ({ key, fields }: Request): SinkError | undefined => {
  if (key !== "case_key") return stop(`cases are known by case_key, not by ${key}`, ["key"])
  const strange = fields.find((name) => !customName(name) && !caseFields.some((own) => own.name === name))
  return strange === undefined
    ? undefined
    : stop(`a case has no field ${strange}; a field of the template is written fields.${strange}`, ["map", strange])
}

export const makeCaseWriter = (lines: Lines, request: Request): Effect.Effect<Writer, SinkError> => {
  const wrong = mistake(request)
  return wrong === undefined ? Effect.succeed(writer(lines, request)) : Effect.fail(wrong)
}

const attributesOf = (row: Row): JsonObject => {
  const fields = Object.entries(row.fields).flatMap(([column, value]) => {
    const name = customName(column)
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return fields.length === 0 ? {} : { fields: Object.fromEntries(fields) }
}

const referenceOf = ({ fields }: Row): string | undefined => {
  const id = Object.hasOwn(fields, "account_reference_id") ? fields.account_reference_id : undefined
  return typeof id === "string" && id !== "" ? id : undefined
}

type Refusal = Exclude<Settled<unknown>, { readonly _tag: "Done" | "Absent" }>

const refused = (row: Row, trouble: Refusal): Outcome => {
  const { id } = row
  switch (trouble._tag) {
    case "Rejected": {
      const { code, message, fields } = trouble
      return Outcome.Rejected({ id, code, message, ...(fields.length === 0 ? {} : { fields }) })
    }
    case "Stale":
      return Outcome.Deferred({ id, message: trouble.message })
    default:
      return Outcome.Rejected({ id, code: "refused", message: "Persona refused the case" })
  }
}

/** The account that a new case is about. */
const linked = (row: Row, found: Found): string | Outcome | undefined => {
  const reference = referenceOf(row)
  if (reference === undefined) return undefined
  const [account, other] = found.get(reference) ?? []
  if (account === undefined) {
    return Outcome.Deferred({ id: row.id, message: "Persona: no account has this account_reference_id yet" })
  }
  const fields = ["account_reference_id"]
  if (other !== undefined) {
    const message = `Persona: accounts of several types have this reference id (${account.id}, ${other.id})`
    return Outcome.Rejected({ id: row.id, code: "ambiguous", message, fields })
  }
  if (!account.isRedacted) return account.id
  const message = "Persona: the person's data was redacted there; no case is opened about it"
  return Outcome.Rejected({ id: row.id, code: "redacted", message, fields })
}

const writer = ({ api, identity, callsPerSecond }: Lines, { options }: Request): Writer => {
  const look = makeLook(api, undefined, ["reference-id", "redacted-at"])
  const keyOf = makeKeys()

  const open = Effect.fnUntraced(function* (
    row: Row,
    batch: Batch,
    found: Found,
  ): Effect.fn.Return<Outcome, SinkError> {
    const account = linked(row, found)
    if (account !== undefined && typeof account !== "string") return account
    const { template, sla_seconds } = options
    const meta = {
      ...(account === undefined ? {} : { "object-ids": [account] }),
      ...(sla_seconds === undefined ? {} : { "sla-expires-in-seconds": sla_seconds }),
    }
    const attributes = { "case-template-id": template, ...attributesOf(row) }
    const key = keyOf(batch, row).of("case")
    // One key, whatever was answered: an earlier request with it may have opened the case.
    const reply = yield* attempts(() => api.createCase(attributes, meta, key))
    if (reply._tag === "Done") return Outcome.Delivered({ id: row.id, effect: "created", remoteId: reply.value })
    if (reply._tag === "Absent") {
      return yield* unexpected(`the case template ${template}`, reply, ["with", "template"])
    }
    if (reply._tag === "Stale") return Outcome.InDoubt({ id: row.id, message: reply.message })
    return refused(row, reply)
  })

  const change = Effect.fnUntraced(function* (row: Row, id: string): Effect.fn.Return<Outcome, SinkError> {
    const attributes = attributesOf(row)
    if (Object.keys(attributes).length === 0) {
      return Outcome.Delivered({ id: row.id, effect: "unchanged", remoteId: id })
    }
    const reply = yield* attempts(() => api.updateCase(id, attributes))
    if (reply._tag === "Done") return Outcome.Delivered({ id: row.id, effect: "updated", remoteId: id })
    if (reply._tag !== "Absent") return refused(row, reply)
    const message = `Persona: the case ${id} that this row opened is gone; no second one is opened`
    return Outcome.Rejected({ id: row.id, code: "case_gone", message })
  })

  return {
    limits: { rows: PAGE },
    // A case has no key at Persona: after a lost answer only the same idempotency key may ask again, for a day.
    repeatable: false,
    refuse: (row) =>
      row.key === "" || !row.key.isWellFormed()
        ? { code: "bad_key", message: "case_key is empty or cannot be kept", fields: ["case_key"] }
        : undefined,
    cost: (rows) => {
      const calls = rows + Math.ceil(rows / PAGE)
      return { calls, seconds: Math.ceil(calls / callsPerSecond) }
    },
    write: Effect.fnUntraced(function* (batch) {
      const fresh = batch.rows.filter(({ remoteId }) => remoteId === undefined)
      const found = yield* Effect.andThen(identity, look(fresh.flatMap((row) => referenceOf(row) ?? []))).pipe(
        beforeWriting(batch.rows),
      )
      const write = (row: Row) => (row.remoteId === undefined ? open(row, batch, found) : change(row, row.remoteId))
      return yield* settleEach(batch.rows, write, { repeatable: false })
    }),
  }
}
