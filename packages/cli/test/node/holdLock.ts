/** A process of its own for the lock's tests: takes the lock, says so, and waits to be killed. */

import { RunLock } from "@sluice/core"
import * as Effect from "effect/Effect"
import { layer } from "../../src/node/runLock.ts"

const [folder = "", pipeline = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const lock = yield* RunLock
  yield* lock.acquire(pipeline)
  process.stdout.write("held\n")
  yield* Effect.never
})

Effect.runFork(Effect.scoped(program).pipe(Effect.provide(layer({ folder }))))
// Effect.never alone keeps no process alive.
setInterval(() => {}, 60_000)
