/** The writer of contacts. */
import {
  type Batch,
  type Held,
  type Outcome,
  SinkError,
  Unavailable,
  type Writer,
  type WriterRequest,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { addressable, type BrevoApi } from "./api.ts"
import { type Attribute, fromWire, ownFields, toField } from "./attributes.ts"
import type { ContactOptions } from "./config.ts"
import { looksFirst, makeDeliver } from "./deliver.ts"
import { stop } from "./errors.ts"
import { importCost, makeImports, type Rates } from "./imports.ts"
import { makeLiveAttributes } from "./liveAttributes.ts"
import { identifierType, keyNames, type Terms } from "./plan.ts"
import { refuseRow } from "./refuse.ts"
import type { ReportSource } from "./reports.ts"
import type { Contact, IdentifierType } from "./shapes.ts"
import { makeWithdraw } from "./withdraw.ts"

/** Rows of one batch in flight at once; the rate limit paces their calls. */
const CONCURRENCY = 8
const ROWS = 50

type Request = WriterRequest<ContactOptions>

/** Mistakes of a route that no account could make right. */
const mistake = ({ key, fields, options, on_delete }: Request): SinkError | undefined => {
  if (identifierType(key) === undefined) {
    return stop(`Brevo finds contacts by ${keyNames.join(", ")}, not by ${key}`, ["key"])
  }
  const shadow = fields.find((name) => name === "EMAIL" || name === "EXT_ID")
  if (shadow !== undefined) return stop(`map \`${shadow.toLowerCase()}\` instead of ${shadow}`, ["map", shadow])
  if (fields.includes("listIds") && options.lists.length === 0) {
    return stop("listIds needs the lists this route manages: `with: { lists: [...] }`", ["with", "lists"])
  }
  if (options.import_list !== undefined && options.lists.includes(options.import_list)) {
    // It would put rows on it that are not to be, and back who leaves it meanwhile.
    return stop("import_list must be none of the lists this route manages", ["with", "import_list"])
  }
  if (on_delete === "unlink" && options.lists.length === 0) {
    return stop("on_delete: unlink needs the lists this route manages: `with: { lists: [...] }`", ["with", "lists"])
  }
  return undefined
}

/** What Brevo holds, in the form of a row: the mapped fields, and of the lists only the managed ones. */
const toFields = (contact: Contact, request: Request, attributes: ReadonlyMap<string, Attribute>) => {
  const own: { readonly [name: string]: Json | undefined } = {
    ext_id: contact.extId,
    email: contact.email,
    listIds: request.options.lists.filter((id) => contact.listIds.includes(id)),
    emailBlacklisted: contact.emailBlacklisted,
    smsBlacklisted: contact.smsBlacklisted,
  }
  return Object.fromEntries(
    request.fields.flatMap((name) => {
      const attribute = attributes.get(name)
      const held = Object.hasOwn(contact.attributes, name) ? contact.attributes[name] : undefined
      const value = Object.hasOwn(own, name) ? own[name] : attribute && fromWire(attribute, held)
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}

/** Answers for each row; after an outage no further row is begun, and what is known is handed over with the error. */
const settleEach = Effect.fnUntraced(function* (
  batch: Batch,
  write: (row: Batch["rows"][number]) => Effect.Effect<Outcome, SinkError>,
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  let failure: SinkError | undefined
  const outcomes = yield* Effect.forEach(
    batch.rows,
    (row) =>
      Effect.suspend(() => (failure === undefined ? write(row) : Effect.succeed(undefined))).pipe(
        Effect.catch((error) => {
          failure ??= error
          return Effect.succeed(undefined)
        }),
      ),
    { concurrency: CONCURRENCY },
  )
  const settled = outcomes.filter((outcome) => outcome !== undefined)
  if (failure === undefined) return settled
  return yield* new SinkError({ reason: failure.reason, ...(settled.length > 0 ? { settled } : {}) })
})

/** What a connection gives its writers. */
export interface Lines {
  readonly api: BrevoApi
  readonly rates: Rates
  readonly reports: ReportSource
}

export const makeContactWriter = (lines: Lines, request: Request): Effect.Effect<Writer, SinkError> => {
  const type = identifierType(request.key)
  const wrong = mistake(request)
  return wrong === undefined && type !== undefined
    ? Effect.succeed(writer(lines, request, type))
    : Effect.fail(wrong ?? stop("no such key", ["key"]))
}

const writer = (lines: Lines, request: Request, type: IdentifierType): Writer => {
  const { api, rates } = lines
  const { key, fields, options, on_delete } = request
  const looks = looksFirst(fields, options.lists)
  const seen = { present: 0, absent: 0 }

  const { known, ready } = makeLiveAttributes(api, options)
  const deliver = makeDeliver(api, looks)
  const withdraw = makeWithdraw(api, on_delete, type, options.lists)

  const terms = Effect.map(known, (attributes): Terms => ({ key, options, attributes }))
  const mapped = fields.filter((name) => !ownFields.some((own) => own.name === name))

  /** Brevo takes an attribute it does not know, answers with success and keeps nothing. */
  const checked = Effect.flatMap(Effect.andThen(ready, terms), (found) => {
    const unknown = mapped.find((name) => found.attributes.get(name)?.writable !== true)
    return unknown === undefined
      ? Effect.succeed(found)
      : Effect.fail(stop(`the account has no attribute ${unknown} that can be written`, ["map", unknown]))
  })

  const importing = { ...lines, key, fields, options, terms, ready: checked }

  return {
    limits: { rows: ROWS },
    repeatable: true,
    fields: Effect.map(known, (found) => [...ownFields, ...[...found.values()].map(toField)]),
    refuse: (row) => refuseRow(row, key, options),
    // A new contact takes one call, a known one two where it is looked at first. Which they are, lookups have shown.
    cost: (rows) => {
      const asked = seen.present + seen.absent
      const calls = Math.ceil(rows * (1 + (looks ? (asked === 0 ? 1 : seen.present / asked) : 0)))
      return importCost(importing, rows) ?? { calls, seconds: Math.ceil(calls / rates.callsPerSecond) }
    },
    lookup: Effect.fnUntraced(function* (keys) {
      const found = yield* known
      const contacts = yield* Effect.forEach(
        keys.filter(addressable),
        (value) => Effect.map(api.find({ type, value }), (reply) => [value, reply] as const),
        { concurrency: CONCURRENCY },
      )
      const held = new Map<string, Held>()
      for (const [value, reply] of contacts) {
        if (reply._tag === "Busy") {
          return yield* new SinkError({ reason: new Unavailable({ message: reply.message, inDoubt: false }) })
        }
        if (reply._tag === "Done") {
          held.set(value, { remoteId: reply.value.id, fields: toFields(reply.value, request, found) })
        }
      }
      seen.present += held.size
      seen.absent += keys.length - held.size
      return held
    }),
    write: Effect.fnUntraced(function* (batch) {
      const found = batch.rows.some(({ change }) => change === "upsert") ? yield* checked : undefined
      return yield* settleEach(batch, (row) =>
        row.change === "delete" || found === undefined ? withdraw(row) : deliver(row, found),
      )
    }),
    jobs: makeImports(importing),
  }
}
