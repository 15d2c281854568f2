/**
 * Keeps calls within a vendor's rate limit: one queue per account and bucket, first come first served, corrected by
 * what the answers' headers say. docs/adr/0018-own-limiter.md says why it is not Effect's.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { LimitState, RateLimit } from "./api.ts"
import type { Said } from "./gauge.ts"
import { monotonicMillis } from "./monotonic.ts"
import { makeRefill } from "./refill.ts"
import { makeWindow } from "./window.ts"

/** The longest a call waits by itself, in milliseconds: 15 minutes. */
export const longestWait = 15 * 60_000

/** No vendor's window is longer, in milliseconds: one hour. What asks for more is an allowance, or nonsense. */
export const longestWindow = 60 * 60_000

/** The bucket opens again in so long, which is more than a call waits by itself. */
export interface Closed {
  readonly _tag: "Closed"
  readonly millis: number
}

/** A call whose turn has come. */
export interface Turn {
  readonly waitedMillis: number
  /** Takes in what the answer's headers say, where they say anything. Once, as soon as they are there. */
  readonly answered: (state: LimitState | undefined, nowMillis: number) => void
}

/** `nowMillis` is of the monotonic clock. */
export interface Bucket {
  /** Waits for the call's turn and makes it. `waiting` hears of each wait, as long as it looks when it begins. */
  readonly through: <A, E, R>(
    call: (turn: Turn) => Effect.Effect<A, E, R>,
    waiting?: (millis: number) => Effect.Effect<void>,
  ) => Effect.Effect<A, E | Closed, R>
  /** Lets nobody through for so long, one window at most: the vendor said so. */
  readonly close: (millis: number, nowMillis: number) => void
}

const atLeast = (least: number, said: number | undefined) => (said !== undefined && said >= least ? said : undefined)

/** Headers are anyone's: what is no number, or too small for what it counts, was not said. */
const believable = (state: LimitState): Said => ({
  limit: atLeast(1, state.limit),
  remaining: atLeast(0, state.remaining),
  resetAfterMillis: atLeast(0, state.resetAfterMillis),
})

const makeBucket = (preset: RateLimit, share: number): Bucket => {
  const { burst, windowMillis: ours } = preset
  const gauge = burst === undefined ? makeWindow(preset, share) : makeRefill({ ...preset, burst }, share)
  const queue = Semaphore.makeUnsafe(1)
  let queued = 0
  let closedUntil = 0
  // When the vendor lets more in, where it said that nothing is left.
  let openAt = 0
  let wake = () => {}

  const waitMillis = (now: number) => (now < closedUntil ? closedUntil - now : gauge.wait(now))

  const begin = (asked: number, now: number) => {
    const sent = gauge.start(now)
    let flying = true
    const answered = (state: LimitState | undefined, at: number) => {
      if (!flying) return
      flying = false
      const said = state === undefined ? undefined : believable(state)
      const reset = said?.resetAfterMillis ?? 0
      const another = (state?.windowMillis ?? ours) !== ours || reset > ours + 1000
      gauge.end(sent, another ? undefined : said, at)
      if (said?.remaining === 0) openAt = at + reset
      if (said?.remaining === 0 && another) close(reset, at)
      wake()
    }
    return { waitedMillis: Math.max(0, now - asked), answered }
  }

  /** Until the time is over or an answer changes it. */
  const pause = (millis: number) =>
    Effect.raceFirst(
      Effect.sleep(Math.ceil(millis)),
      Effect.callback<void>((resume) => {
        wake = () => resume(Effect.void)
      }),
    )

  const inTurn = (asked: number, waiting: (millis: number) => Effect.Effect<void>) =>
    Effect.gen(function* () {
      while (true) {
        const now = yield* monotonicMillis
        const millis = waitMillis(now)
        if (millis <= 0) return begin(asked, now)
        if (millis > longestWait) return yield* Effect.fail<Closed>({ _tag: "Closed", millis })
        yield* waiting(millis)
        yield* pause(millis)
      }
    }).pipe(queue.withPermits(1))

  const close = (millis: number, now: number) => {
    closedUntil = Math.max(closedUntil, Math.min(Math.max(now + millis, openAt), now + longestWindow))
    gauge.refuse(closedUntil)
  }

  const through: Bucket["through"] = (call, waiting = () => Effect.void) =>
    Effect.uninterruptibleMask((restore) => {
      const made = (turn: Turn) =>
        Effect.ensuring(
          restore(call(turn)),
          Effect.map(monotonicMillis, (now) => turn.answered(undefined, now)),
        )
      return Effect.flatMap(monotonicMillis, (now) => {
        if (queued === 0 && waitMillis(now) <= 0) return made(begin(now, now))
        queued++
        const turn = Effect.ensuring(
          restore(inTurn(now, waiting)),
          Effect.sync(() => queued--),
        )
        return Effect.flatMap(turn, made)
      })
    })

  return { through, close }
}

export interface Limiters {
  /** The first to ask decides limit and share; an `account` is a key and may be a secret's hash: it is never shown. */
  readonly bucket: (account: string, name: string, limit: RateLimit, share: number) => Bucket
}

export const makeLimiters = (): Limiters => {
  const buckets = new Map<string, Bucket>()
  return {
    bucket: (account, name, limit, share) => {
      const key = JSON.stringify([account, name])
      const found = buckets.get(key) ?? makeBucket(limit, share)
      buckets.set(key, found)
      return found
    },
  }
}

/** The buckets that connections share. One for the process unless a run or a test provides its own. */
export const CurrentLimiters = Context.Reference<Limiters>("@sluice/core/CurrentLimiters", {
  defaultValue: makeLimiters,
})
