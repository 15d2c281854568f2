/**
 * A bucket that the vendor refills evenly. Calls start at the share's part of that pace, and at most half a bucket of
 * them at once: the other half takes up that calls which started one by one can arrive together.
 */
import type { RateLimit } from "./api.ts"
import type { Gauge } from "./gauge.ts"

interface Preset extends RateLimit {
  readonly burst: number
}

const perMilliOf = ({ limit, windowMillis }: RateLimit): number => limit / windowMillis

/** The pace of a bucket whose size an answer names: that of the plan with this size, else the slowest for a size. */
const paceOf = (preset: Preset, size: number): number => {
  const plans = [preset, ...(preset.plans ?? [])]
  const named = plans.find(({ burst }) => burst === size)
  if (named !== undefined) return perMilliOf(named)
  return size * Math.min(...plans.map((plan) => perMilliOf(plan) / (plan.burst ?? plan.limit)))
}

const most = (size: number, share: number): number => Math.max(1, Math.floor(size * Math.min(share, 0.5)))

export const makeRefill = (preset: Preset, share: number): Gauge => {
  let size = preset.burst
  let perMilli = perMilliOf(preset)
  let inFlight = 0
  let [tokens, filledAt] = [most(size, share), 0]
  // The vendor's bucket by the newest call that was answered; full until then.
  let [level, levelAt, newest] = [Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]

  const fill = (now: number) => {
    tokens = Math.min(most(size, share), tokens + Math.max(0, now - filledAt) * perMilli * share)
    filledAt = Math.max(filledAt, now)
  }

  /** What the share leaves to others stays in the bucket, and always enough that they rarely empty it on us. */
  const floor = () => Math.min(size - 1, Math.max((1 - share) * size, (size - 1) / 4))

  return {
    wait: (now) => {
      fill(now)
      const theirs = floor() + 1 + inFlight - Math.min(size, level + (now - levelAt) * perMilli)
      const ours = (1 - 1e-9 - tokens) / share
      return Math.max(0, ours, theirs) / perMilli
    },
    start: (now) => {
      fill(now)
      tokens -= 1
      inFlight += 1
      return { at: now, before: undefined }
    },
    end: (call, said, now) => {
      fill(now)
      inFlight -= 1
      if (said?.limit !== undefined && said.limit !== size) {
        const before = most(size, share)
        size = said.limit
        perMilli = paceOf(preset, size)
        tokens += most(size, share) - before
      }
      if (said?.remaining === undefined) level -= 1
      else if (call.at >= newest) {
        // The vendor answered somewhere between, and says whole calls only.
        ;[level, levelAt, newest] = [said.remaining + 0.5, (call.at + now) / 2, call.at]
      }
    },
    refuse: (until) => {
      // What opens then is one refill, not a full bucket.
      tokens = Math.min(tokens, 1)
      filledAt = Math.max(filledAt, until)
      ;[level, levelAt] = [floor() + 1, until]
    },
  }
}
