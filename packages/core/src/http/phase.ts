/** When a vendor's windows begin: an interval that holds the beginning of the next one, narrowed by what answers show. */

export interface Phase {
  /** Goes on to `now`; answers how many windows have surely begun meanwhile. */
  readonly advance: (now: number) => number
  /** Some window began between these two moments. */
  readonly narrow: (after: number, before: number) => void
  /** The earliest that the current window can have begun; undefined while nothing is known. */
  readonly since: () => number | undefined
  /** When the current window had surely begun. */
  readonly opened: () => number
  /** When the next window will surely have begun; undefined while nothing is known. */
  readonly next: () => number | undefined
  /** Known well enough to use a window's limit at its beginning. */
  readonly sharp: () => boolean
}

/** What a vendor's clock and ours can differ in pace, far above what clocks do. */
const drift = 1e-4

export const makePhase = (windowMillis: number): Phase => {
  let known = false
  let [low, high] = [0, 0]
  let [since, opened] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]

  const advance = (now: number): number => {
    if (!known || now < high) return 0
    const windows = Math.floor((now - high) / windowMillis) + 1
    const last = (windows - 1) * windowMillis
    ;[since, opened] = [low + last, high + last]
    const loosened = Math.min(drift * windows * windowMillis, (windowMillis - (high - low)) / 2)
    low += windows * windowMillis - loosened
    high += windows * windowMillis + loosened
    return windows
  }

  const narrow = (after: number, before: number) => {
    if (before - after >= windowMillis) return
    const shift = known ? Math.round((low + high - after - before) / 2 / windowMillis) * windowMillis : 0
    const [from, to] = [after + shift, before + shift]
    const meets = (by: number) => Math.max(low, from + by) < Math.min(high, to + by)
    // Two wide intervals meet at both ends, and nobody can say at which one it is.
    const unclear = known && (meets(windowMillis) || meets(-windowMillis))
    if (unclear && to - from >= high - low)
      return // What contradicts all before it is another clock of the vendor's, or ours was set.
    ;[low, high] = known && !unclear && meets(0) ? [Math.max(low, from), Math.min(high, to)] : [from, to]
    known = true
  }

  return {
    advance,
    narrow,
    since: () => (known ? since : undefined),
    opened: () => opened,
    next: () => (known ? high : undefined),
    sharp: () => known && high - low < windowMillis / 2,
  }
}
