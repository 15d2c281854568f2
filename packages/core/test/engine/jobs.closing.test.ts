/** When a spool closes, and what goes on beside a job. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Outcome } from "../../src/plugin/outcome.ts"
import { fakeJobs } from "./fakeJobs.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"
import { countsOf, runOne } from "./scenario.ts"
import { slowServices } from "./slowState.ts"

const setup = (...sizes: ReadonlyArray<number>) => {
  const sink = fakeSink()
  const jobs = fakeJobs(sink)
  sink.writer = { jobs }
  const pages = sizes.map((size, page) =>
    Array.from({ length: size }, (_, n) => record(`${page}.${n}`, { name: "N" }, "1")),
  )
  const source = fakeSource(pages)
  return { sink, jobs, source, pipeline: pipelineOf(source, { fake: { sink } }, { sync: "incremental" }) }
}

describe("spools", () => {
  it.effect("a spool with no room for the next row closes at once when nothing more comes, not when it is old", () =>
    Effect.gen(function* () {
      const { jobs, pipeline } = setup(12)
      jobs.limits = { rows: 100, bytes: 70 }
      const report = yield* runOne(pipeline)
      assert.deepInclude(countsOf(report), { delivered: 12 })
      assert.isBelow(report.duration_ms, 60_000)
    }).pipe(Effect.provide(services())),
  )

  it.effect(
    "rule 2: what a job defers is sent also where the job before it was still being put away when it began",
    () =>
      Effect.gen(function* () {
        const { jobs, pipeline, sink, source } = setup(3)
        source.pages = [...source.pages, [record("0.1", { name: "newer" }, "2")]]
        jobs.limits = { rows: 3 }
        jobs.minimum = 1
        const later = Effect.sleep("1 minute")
        jobs.answer = (rows, ref) =>
          Stream.unwrap(
            Effect.as(
              later,
              Stream.succeed(
                rows.map((row) =>
                  ref === "job-1" ? deliver(sink, row) : Outcome.Deferred({ id: row.id, message: "cannot" }),
                ),
              ),
            ),
          )
        assert.deepInclude(countsOf(yield* runOne(pipeline)), { delivered: 4, pending: 0 })
        assert.strictEqual(sink.contents.get("0.1")?.name, "newer")
      }).pipe(Effect.provide(services())),
  )

  it.effect("rule 2: a parked row that is judged while the last batches are answered finds its spool open", () =>
    Effect.gen(function* () {
      const { sink, source } = setup()
      const map = { key: "id", id: "key", name: "name" }
      const keyed = (id: string, key: string, version: string) => record(id, { key, name: id }, version)
      source.pages = [[keyed("a", "k", "1"), keyed("b", "l", "1"), keyed("c", "k", "2")]]
      sink.writer = { ...sink.writer, limits: { rows: 1, concurrency: 2 } }
      const report = yield* runOne(pipelineOf(source, { fake: { sink, map, onKeyConflict: "newest" } }))
      assert.deepInclude(countsOf(report), { delivered: 3, pending: 0 })
      assert.strictEqual(sink.contents.get("k")?.name, "c")
    }).pipe(Effect.provide(slowServices())),
  )
})
