/** A scripted job of Bulk API 2.0, and the job lane of a route that meets it. */
import type { Outcome, Row, StoredBatch } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import { onMovingClock, open, row, type Script, type Setup, when } from "./vendor.ts"

export const JOB = "750000000000001AAA"
export const AT = `/jobs/ingest/${JOB}`
export const ID = (n: number) => `003${String(n).padStart(12, "0")}AAA`

export const limits = when("GET /limits", 200, {
  DailyApiRequests: { Max: 15000, Remaining: 14000 },
  DailyBulkApiBatches: { Max: 15000, Remaining: 15000 },
})
export const create = when("POST /jobs/ingest", 200, {
  id: JOB,
  state: "Open",
  contentUrl: `services/data/v67.0${AT}/batches`,
})
export const upload = when(`PUT ${AT}/batches`, 201)
export const close = when(`PATCH ${AT}`, 200, { id: JOB, state: "UploadComplete" })
export const state = (name: string, given: JsonObject = {}) =>
  when(`GET ${AT}`, 200, { id: JOB, state: name, ...given })
export const csv = (name: string, text: string): Script =>
  when(`GET ${AT}/${name}`, 200, text, { headers: { "content-type": "text/csv" } })

export const results = (
  success: string,
  failure = '"sf__Id","sf__Error","Auth0_Id__c","LastName"\n',
  rest = "Auth0_Id__c,LastName\n",
): ReadonlyArray<Script> => [
  csv("successfulResults", success),
  csv("failedResults", failure),
  csv("unprocessedrecords", rest),
]

export const stored = (rows: ReadonlyArray<Row>): StoredBatch => ({
  id: "batch-1",
  count: rows.length,
  bytes: 1,
  rows: Stream.fromIterable(Arr.chunksOf(rows, 2)),
})

/** A route's job lane; `job` is both halves of one, as in a run without a crash. */
export const lane = Effect.fnUntraced(function* (setup: Setup = {}) {
  const { jobs } = yield* open({
    fields: ["Auth0_Id__c", "LastName"],
    ...setup,
    options: { path: "bulk", ...setup.options },
  })
  if (jobs === undefined) return yield* Effect.die(new Error("the writer has no jobs"))
  const submit = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const refs: Array<string> = []
    yield* onMovingClock(jobs.submit(stored(rows), (ref) => Effect.sync(() => void refs.push(ref))))
    return refs
  })
  const settle = (ref: string, rows: ReadonlyArray<Row>) =>
    onMovingClock(Stream.runCollect(jobs.settle(ref, stored(rows)))).pipe(Effect.map((chunks) => chunks.flat()))
  const job = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    return yield* settle((yield* submit(rows)).at(-1) ?? "", rows)
  })
  return { submit, settle, job, limits: jobs.limits }
})

export const refOf = (...jobs: ReadonlyArray<string>) => JSON.stringify({ jobs: jobs.map((id) => ({ id, rows: 2 })) })
export const of = (outcomes: ReadonlyArray<Outcome>, n: number) => outcomes.find(({ id }) => id === `auth0|${n}`)
export const rows = [row(1), row(2)]
