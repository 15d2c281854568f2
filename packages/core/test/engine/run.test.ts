import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../../src/engine/run/run.ts"
import { fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"

describe("run", () => {
  it.live("delivers each record once, and nothing on the second run", () =>
    Effect.gen(function* () {
      const source = fakeSource([[record("a", { name: "A" }), record("b", { name: "B" }), record("c")], [record("d")]])
      const sink = fakeSink()
      const pipeline = pipelineOf(source, { fake: { sink } })
      const first = yield* run([pipeline])
      assert.deepStrictEqual(first.pipelines[0]?.error, null)
      assert.deepInclude(first.pipelines[0]?.routes["fake.things"], { read: 4, created: 4, delivered: 4, pending: 0 })
      assert.strictEqual(sink.contents.size, 4)
      const second = yield* run([pipeline])
      assert.deepInclude(second.pipelines[0]?.routes["fake.things"], { read: 4, unchanged: 4, delivered: 0 })
      assert.strictEqual(sink.batches.length, 2)
    }).pipe(Effect.provide(services())),
  )
})
