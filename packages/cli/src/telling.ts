/** What is said while a run goes on: drawn for people, or as log entries for machines that collect standard error. */
import type { PipelineReport, RunEvent } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Host } from "./host.ts"
import { makeProgress } from "./render/progress.ts"

export interface Teller {
  readonly on: (event: RunEvent) => Effect.Effect<void>
  /** The first signal came. */
  readonly stopping: Effect.Effect<void>
  /** Leaves the next line clean. */
  readonly end: Effect.Effect<void>
}

const STOPPING = "stopping: finishing what is in flight; a second signal ends at once"

/** What is drawn is drawn again every second, until the fiber that asked for it ends. */
export const progressTeller = Effect.gen(function* () {
  const { err, errPage, live } = yield* Host
  const progress = makeProgress(errPage, live)
  const ticking = Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => err(progress.tick(now))),
    Effect.delay("1 second"),
    Effect.forever,
  )
  yield* Effect.forkChild(ticking)
  const teller: Teller = {
    on: (event) => Effect.flatMap(Clock.currentTimeMillis, (now) => err(progress.on(event, now))),
    stopping: Effect.suspend(() => err(progress.note(STOPPING))),
    end: Effect.suspend(() => err(progress.end())),
  }
  return teller
})

/** How often at most a log says how far a run is. */
const EVERY_MILLIS = 5000
/** Waits that a log tells of. */
const LONG_WAIT_MILLIS = 10_000

const finished = (report: PipelineReport): Effect.Effect<void> => {
  const { pipeline, run_id, status, ok, read, routes, calls, waited_ms, duration_ms, error, resumable } = report
  const fields = { pipeline, run_id, status, ok, read, routes, calls, waited_ms, duration_ms, resumable, error }
  if (ok) return Effect.logInfo("run finished", fields)
  return status === "failed" ? Effect.logError("run finished", fields) : Effect.logWarning("run finished", fields)
}

export const logTeller = (): Teller => {
  let said = Number.NEGATIVE_INFINITY
  const tell = (event: RunEvent, now: number): Effect.Effect<void> => {
    switch (event._tag) {
      case "Started": {
        said = now
        const { pipeline, run_id, source, expected } = event
        return Effect.logInfo("run started", { pipeline, run_id, source, expected })
      }
      case "Progress": {
        if (now - said < EVERY_MILLIS) return Effect.void
        said = now
        const { pipeline, read, routes, waited_ms } = event
        return Effect.logInfo("run progress", { pipeline, read, routes, waited_ms })
      }
      case "Waiting": {
        const { pipeline, connection, why, millis } = event
        return millis < LONG_WAIT_MILLIS
          ? Effect.void
          : Effect.logInfo("call waits", { pipeline, connection, why, millis })
      }
      case "Job": {
        const { pipeline, route, rows, step } = event
        return Effect.logInfo(`job ${step}`, { pipeline, route, rows })
      }
      case "Notice":
        return Effect.logWarning(event.message, { pipeline: event.pipeline })
      case "Finished":
        return finished(event.report)
    }
  }
  return {
    on: (event) => Effect.flatMap(Clock.currentTimeMillis, (now) => tell(event, now)),
    stopping: Effect.logWarning(STOPPING),
    end: Effect.void,
  }
}
