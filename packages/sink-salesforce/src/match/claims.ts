/** Records that rows of any route are about to take: no other row may, until the batch of the first is written. */
import type { Row } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** What is taken while rows are given their records. */
export interface Hold {
  /** By a row of another key. */
  readonly isTaken: (id: string, key: string) => boolean
  readonly take: (id: string, key: string) => void
}

/** `note` hears of what is taken. */
export const makeHold = (before: ReadonlyMap<string, string>, note: Hold["take"] = () => {}): Hold => {
  const taken = new Map(before)
  return {
    isTaken: (id, key) => (taken.get(id) ?? key) !== key,
    take: (id, key) => {
      taken.set(id, key)
      note(id, key)
    },
  }
}

export const makeClaims = () => {
  const looking = Semaphore.makeUnsafe(1)
  const taken = new Map<string, string>()

  /** Looks at what is there, and decides on it: one after the other. */
  const decide = <A, B, E>(look: Effect.Effect<A, E>, choose: (found: A, hold: Hold) => B): Effect.Effect<B, E> =>
    looking.withPermit(
      Effect.gen(function* () {
        // What was claimed before the look may be written and released during it, unseen by it.
        const before = new Map(taken)
        const found = yield* look
        return choose(
          found,
          makeHold(new Map([...before, ...taken]), (id, key) => taken.set(id, key)),
        )
      }),
    )

  const release = (rows: ReadonlyArray<Row>) => {
    const keys = new Set(rows.map((row) => row.key))
    for (const [id, owner] of taken) if (keys.has(owner)) taken.delete(id)
  }

  return { decide, release }
}

export type Claims = ReturnType<typeof makeClaims>
