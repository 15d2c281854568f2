/** A Bulk 2.0 job from end to end, as a client that knows how. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Body, Reply } from "./ask.ts"
import type { Force } from "./force.ts"

export const upsertJob = { object: "Contact", operation: "upsert", externalIdFieldName: "Auth0_Id__c" }

export const openJob = (client: Force, settings: object = upsertJob): string => {
  const { status, body } = client.call("POST", "/jobs/ingest", { body: settings })
  assert.strictEqual(status, 200, JSON.stringify(body))
  return body.id
}

export const uploadCsv = (client: Force, id: string, csv: string): Reply =>
  client.call("PUT", `/jobs/ingest/${id}/batches`, { text: csv, headers: { "content-type": "text/csv" } })

export const closeJob = (client: Force, id: string, state = "UploadComplete"): Reply =>
  client.call("PATCH", `/jobs/ingest/${id}`, { body: { state } })

export const jobInfo = (client: Force, id: string): Body => client.call("GET", `/jobs/ingest/${id}`).body

/** Lines of a result file without its header, in order. */
export const linesOf = (client: Force, id: string, file: string): ReadonlyArray<string> =>
  String(client.call("GET", `/jobs/ingest/${id}/${file}`).body ?? "")
    .split("\n")
    .slice(1, -1)
    .sort()

/** What a job has come to after a while. */
export const runJob = Effect.fnUntraced(function* (client: Force, csv: string, settings: object = upsertJob) {
  const id = openJob(client, settings)
  assert.strictEqual(uploadCsv(client, id, csv).status, 201)
  assert.strictEqual(closeJob(client, id).status, 200)
  yield* TestClock.adjust("10 seconds")
  const files = ["successfulResults", "failedResults", "unprocessedrecords"]
  const [succeeded = [], failed = [], unprocessed = []] = files.map((file) => linesOf(client, id, file))
  return { id, info: jobInfo(client, id), succeeded, failed, unprocessed }
})

export const rowsCsv = (count: number, name = "r"): string =>
  `Auth0_Id__c,LastName\n${Array.from({ length: count }, (_, at) => `${name}${at},n${at}\n`).join("")}`
