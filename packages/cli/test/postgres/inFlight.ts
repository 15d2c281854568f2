/** Knows when Postgres owes no answer, so that a test clock is not moved meanwhile. */
import pg from "pg"

let pending = 0

/** Counts a call until its callback is called. Everything in this repository calls back. */
const counted = (args: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const done = args.at(-1)
  if (typeof done !== "function") throw new Error("a call to pg without a callback cannot be counted")
  pending += 1
  return args.with(-1, (...answer: ReadonlyArray<unknown>) => {
    pending -= 1
    Reflect.apply(done, undefined, answer)
  })
}

for (const name of ["connect", "query", "end"] as const) {
  const original: unknown = pg.Client.prototype[name]
  if (typeof original !== "function") throw new Error(`pg.Client has no ${name}`)
  Object.assign(pg.Client.prototype, {
    [name](...args: ReadonlyArray<unknown>): unknown {
      return Reflect.apply(original, this, counted(args))
    },
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Between two statements what runs gets its turns. */
export const quiet = async (): Promise<void> => {
  for (let turns = 0; turns < 4; turns++) {
    await turn()
    if (pending > 0) turns = -1
  }
}
