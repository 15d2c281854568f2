/**
 * The organization's calls of the last 24 hours, by what every answer says of them. A run leaves the reserve to others,
 * and stops or waits when only that is left.
 */
import { QuotaExhausted, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Headers } from "effect/http/Headers"
import * as Semaphore from "effect/Semaphore"

interface Usage {
  readonly used: number
  readonly max: number
}

/**
 * `api-usage=25/5000; per-app-api-usage=17/250(appName=sample); api-bursts=1/750`: several directives, and more to come.
 * Used can be more than max. It is a gauge of the whole organization and goes down as well.
 */
export const usageIn = (headers: Headers): Usage | undefined => {
  for (const directive of (headers["sforce-limit-info"] ?? "").split(";")) {
    const [, used, max] = /^\s*api-usage=(\d+)\/(\d+)\s*(?:\(|$)/.exec(directive) ?? []
    if (used !== undefined && max !== undefined && Number(max) > 0) return { used: Number(used), max: Number(max) }
  }
  return undefined
}

export interface Quota {
  readonly note: (headers: Headers) => void
  /** The part that is left of what a run may use: 1 at first, 0 where only the reserve is left. */
  readonly left: () => number
  /** A call was refused for it, whatever was known. True: it is to be sent again when `admit` lets it. */
  readonly refused: () => boolean
  /** Before a call: passes, waits or fails. */
  readonly admit: <E>(look: Effect.Effect<Usage, E>) => Effect.Effect<void, E | SinkError>
}

/** Salesforce said no: what it said before of numbers does not hold. */
export const NOTHING_LEFT: Usage = { used: 1, max: 1 }

const LOOK_MINUTES = 15
/** A day, by then all calls of before are forgotten. */
const MOST_LOOKS = (24 * 60) / LOOK_MINUTES

export const makeQuota = (share: number, onQuota: "stop" | "wait"): Quota => {
  const one = Semaphore.makeUnsafe(1)
  let usage: Usage | undefined

  const isUsedUp = (): boolean => usage !== undefined && usage.used >= usage.max * share

  const exhausted = () => {
    const { used, max } = usage ?? { used: 0, max: 0 }
    const counted = `${used} of ${max} calls of the last 24 hours are used, all that share: ${share} allows`
    const message = `Salesforce: ${usage === NOTHING_LEFT ? "the day's calls are used up" : counted}. Run again when calls are free, or set on_quota: wait`
    return new SinkError({ reason: new QuotaExhausted({ message }) })
  }

  /** One looks for all that wait. */
  const wait = <E>(look: Effect.Effect<Usage, E>) =>
    one.withPermit(
      Effect.gen(function* () {
        if (isUsedUp()) yield* Effect.logWarning(`${exhausted().message}: waiting`)
        for (let looks = 0; isUsedUp(); looks++) {
          if (looks === MOST_LOOKS) return yield* exhausted()
          yield* Effect.sleep(`${LOOK_MINUTES} minutes`)
          usage = yield* look
        }
      }),
    )

  return {
    note: (headers) => {
      usage = usageIn(headers) ?? usage
    },
    refused: () => {
      if (onQuota === "stop") return false
      usage = NOTHING_LEFT
      return true
    },
    left: () => (usage === undefined ? 1 : Math.max(0, 1 - usage.used / (usage.max * share))),
    admit: (look) => {
      if (!isUsedUp()) return Effect.void
      return onQuota === "stop" ? Effect.fail(exhausted()) : wait(look)
    },
  }
}
