/** Follows a job to its end, in few looks: each is one of the day's calls. */
import { SinkError, Unavailable } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Job } from "../shapes.ts"
import type { BulkApi } from "./api.ts"

const ENDS: ReadonlySet<string> = new Set(["JobComplete", "Failed", "Aborted"])

/** What Salesforce usually makes of rows, and the longest that is waited between two looks. */
const ROWS_PER_SECOND = 1_000
const LONGEST_SECONDS = 60

/** Undefined: Salesforce does not know it, or it never started and never will now. */
export type Ended = Job | undefined

/** `since`: when this process began to wait, in milliseconds since 1970. */
export const follow = Effect.fnUntraced(function* (
  api: BulkApi,
  id: string,
  rows: number,
  longestMinutes: number,
  since: number,
): Effect.fn.Return<Ended, SinkError> {
  let seconds = Math.min(LONGEST_SECONDS, 2 + rows / ROWS_PER_SECOND)
  let isStopped = false
  while (true) {
    const job = yield* api.look(id)
    if (job === undefined) return undefined
    if (ENDS.has(job.state)) return isStopped && (job.numberRecordsProcessed ?? 0) === 0 ? undefined : job
    if (job.state === "Open") {
      // Whoever opened it was stopped before all of its rows were there: none of them took effect.
      yield* api.close(id, "Aborted")
      // Unless it was closed in this very moment: then it runs, and is looked at until it ends.
      isStopped = true
      continue
    }
    const waited = (yield* Clock.currentTimeMillis) - since
    if (waited >= longestMinutes * 60_000) return yield* stillRunning(waited)
    yield* Effect.sleep(`${Math.ceil(seconds)} seconds`)
    seconds = Math.min(LONGEST_SECONDS, seconds * 1.5)
  }
})

/** The job stays open (salesforce trap 11): the next run goes on waiting where this one stopped. */
const stillRunning = (millis: number) =>
  new SinkError({
    reason: new Unavailable({
      message: `Salesforce has not finished a bulk job after ${Math.round(millis / 60_000)} minutes. Its rows are pending; run again to go on waiting for it, or see Bulk Data Load Jobs in Setup`,
      inDoubt: true,
    }),
  })
