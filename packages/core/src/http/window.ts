/**
 * A window that starts afresh at times the vendor keeps to itself. Calls in flight, and calls answered since the
 * current window can have begun at the earliest, are never more than the limit: no latency makes that wrong. Where
 * answers show when windows begin, the whole limit is used in each (docs/adr/0018-own-limiter.md).
 */
import type { RateLimit } from "./api.ts"
import type { Gauge, Said, Sent } from "./gauge.ts"
import { makePhase } from "./phase.ts"

/** What is known of others fades by this part a window, so that a call is risked for what they may leave again. */
const fading = 0.05

/** A whole second's header is right within a second. */
const coarse = 1000

export const makeWindow = (preset: RateLimit, share: number): Gauge => {
  const { windowMillis } = preset
  const phase = makePhase(windowMillis)
  let limit = preset.limit
  let inFlight = 0
  // Times of answers, oldest first; those of a thousandth of a window are one entry with the last's time.
  let answers: Array<{ readonly slot: number; at: number; calls: number }> = []
  let answered = 0
  // The least that an answer of this window said was left.
  let remaining: number | undefined
  // Calls that others make in a window, as far as seen.
  let others = 0
  let newest: Sent["before"]
  let startedAt = Number.NEGATIVE_INFINITY
  let wasFull = false

  const ours = () => Math.max(1, Math.floor(limit * share + 1e-9))
  const possible = () => inFlight + answered
  /** What others have taken of this window at least; told only where the calls that are ours are known well enough. */
  const taken = () => (remaining === undefined || !phase.sharp() ? 0 : Math.max(0, limit - remaining - possible()))

  const advance = (now: number) => {
    const windows = phase.advance(now)
    if (windows > 0) {
      others = Math.max(others * (1 - fading) ** windows, (others + taken()) / 2)
      if (others < 0.25) others = 0
      remaining = undefined
    }
    const began = phase.since() ?? Number.NEGATIVE_INFINITY
    const since = phase.sharp() ? began : Math.max(began, now - windowMillis)
    let old = 0
    for (; old < answers.length; old++) {
      const entry = answers[old]
      if (entry === undefined || entry.at > since) break
      answered -= entry.calls
    }
    if (old > 0) answers = answers.slice(old)
  }

  /** Calls that may start now; below one, none may. */
  const left = (now: number): number => {
    const calls = possible()
    const mine = ours() - (remaining === undefined ? calls : Math.min(calls, limit - remaining + inFlight))
    if (others === 0 && taken() === 0) return mine
    const rest = Math.min(1, ((phase.next() ?? now + windowMillis) - now) / windowMillis)
    const reserved = Math.max((1 - share) * limit * rest, remaining === undefined ? others : others * rest)
    const free = remaining === undefined ? limit - calls : Math.min(limit - calls, remaining - inFlight)
    return Math.min(mine, free - Math.min(limit - 1, reserved + 1))
  }

  const read = (call: Sent, said: Said, now: number) => {
    if (said.limit !== undefined) limit = said.limit
    // A call that was taken has left less than the limit.
    if (said.remaining === undefined || said.remaining >= limit) return
    // More left than an earlier call had seen: a window began between the two.
    if (call.before !== undefined && said.remaining >= call.before.remaining) phase.narrow(call.before.at, now)
    if (said.resetAfterMillis !== undefined) {
      phase.narrow(call.at + said.resetAfterMillis - coarse, now + said.resetAfterMillis + coarse)
    }
    advance(now)
    if (newest === undefined || call.at >= newest.at) newest = { at: call.at, remaining: said.remaining }
    // A call from before may have come in the last window, and did if it saw less left than this one can have.
    if (call.at < phase.opened() && said.remaining < limit - possible()) return
    if (phase.since() === undefined) return
    remaining = Math.min(remaining ?? limit, said.remaining)
  }

  return {
    wait: (now) => {
      advance(now)
      const part = share * limit < 1 ? windowMillis / (share * limit) : 0
      // A limit used in one go shows nothing of when windows begin, so calls go evenly until that is known.
      const even = (0.9 * windowMillis) / ours()
      const apart = Math.max(part, wasFull && even >= 10 && !phase.sharp() ? even : 0)
      if (left(now) >= 1) return Math.max(0, startedAt + apart - now)
      wasFull = true
      const free = (answers[0]?.at ?? now) + windowMillis
      const soon = others > 0 || taken() > 0 ? now + windowMillis / limit : Number.POSITIVE_INFINITY
      return Math.max(1, Math.min(free, soon, phase.next() ?? Number.POSITIVE_INFINITY) - now)
    },
    start: (now) => {
      advance(now)
      inFlight += 1
      startedAt = now
      return { at: now, before: newest }
    },
    end: (call, said, now) => {
      advance(now)
      inFlight -= 1
      answered += 1
      const slot = Math.floor((now * 1000) / windowMillis)
      const last = answers.at(-1)
      if (last?.slot === slot) {
        last.at = now
        last.calls += 1
      } else answers.push({ slot, at: now, calls: 1 })
      if (said !== undefined) read(call, said, now)
    },
    refuse: () => {
      if (phase.since() !== undefined) others = Math.min(limit, others + Math.max(1, limit / 20))
    },
  }
}
