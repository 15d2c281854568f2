/** Clients of Brevo's import as they are usually written, at most 20 lines each. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { ask } from "./ask.ts"
import type { Http } from "./naive.ts"

type Rows = ReadonlyArray<object>

/** What a client says it did. */
export interface Said {
  readonly synced: number
  readonly rejected: number
}

const submit = (http: Http, rows: Rows) =>
  http.call("POST", "/brevo/v3/contacts/import", { jsonBody: rows, listIds: [20] })

/** Takes 202 for written. */
export const countsWhatWasSent = (http: Http, rows: Rows): Said => {
  const { status } = submit(http, rows)
  return status === 202 ? { synced: rows.length, rejected: 0 } : { synced: 0, rejected: rows.length }
}

/** The rows that a report names; none if it cannot be read. */
const reported = (sandbox: Sandbox, address: string): number => {
  const { body } = ask(sandbox, "GET", new URL(address).pathname)
  return typeof body === "string" ? body.trim().split("\n").length - 1 : 0
}

/** Polls for a while, then believes the reports. */
export const believesTheReports = Effect.fnUntraced(function* (sandbox: Sandbox, http: Http, rows: Rows) {
  const { body } = submit(http, rows)
  let process = http.call("GET", `/brevo/v3/processes/${body.processId}`).body
  for (let poll = 0; poll < 30 && (process.status === "queued" || process.status === "in_process"); poll++) {
    yield* TestClock.adjust("2 seconds")
    process = http.call("GET", `/brevo/v3/processes/${body.processId}`).body
  }
  const addresses = Object.values(process.info?.import ?? {}).filter((address) => typeof address === "string")
  const rejected = addresses.reduce((sum, address) => sum + reported(sandbox, address), 0)
  return { synced: rows.length - rejected, rejected }
})

/** Whatever is not completed is sent again, the rows as they were. */
export const sendsAgain = Effect.fnUntraced(function* (http: Http, rows: Rows, meanwhile: () => void) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const { body } = submit(http, rows)
      yield* TestClock.adjust("2 seconds")
      if (http.call("GET", `/brevo/v3/processes/${body.processId}`).body.status === "completed") return
    } catch {
      yield* TestClock.adjust("2 seconds")
    }
    meanwhile()
  }
})

/** An answer that is not 429 or 5xx is final. */
export const retriesOnlyTheUsual = (http: Http, rows: Rows): number => {
  let written = 0
  for (const row of rows) {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { status } = http.call("POST", "/brevo/v3/contacts", row)
      if (status < 300) written += 1
      if (status !== 429 && status < 500) break
    }
  }
  return written
}
