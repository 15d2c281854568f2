/** Whose turn it is to write, of the batches that are marked. */
import * as Effect from "effect/Effect"
import type { Semaphore } from "effect/Semaphore"

/** A batch's place in the line. Both may be said again: who has the turn keeps it. */
export interface Turn {
  readonly take: Effect.Effect<void>
  readonly pass: Effect.Effect<void>
}

export const makeTurn = (turns: Semaphore): Turn => {
  let mine = false
  const set = (value: boolean) => () => {
    mine = value
  }
  return {
    take: Effect.suspend(() => (mine ? Effect.void : Effect.map(turns.take(1), set(true)))),
    pass: Effect.suspend(() => (mine ? Effect.map(turns.release(1), set(false)) : Effect.void)),
  }
}
