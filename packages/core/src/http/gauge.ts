/** What the limiter asks about one limit of a vendor: may a call start now? */

/** What an answer's headers say, where it is believable: counts of calls, the limit at least 1. */
export interface Said {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly resetAfterMillis: number | undefined
}

/** A call on its way. */
export interface Sent {
  readonly at: number
  /** What the newest answer said when this call started: the vendor had taken that call before this one. */
  readonly before: { readonly at: number; readonly remaining: number } | undefined
}

/** Times are milliseconds of the monotonic clock. */
export interface Gauge {
  /** How long until a call may start, by what is known now; an answer can make it shorter or longer. */
  readonly wait: (now: number) => number
  readonly start: (now: number) => Sent
  /** Once for each call that started: its answer, or its end without one. */
  readonly end: (call: Sent, said: Said | undefined, now: number) => void
  /** The vendor has answered "slow down"; nobody calls before `until`. */
  readonly refuse: (until: number) => void
}
