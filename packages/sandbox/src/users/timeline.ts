/** When generated users were created and last changed: monotone in the number of the user, with bursts and ties. */
import { fraction, mix } from "../random.ts"

const year = 365 * 24 * 3_600_000
/** The first user of a bulk import. */
const importStart = 100

export interface Timeline {
  readonly users: number
  /** Milliseconds since 1970; never smaller for a larger index. */
  readonly createdAt: (index: number) => number
  /** Between `createdAt` and the end of the timeline, in no order. */
  readonly updatedAt: (index: number) => number
}

interface TimelineOptions {
  readonly seed: number
  readonly users: number
  readonly until: number
  readonly importedAtOnce: number
}

/**
 * Users come in blocks of 32. One block in eight shares a millisecond, one in eight comes within a quarter of a second;
 * one stretch of 256 in eight, the fourth first, shares a millisecond, which is more than a page.
 */
export const makeTimeline = ({ seed, users, until, importedAtOnce }: TimelineOptions): Timeline => {
  const start = until - 3 * year
  const blocks = Math.ceil(users / 32) + 1
  const blockMillis = Math.floor((3 * year) / blocks)
  const slotMillis = Math.floor(blockMillis / 32)

  const natural = (index: number): number => {
    const stretch = index >>> 8
    if (stretch % 8 === 3) return start + stretch * 8 * blockMillis
    const block = index >>> 5
    const place = index & 31
    const blockStart = start + block * blockMillis
    const kind = mix(seed + 12, block) % 8
    if (kind === 0) return blockStart
    if (kind === 1) return blockStart + place * 7
    return blockStart + place * slotMillis + Math.floor(fraction(seed, index, 13) * slotMillis)
  }

  const createdAt = (index: number): number =>
    natural(index >= importStart && index < importStart + importedAtOnce ? importStart : index)

  const updatedAt = (index: number): number => {
    const created = createdAt(index)
    const share = fraction(seed, index, 14)
    return share < 0.2 ? created : created + Math.floor(share * share * (until - created))
  }

  return { users, createdAt, updatedAt }
}
