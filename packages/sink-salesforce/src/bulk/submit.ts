/** Hands the rows of a stored batch that a file can carry to jobs, so that a crash at any instant leaves none unknown. */
import type { Row, SinkError, StoredBatch } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Column } from "../describe/columns.ts"
import type { ObjectOptions } from "../options.ts"
import { type Aim, byFoundId, byKey } from "../write/aim.ts"
import type { Aims } from "../write/aims.ts"
import type { BulkApi } from "./api.ts"
import { canCarry, cellsOf, headerOf } from "./cells.ts"

/** What is kept of a batch: its jobs, with how many rows each was given. */
export const Ref = Schema.Struct({ jobs: Schema.Array(Schema.Struct({ id: Schema.String, rows: Schema.Int })) })
export type Ref = typeof Ref.Type

/** Undefined where it is not ours. */
export const readRef = (text: string) => Schema.decodeUnknownOption(Schema.fromJsonString(Ref))(text)

/** Salesforce counts a batch for each so many rows, of which a day has 15,000. */
const BATCH_ROWS = 10_000

export interface Submitting {
  readonly api: BulkApi
  readonly object: string
  readonly key: string
  readonly columns: ReadonlyArray<Column>
  readonly options: ObjectOptions
  readonly aims: Aims
  /** So few rows take fewer calls by themselves. */
  readonly fewest: number
  /** Whether the day has that many batches left for a run. */
  readonly allows: (batches: number) => Effect.Effect<boolean, SinkError>
}

/** By row id: the record's id, or null for the row's key. */
type Carried = ReadonlyMap<string, string | null>

/** Decides once for each row, and keeps of it no more than that. */
const decide = Effect.fnUntraced(function* ({ aims, columns, object }: Submitting, batch: StoredBatch) {
  const carried = new Map<string, string | null>()
  yield* Stream.runForEach(batch.rows, (page) =>
    Effect.map(aims.aimsFor(page.filter(({ change }) => change === "upsert")), (found) => {
      for (const each of found) {
        if (!("aim" in each) || each.aim.type !== object || !canCarry(each.aim, columns)) continue
        carried.set(each.aim.row.id, each.aim.id ?? null)
      }
    }),
  )
  return carried
})

interface Part {
  readonly isByKey: boolean
  readonly rows: number
}

const partsOf = (carried: Carried, fewest: number): ReadonlyArray<Part> => {
  let byKeyRows = 0
  for (const id of carried.values()) if (id === null) byKeyRows += 1
  const parts = [
    { isByKey: true, rows: byKeyRows },
    { isByKey: false, rows: carried.size - byKeyRows },
  ]
  return parts.filter(({ rows }) => rows >= fewest)
}

const aimOf = (row: Row, object: string, id: string | null): Aim =>
  id === null ? byKey(row, object) : byFoundId(row, object, id)

const linesOf = ({ columns, object }: Submitting, batch: StoredBatch, carried: Carried, { isByKey }: Part) =>
  batch.rows.pipe(
    Stream.map((page) =>
      page.flatMap((row) => {
        const id = carried.get(row.id)
        return id === undefined || (id === null) !== isByKey ? [] : [cellsOf(aimOf(row, object, id), columns)]
      }),
    ),
    Stream.flattenIterable,
  )

/**
 * All jobs are made first, without rows, and known before any of them can take effect: closing one is what lets its rows
 * in (salesforce trap 12).
 */
export const submit = Effect.fnUntraced(function* (
  submitting: Submitting,
  batch: StoredBatch,
  saveRef: (ref: string) => Effect.Effect<void>,
): Effect.fn.Return<void, SinkError> {
  const { api, columns, fewest, key, object, options } = submitting
  const carried = yield* decide(submitting, batch)
  const parts = partsOf(carried, fewest)
  const batches = parts.reduce((sum, { rows }) => sum + Math.ceil(rows / BATCH_ROWS), 0)
  if (parts.length === 0 || !(yield* submitting.allows(batches))) return yield* saveRef(JSON.stringify({ jobs: [] }))

  const rule = options.assignment_rule
  const jobs = yield* Effect.forEach(parts, ({ isByKey, rows }) =>
    Effect.map(
      api.create({
        object,
        ...(isByKey ? { operation: "upsert", externalIdFieldName: key } : { operation: "update" }),
        ...(rule === undefined ? {} : { assignmentRuleId: rule }),
      }),
      ({ id }) => ({ id, rows }),
    ),
  )
  const ref: Ref = { jobs }
  yield* saveRef(JSON.stringify(ref))
  for (const [n, part] of parts.entries()) {
    const job = jobs[n]
    if (job === undefined) continue
    yield* api.upload(job.id, linesOf(submitting, batch, carried, part), headerOf(columns, part.isByKey))
    yield* api.close(job.id, "UploadComplete")
  }
})
