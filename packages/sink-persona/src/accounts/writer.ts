/** The writer of accounts. */
import type { Held, Row, SinkError, Writer, WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { PAGE } from "../api.ts"
import type { AccountOptions } from "../config.ts"
import { customName } from "../customFields.ts"
import { stop } from "../errors.ts"
import type { Lines } from "../lines.ts"
import { makeLook } from "../look.ts"
import { settleEach } from "../settleEach.ts"
import type { Account, FieldSchema } from "../shapes.ts"
import { makeDeliver } from "./deliver.ts"
import { attributeName, heldIn, isStandard, standardFields, toField } from "./fields.ts"
import type { Terms } from "./plan.ts"
import { makeRedact } from "./redact.ts"
import { refuseRow } from "./refuse.ts"

type Request = WriterRequest<AccountOptions>

/** Mistakes of a route that no environment could make right. */
const mistake = ({ key, fields, options }: Request): SinkError | undefined => {
  if (key !== "reference_id") return stop(`Persona finds accounts by reference_id, not by ${key}`, ["key"])
  const strange = fields.find((name) => !isStandard(name) && !customName(name))
  if (strange !== undefined) {
    return stop(`Persona has no field ${strange}; a field of the account type is written fields.${strange}`, [
      "map",
      strange,
    ])
  }
  const custom = fields.find((name) => customName(name))
  return custom !== undefined && options.account_type === undefined
    ? stop(`${custom} needs the account type that has it: \`with: { account_type: acttp_… }\``, [
        "with",
        "account_type",
      ])
    : undefined
}

export const makeAccountWriter = Effect.fnUntraced(function* (
  lines: Lines,
  request: Request,
): Effect.fn.Return<Writer, SinkError> {
  const wrong = mistake(request)
  if (wrong !== undefined) return yield* wrong
  const schemas = yield* Effect.cached(fieldsOf(lines, request))
  return yield* writer(lines, request, schemas)
})

const fieldsOf = ({ api }: Lines, { options }: Request): Effect.Effect<ReadonlyArray<FieldSchema>, SinkError> =>
  options.account_type === undefined ? Effect.succeed([]) : api.fieldSchemas(options.account_type)

const unorderedIn = (schemas: ReadonlyArray<FieldSchema>): ReadonlySet<string> =>
  new Set(schemas.filter(({ type }) => /^multi[-_]choices$/.test(type)).map((schema) => toField(schema).name))

const held = (accounts: ReadonlyArray<Account>, fields: ReadonlyArray<string>): Held | undefined => {
  const [account, other] = accounts
  if (account === undefined) return undefined
  const entries = fields.flatMap((name) => {
    const value = heldIn(account, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const reason = account.isRedacted
    ? "the person's data was redacted at Persona"
    : other === undefined
      ? undefined
      : "accounts of several types have this reference id: set account_type"
  const values: JsonObject = Object.fromEntries(entries)
  return { remoteId: account.id, fields: values, ...(reason === undefined ? {} : { held: reason }) }
}

const writer = Effect.fnUntraced(function* (
  { api, identity, callsPerSecond }: Lines,
  { fields, options }: Request,
  schemas: Effect.Effect<ReadonlyArray<FieldSchema>, SinkError>,
): Effect.fn.Return<Writer> {
  const mapped = fields.filter((name) => name !== "reference_id")
  const shown = [...new Set(["reference-id", "redacted-at", "tags", ...mapped.map(attributeName)])]
  const look = makeLook(api, options.account_type, shown)
  const redact = makeRedact(api, look)

  const terms = Effect.map(schemas, (known): Terms => ({ options, unordered: unorderedIn(known) }))
  // The answer to the name of the upsert holds for the whole run.
  const deliver = yield* Effect.cached(Effect.map(terms, (known) => makeDeliver({ api, look, terms: known, shown })))

  return {
    limits: { rows: PAGE },
    repeatable: true,
    fields: Effect.map(schemas, (known) => [...standardFields, ...known.map(toField)]),
    refuse: (row) => refuseRow(row, options),
    cost: (rows) => {
      const calls = rows + Math.ceil(rows / PAGE)
      return { calls, seconds: Math.ceil(calls / callsPerSecond) }
    },
    lookup: Effect.fnUntraced(function* (keys) {
      const found = yield* look(keys)
      return new Map(
        [...found].flatMap(([key, accounts]) => {
          const value = held(accounts, fields)
          return value === undefined ? [] : [[key, value] as const]
        }),
      )
    }),
    write: Effect.fnUntraced(function* (batch) {
      yield* identity
      const upserts = batch.rows.filter(({ change }) => change === "upsert")
      const unknown = upserts.filter(({ remoteId }) => options.look === "all" || remoteId === undefined)
      const found = yield* look(unknown.map(({ key }) => key))
      const deliverRow = yield* deliver
      const asked = new Set(unknown.map(({ id }) => id))
      const write = (row: Row) =>
        row.change === "delete" ? redact(row) : deliverRow(row, batch, asked.has(row.id) ? found : undefined)
      return yield* settleEach(batch.rows, write, { repeatable: true })
    }),
  }
})
