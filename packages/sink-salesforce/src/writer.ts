/** The writer of a route: what is checked before the first row, and how rows go. */
import { type Limits, type Outcome, type Row, SinkError, type Writer, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import { makeBulk } from "./bulk/bulk.ts"
import type { SalesforceConfig } from "./config.ts"
import type { Connected } from "./connection.ts"
import { makeCost } from "./cost.ts"
import { type Column, columnsOf, parentField } from "./describe/columns.ts"
import type { Describe } from "./describe/describe.ts"
import { keyProblem, toField } from "./describe/fields.ts"
import { keyingOf } from "./describe/keying.ts"
import { stop } from "./errors.ts"
import { makeLookup } from "./lookup.ts"
import type { Claims } from "./match/claims.ts"
import { makeMatcher, matchedFields } from "./match/match.ts"
import { makeSearch } from "./match/search.ts"
import { makeSeek } from "./match/seek.ts"
import type { ObjectOptions } from "./options.ts"
import type { Quota } from "./quota.ts"
import { rules } from "./rules.ts"
import { makeAims } from "./write/aims.ts"
import { makeOwners, ownerSource } from "./write/owners.ts"
import { CHUNK_ROWS, MOST_CHUNKS, type Pace } from "./write/pace.ts"
import { remove } from "./write/remove.ts"
import type { Writing } from "./write/send.ts"
import { type Route, writeAims } from "./write/write.ts"

/** What a connection gives its writers. */
export interface Lines {
  readonly config: SalesforceConfig
  readonly connected: Connected
  readonly describe: Describe
  readonly quota: Quota
  /** The part of the day's calls and batches that a run may use. */
  readonly share: number
  readonly pace: Pace
  readonly claims: Claims
}

type Request = WriterRequest<ObjectOptions>

/** Below the 400,000 characters of a record, and far below what a call takes. */
const BYTES = 5_000_000

/** An owner or a record type is no parent that is locked. */
const noParents = new Set(["OwnerId", "RecordTypeId", "CreatedById", "LastModifiedById"])

/** Rows that point to one record lock it: by the first mapped field that points to one. */
const parentColumn = (columns: ReadonlyArray<Column>): Column | undefined =>
  columns.find(
    ({ field, parent }) => (parent !== undefined || field.type === "reference") && !noParents.has(field.name),
  )

const parentOf = (column: Column | undefined, { fields }: Row): string | undefined => {
  const value = column === undefined ? undefined : fields[column.name]
  if (typeof value === "number") return String(value)
  return typeof value === "string" && value !== "" ? value : undefined
}

/**
 * Assignment rules fire on every REST write unless told not to (salesforce trap 24); the client's name ends loops
 * (salesforce trap 40); duplicate rules are asked to say what they found.
 */
const nameFor = ({ client }: SalesforceConfig) => ({ "sforce-call-options": `client=${client}` })
const headersFor = (config: SalesforceConfig, { assignment_rule, duplicates }: ObjectOptions) => ({
  "sforce-auto-assign":
    assignment_rule === undefined ? "FALSE" : assignment_rule === "default" ? "TRUE" : assignment_rule,
  ...nameFor(config),
  "sforce-duplicate-rule-header": `allowSave=${duplicates === "allow"}; includeRecordDetails=true; runAsCurrentUser=true`,
})

const limitsFor = ({ path }: ObjectOptions, { concurrency }: SalesforceConfig): Limits =>
  path === "collections"
    ? { rows: CHUNK_ROWS, bytes: BYTES, concurrency }
    : { rows: CHUNK_ROWS * MOST_CHUNKS, bytes: BYTES, concurrency: Math.min(2, concurrency) }

/** In auto: half of the day's calls are worth more than the time of a Composite. */
const SCARCE = 0.5
const isScarce = (quota: Quota): boolean => quota.left() < SCARCE

const sizesFor =
  ({ path }: ObjectOptions, pace: Pace, quota: Quota): Route["sizes"] =>
  () => {
    const isComposite = path === "composite" || (path !== "collections" && isScarce(quota))
    return { rows: pace.rows(), chunks: isComposite ? pace.chunks() : 1 }
  }

/** A failure says what else is settled. */
const beside = (settled: ReadonlyArray<Outcome>) => (error: SinkError) =>
  settled.length === 0
    ? error
    : new SinkError({ reason: error.reason, settled: [...settled, ...(error.settled ?? [])] })

export const makeWriter = Effect.fnUntraced(function* (
  lines: Lines,
  object: string,
  request: Request,
): Effect.fn.Return<Writer, SinkError> {
  const { config, connected, describe, quota, share, pace, claims } = lines
  const { key, options } = request
  const own = yield* describe(object)
  const keyField = own.fields.get(key)
  const problem = keyField === undefined ? undefined : keyProblem(keyField, options.loose_key)
  if (problem !== undefined) return yield* stop(problem, ["key"])
  const ownFields = [...own.fields.values()].map((field) => toField(field, options, own))
  const { refuse } = yield* Effect.fromResult(rules(request, ownFields))
  const names = options.owner_from === undefined ? request.fields : [...new Set([...request.fields, "OwnerId"])]
  const columns = yield* columnsOf(names, own, describe)
  const search = makeSearch(connected)
  const fields = matchedFields(own.name, request.fields, options.match)
  const matcher =
    fields.length === 0 || options.mode === "update"
      ? undefined
      : makeMatcher({ search, describe, claims, object: own.name, key, fields })
  const source = ownerSource(columns, options.owner_from)
  const owned = source === undefined ? undefined : makeOwners(search, source)
  const seek = makeSeek({ search, describe, claims, own, key, columns, options })
  const keying = keyingOf(keyField)
  const aims = makeAims({ own, key, keying, options, seek, matcher })
  const writing: Writing = { connected, key, columns, headers: headersFor(config, options) }
  const parent = parentColumn(columns)
  const route: Route = {
    writing,
    pace,
    sizes: sizesFor(options, pace, quota),
    options,
    partitionOf: ({ row }) => parentOf(parent, row),
    again: aims.again,
  }

  const upsert = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>, attempt: number) {
    const found = yield* aims.aimsFor(owned === undefined ? rows : yield* owned(rows))
    const before = found.flatMap((each) => ("outcome" in each ? [each.outcome] : []))
    const written = yield* writeAims(
      route,
      found.flatMap((each) => ("aim" in each ? [each.aim] : [])),
      attempt,
    ).pipe(Effect.mapError(beside(before)))
    return [...before, ...written]
  })

  return {
    limits: limitsFor(options, config),
    // Every write is by a key or an id: sending it twice equals sending it once.
    repeatable: true,
    fields: Effect.succeed([
      ...ownFields,
      ...columns.flatMap((column) => (column.parent === undefined ? [] : [parentField(column, column.parent)])),
    ]),
    refuse,
    ...(parent === undefined ? {} : { partition: (row: Row) => parentOf(parent, row) ?? row.id }),
    cost: makeCost({
      options,
      concurrency: config.concurrency,
      queries: matcher === undefined ? 0 : matcher.queries,
      searches: [owned !== undefined, keying.merges, options.mode === "update" && key !== "Id"].filter(Boolean).length,
      isScarce: () => isScarce(quota),
    }),
    lookup: makeLookup({ search, describe, own, key, columns, matcher }),
    write: Effect.fnUntraced(function* (batch) {
      const rows = batch.rows.filter(({ change }) => change === "upsert")
      const removed = yield* remove(
        { writing, seek, pace, object: own.name },
        batch.rows.filter(({ change }) => change === "delete"),
      )
      if (rows.length === 0) return removed
      const written = yield* upsert(rows, batch.attempt).pipe(
        Effect.ensuring(Effect.sync(() => claims.release(rows))),
        Effect.mapError(beside(removed)),
      )
      return [...removed, ...written]
    }),
    jobs: makeBulk({
      connected,
      headers: nameFor(config),
      object: own.name,
      key,
      keying,
      columns,
      options,
      aims,
      claims,
      share,
    }),
  }
})
