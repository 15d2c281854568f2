/** Seeded numbers: the same inputs give the same number on every machine. */

/** Spreads the bits of two 32-bit numbers over one. */
export const mix = (a: number, b: number): number => {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** A number in [0, 1) for a seed, an index and a purpose. */
export const fraction = (seed: number, index: number, purpose: number): number =>
  mix(mix(seed, purpose), index) / 0x1_0000_0000

export interface Dice {
  /** In [0, 1). */
  readonly next: () => number
  /** A whole number in [0, below). */
  readonly below: (below: number) => number
}

/** A sequence of its own: what one part draws never shifts what another draws. */
export const makeDice = (seed: number, purpose: number): Dice => {
  let count = 0
  const next = () => fraction(seed, count++, purpose)
  return { next, below: (below) => Math.floor(next() * below) }
}
