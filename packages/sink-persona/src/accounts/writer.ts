/** The writer of accounts. */
import type { Held, Identity, SinkError, Writer, WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { PAGE, type PersonaApi } from "../api.ts"
import type { AccountOptions } from "../config.ts"
import { stop } from "../errors.ts"
import { settleEach } from "../settleEach.ts"
import type { Account, FieldSchema } from "../shapes.ts"
import { makeDeliver } from "./deliver.ts"
import { attributeName, customName, heldIn, isStandard, standardFields, toField } from "./fields.ts"
import { makeLook } from "./look.ts"
import type { Terms } from "./plan.ts"
import { makeRedact } from "./redact.ts"
import { refuseRow } from "./refuse.ts"

/** What a connection gives its writers. */
export interface Lines {
  readonly api: PersonaApi
  /** Fails unless the environment that answers is the one that is meant: asked before each write. */
  readonly identity: Effect.Effect<Identity, SinkError>
  readonly callsPerSecond: number
}

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

export const makeAccountWriter = (lines: Lines, request: Request): Effect.Effect<Writer, SinkError> => {
  const wrong = mistake(request)
  return wrong === undefined
    ? Effect.cached(fieldsOf(lines, request)).pipe(Effect.map(writer(lines, request)))
    : Effect.fail(wrong)
}

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

const writer =
  ({ api, identity, callsPerSecond }: Lines, { fields, options }: Request) =>
  (schemas: Effect.Effect<ReadonlyArray<FieldSchema>, SinkError>): Writer => {
    const mapped = fields.filter((name) => name !== "reference_id")
    const shown = [...new Set(["reference-id", "redacted-at", "tags", ...mapped.map(attributeName)])]
    const look = makeLook(api, options.account_type, shown)
    const redact = makeRedact(api, look)

    const terms = Effect.map(schemas, (known): Terms => ({ options, unordered: unorderedIn(known) }))
    // The answer to the name of the upsert holds for the whole run.
    const deliver = Effect.runSync(
      Effect.cached(Effect.map(terms, (known) => makeDeliver({ api, look, terms: known, shown }))),
    )

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
        const write = yield* deliver
        const asked = new Set(unknown.map(({ id }) => id))
        return yield* settleEach(batch.rows, (row) =>
          row.change === "delete" ? redact(row) : write(row, batch, asked.has(row.id) ? found : undefined),
        )
      }),
    }
  }
