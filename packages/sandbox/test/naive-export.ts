/** An export as it is usually written, at most 20 lines; under each flaw it loses or doubles a user. */
import { constants, gunzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { respond } from "../src/origin.ts"
import { authorization, type Body } from "./ask.ts"
import { naiveHttp } from "./naive.ts"

interface Habits {
  readonly body?: object
  /** Sends its token wherever it goes. */
  readonly token?: boolean
  /** Between learning the address and using it. */
  readonly dawdles?: "61 seconds"
}

/** As `fetch`: whatever came, unpacked as far as it goes. */
const load = (sandbox: Sandbox, url: string, headers: { readonly [name: string]: string }): string => {
  const { hostname, pathname, searchParams } = new URL(url)
  const request = { method: "GET", path: pathname, query: searchParams, headers, body: "" }
  const { answer } = respond(sandbox, hostname, request)
  const bytes = Buffer.concat([...(answer.chunks ?? [])])
  return answer.status === 200 ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString() : ""
}

export const exportFields = [{ name: "user_id" }, { name: "email" }]

/** "We'll see in the log." */
const attempted = (read: () => Body): ReadonlyArray<Body> => {
  try {
    return [read()]
  } catch {
    return []
  }
}

export const exportsUsers = Effect.fnUntraced(function* (sandbox: Sandbox, habits: Habits = {}) {
  const http = naiveHttp(sandbox)
  const body = habits.body ?? { format: "json", fields: exportFields }
  let job = http.call("POST", "/auth0/api/v2/jobs/users-exports", body).body
  for (let poll = 0; poll < 10 && job.status === "pending"; poll++) {
    yield* TestClock.adjust("2 seconds")
    job = http.call("GET", `/auth0/api/v2/jobs/${job.id}`).body
  }
  yield* TestClock.adjust(habits.dawdles ?? "1 second")
  const [text = ""] = attempted(() => load(sandbox, job.location, habits.token ? authorization(sandbox) : {}))
  const lines: ReadonlyArray<string> = text.split("\n")
  return lines.flatMap((line) => attempted(() => JSON.parse(line)))
})
