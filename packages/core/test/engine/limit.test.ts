/** `--limit`: a trial run takes so many records and leaves the rest, and the position, alone. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Unavailable } from "../../src/plugin/errors.ts"
import { fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { runOne } from "./scenario.ts"

const pagesOfTwo = (pages: number) =>
  Array.from({ length: pages }, (_, page) => [record(`${page}-a`), record(`${page}-b`)])

/** A source that tells which pages it was asked for. */
const watched = (pages: number) => {
  const source = fakeSource(pagesOfTwo(pages))
  const asked: Array<number> = []
  source.before = (page) => Effect.sync(() => void asked.push(page))
  return { source, asked, pipeline: pipelineOf(source, { fake: { sink: fakeSink() } }) }
}

describe("a run with a limit", () => {
  it.effect.each([
    { limit: 1, pages: [1] },
    { limit: 3, pages: [1, 2] },
    { limit: 4, pages: [1, 2] },
  ])("of $limit asks for no page beyond $pages", ({ limit, pages }) =>
    Effect.gen(function* () {
      const { asked, pipeline } = watched(6)
      const { read } = yield* runOne(pipeline, { limit })
      assert.strictEqual(read, limit)
      assert.deepStrictEqual(asked, pages)
    }).pipe(Effect.provide(services())),
  )

  it.effect("counts over a source that failed in between, and the next run begins where it would have", () =>
    Effect.gen(function* () {
      const { asked, pipeline, source } = watched(6)
      source.failAfter = { pages: 1, reason: new Unavailable({ message: "down", inDoubt: false }) }
      const { read } = yield* runOne(pipeline, { limit: 5 })
      assert.strictEqual(read, 5)
      assert.deepStrictEqual(asked, [1, 2, 3])
      source.failAfter = undefined
      yield* runOne(pipeline)
      assert.deepStrictEqual(asked.slice(3), [1, 2, 3, 4, 5, 6])
    }).pipe(Effect.provide(services())),
  )
})
