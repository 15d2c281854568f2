/** What a connection's calls cost. The engine gives each connection one and reads it for the report. */
import * as Context from "effect/Context"

export interface Meter {
  calls: number
  /** Time spent waiting for a rate limit. */
  waitedMillis: number
  /** Answers of 429. */
  throttled: number
  bytes: number
}

export const makeMeter = (): Meter => ({ calls: 0, waitedMillis: 0, throttled: 0, bytes: 0 })

/** The meter of the connection being opened. */
export const CurrentMeter = Context.Reference<Meter>("@sluice/core/CurrentMeter", { defaultValue: makeMeter })
