/** Reading and writing overlap: a call that can be made is on its way before its side's work of milliseconds begins. */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { counterpart } from "../src/bench.ts"
import { reset } from "../src/counterpart/control.ts"
import { sluice } from "../src/engine.ts"
import { serve } from "../src/processes.ts"

/** Rows of a page and of a batch: reading and writing take equally long. */
const SIZE = 100
const users = 1_000

const sends = "undici:client:sendHeaders"
const decodeSent = Schema.decodeUnknownSync(Schema.Struct({ request: Schema.Struct({ method: Schema.String }) }))

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-overlap-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
)

/** Requests by method as undici writes them, and what the run has done: `GET 3`, `read 200`, `delivered 50`. */
const watched = Effect.gen(function* () {
  const { origin } = yield* Effect.acquireRelease(
    Effect.promise(() => serve(counterpart)),
    (served) => Effect.promise(served.close),
  )
  const stateFile = join(yield* temporary, "state.db")
  yield* Effect.promise(() => reset(origin, { users, latency: 5 }))
  const events: Array<string> = []
  const counts = new Map<string, number>()
  const onSend = (message: unknown) => {
    const { method } = decodeSent(message).request
    const nth = (counts.get(method) ?? 0) + 1
    counts.set(method, nth)
    events.push(`${method} ${nth}`)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => subscribe(sends, onSend)),
    () => Effect.sync(() => unsubscribe(sends, onSend)),
  )
  yield* Effect.promise(() =>
    sluice({
      origin,
      stateFile,
      batch: SIZE,
      ledger: "on",
      onEvent: (event) =>
        Effect.sync(() => {
          if (event._tag !== "Progress") return
          events.push(`read ${event.read}`)
          for (const { delivered } of Object.values(event.routes)) events.push(`delivered ${delivered}`)
        }),
    }),
  )
  return events
})

describe("calls leave first", () => {
  it.live("The next page and the next batch are asked for before the last ones are worked on", () =>
    Effect.gen(function* () {
      const events = yield* Effect.scoped(watched)
      const isLate = (call: string, work: string): boolean => {
        assert.include(events, call)
        assert.include(events, work)
        return events.indexOf(call) > events.indexOf(work)
      }
      const last = users / SIZE
      const late = { GET: 0, POST: 0 }
      for (let nth = 1; nth < last; nth += 1) if (isLate(`GET ${nth + 1}`, `read ${nth * SIZE}`)) late.GET += 1
      // One batch at a time until the first was answered.
      for (let nth = 3; nth < last; nth += 1) if (isLate(`POST ${nth + 1}`, `delivered ${nth * SIZE}`)) late.POST += 1
      // On a busy machine a page or batch is not always ready in time.
      assert.isBelow(late.GET, (last - 1) / 2)
      assert.isBelow(late.POST, (last - 3) / 2)
    }),
  )
})
