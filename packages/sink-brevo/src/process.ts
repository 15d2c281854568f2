/** Follows imports to their end on what Brevo allows for looking: a hundred calls an hour on most plans. */
import { SinkError, Unavailable } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { BrevoApi } from "./api.ts"
import type { Process } from "./shapes.ts"

/** Imports that were sent. */
export interface Sent {
  readonly processes: ReadonlyArray<number>
  /** One more may run whose number never came: its answer was lost, or we were stopped before it was kept. */
  readonly unseen: boolean
}

/** A process that ended. Undefined: Brevo does not know it. */
export type Ended = Process | undefined

const ENDS: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"])
const isOver = ({ status }: Process): boolean => ENDS.has(status.toLowerCase())
const runsImport = (process: Process): boolean => process.name === "IMPORTUSER" && !isOver(process)

const FIRST_SECONDS = [1, 2, 4, 8, 16]

export interface Following {
  /** Between looks, once the first few are made. */
  readonly everyMillis: number
  readonly longestMillis: number
}

export const makeFollow = (api: BrevoApi, { everyMillis, longestMillis }: Following) => {
  /** How long the last imports took: those that follow are looked at no sooner, for looks are few. */
  let usualSeconds = 0

  /** Alone by its own address; several, and those whose number we lack, by the list. */
  const look = Effect.fnUntraced(function* (open: ReadonlySet<number>, unseen: boolean) {
    const listed = unseen || open.size > 1 ? yield* api.processes : []
    const found = new Map<number, Ended>()
    for (const id of open) {
      const known = listed.find((process) => process.id === id)
      if (known === undefined) {
        const reply = yield* api.process(id)
        if (reply._tag !== "Busy") found.set(id, reply._tag === "Done" ? reply.value : undefined)
      } else found.set(id, known)
    }
    return { found, others: listed.some((process) => runsImport(process) && !open.has(process.id)) }
  })

  /** A limit that is used up for long costs time, not the job. */
  const patiently = (open: ReadonlySet<number>, unseen: boolean) =>
    look(open, unseen).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "RateLimited",
        (error) =>
          Effect.as(Effect.sleep(error.reason._tag === "RateLimited" ? error.reason.retryAfterMillis : 0), undefined),
      ),
    )

  /** `since`: when this process began to wait for them, in milliseconds since 1970. */
  return Effect.fnUntraced(function* (sent: Sent, since: number): Effect.fn.Return<ReadonlyArray<Ended>, SinkError> {
    const open = new Set(sent.processes)
    const ended: Array<Ended> = []
    const started = yield* Clock.currentTimeMillis
    let unseen = sent.unseen
    let nth = FIRST_SECONDS.filter((seconds) => seconds * 2 <= usualSeconds).length
    while (open.size > 0 || unseen) {
      const waited = (yield* Clock.currentTimeMillis) - since
      if (waited >= longestMillis) return yield* stillRunning(waited)
      const seconds = FIRST_SECONDS[nth++]
      yield* Effect.sleep(seconds === undefined ? everyMillis : seconds * 1000)
      const seen = yield* patiently(open, unseen)
      if (seen === undefined) continue
      // One that was just started may not be known yet.
      const isEarly = nth < FIRST_SECONDS.length
      for (const [id, process] of seen.found) {
        if (process === undefined ? isEarly : !isOver(process)) continue
        open.delete(id)
        ended.push(process)
      }
      unseen &&= seen.others || isEarly
    }
    usualSeconds = ((yield* Clock.currentTimeMillis) - started) / 1000
    return ended
  })
}

/** The job stays open: the next run goes on waiting where this one stopped. */
const stillRunning = (millis: number) =>
  new SinkError({
    reason: new Unavailable({
      message: `Brevo has not finished an import after ${Math.round(millis / 60_000)} minutes. Its rows are pending; run again to go on waiting for it, or see Brevo's list of imports`,
      inDoubt: true,
    }),
  })
