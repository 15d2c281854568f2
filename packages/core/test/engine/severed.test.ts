/** Runs whose way to a Postgres state breaks: at each COMMIT, before it arrives and after it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as SqlClient from "effect/sql/SqlClient"
import { newPostgresState, postgres } from "../../../cli/test/postgres/database.ts"
import { type Cut, makeSevering } from "../../../cli/test/postgres/severing.ts"
import { run } from "../../src/engine/run/run.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import { fakeJobs } from "./fakeJobs.ts"
import { deliver, fakeSink, fakeSource, pipelineOf, record, servicesOver } from "./fakes.ts"
import { countsOf, deadLetters, ledgerIds } from "./scenario.ts"

const severing = Effect.acquireRelease(
  Effect.promise(async () => makeSevering((await postgres()).port)),
  (way) => Effect.promise(way.close),
)

const pages = () => [
  [record("a", { name: "A" }, "1"), record("b", { name: "B" }, "1")],
  [record("c", { name: "C" }, "1"), record("d", { name: "D" }, "1"), record("e", { name: "E" }, "1")],
]

const batches = () => {
  const sink = fakeSink()
  sink.answer = (batch) =>
    batch.rows.map((row) =>
      row.id === "b" ? Outcome.Rejected({ id: row.id, code: "bad", message: "refused" }) : deliver(sink, row),
    )
  return { sink, pipeline: pipelineOf(fakeSource(pages()), { fake: { sink } }), rejected: ["b"] }
}

const jobs = () => {
  const sink = fakeSink()
  sink.writer = { jobs: fakeJobs(sink) }
  return { sink, pipeline: pipelineOf(fakeSource(pages()), { fake: { sink } }), rejected: [] }
}

const marksLeft = SqlClient.SqlClient.use(
  (sql) => sql`SELECT batch FROM sending UNION ALL SELECT batch FROM jobs UNION ALL SELECT batch FROM spool`,
)

describe("a state in Postgres behind a way that breaks", () => {
  for (const [lane, setup] of [["batches", batches] as const, ["a job", jobs] as const]) {
    it.live(`rules 2, 8: ${lane}: whatever COMMIT is lost or loses its answer, all is written and recorded once`, () =>
      Effect.gen(function* () {
        const way = yield* severing
        const url = yield* Effect.promise(() => newPostgresState(way.port))
        const outcome = (cut?: { readonly at: Cut; readonly commit: number }) =>
          Effect.gen(function* () {
            const { pipeline, sink, rejected } = setup()
            const before = way.commits()
            if (cut !== undefined) way.cutAt(cut.at, cut.commit)
            const [report] = (yield* run([pipeline])).pipelines
            assert(report !== undefined)
            assert.isNull(report.error)
            assert.deepInclude(countsOf(report), { read: 5, delivered: 5 - rejected.length, rejected: rejected.length })
            assert.deepStrictEqual(
              yield* ledgerIds,
              ["a", "b", "c", "d", "e"].filter((id) => !rejected.includes(id)),
            )
            assert.deepStrictEqual(
              (yield* deadLetters).map(({ id }) => id),
              rejected,
            )
            assert.deepStrictEqual(yield* marksLeft, [])
            const sent = sink.batches.flatMap(({ rows }) => rows.map(({ id }) => id))
            assert.strictEqual(new Set(sent).size, sent.length, "a row was sent twice")
            return way.commits() - before
          }).pipe(Effect.provide(servicesOver(`${url}_${cut?.at ?? "whole"}${cut?.commit ?? ""}`), { local: true }))

        // Those that prepare the state come first, and are no part of a run.
        const whole = yield* outcome()
        assert.isAbove(whole, 6)
        for (let commit = 1; commit <= whole; commit++) {
          for (const at of ["before", "after"] as const) yield* outcome({ at, commit })
        }
        assert.strictEqual(way.cuts(), 2 * whole)
      }),
    )
  }

  it.live("a server that is away for a moment in the middle of a run costs nothing but that", () =>
    Effect.gen(function* () {
      const way = yield* severing
      const url = yield* Effect.promise(() => newPostgresState(way.port))
      const { pipeline, sink } = batches()
      const answer = sink.answer
      const back = yield* Latch.make()
      sink.answer = (batch) => {
        if (batch.rows[0]?.id === "c") {
          way.sever()
          setTimeout(() => {
            way.heal()
            back.openUnsafe()
          }, 300)
        }
        return answer(batch)
      }
      const [report] = (yield* run([pipeline]).pipe(Effect.provide(servicesOver(url)))).pipelines
      yield* back.await
      assert.deepInclude(report, { status: "completed", error: null })
    }),
  )
})
