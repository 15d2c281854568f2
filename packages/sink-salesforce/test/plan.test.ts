/** How rows are put into calls, how many of these run at once, and when they stop for the day. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { makeCost } from "../src/cost.ts"
import { makeQuota, usageIn } from "../src/quota.ts"
import { byFoundId, byKey } from "../src/write/aim.ts"
import { makePace } from "../src/write/pace.ts"
import { type Plan, planWrites } from "../src/write/plan.ts"
import { created, onMovingClock, open, opening, row, salesforce, services, when, write } from "./vendor.ts"

const aims = (parents: ReadonlyArray<number | undefined>) =>
  parents.map((parent, n) => byKey(row(n, parent === undefined ? {} : { AccountId: String(parent) }), "Contact"))

const plan = (parents: ReadonlyArray<number | undefined>, rows: number, chunks: number): Plan =>
  planWrites(aims(parents), { rows, chunks }, ({ row: { fields } }) =>
    typeof fields.AccountId === "string" ? fields.AccountId : undefined,
  )

const calls = (made: Plan) => made.flat(2)

describe("the plan of a batch", () => {
  it("salesforce trap 38: rows of one parent are never in two calls that run at once, and every row is in one call", () => {
    const parents = fc.array(fc.option(fc.nat(6), { nil: undefined }), { maxLength: 60 })
    fc.assert(
      fc.property(parents, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 3 }), (given, rows, chunks) => {
        const made = plan(given, rows, chunks)
        const planned = calls(made).flatMap((unit) => unit.flatMap((chunk) => chunk.aims.map(({ row: { id } }) => id)))
        assert.sameMembers(
          planned,
          aims(given).map((aim) => aim.row.id),
        )
        for (const unit of calls(made)) {
          assert.isAtMost(unit.length, chunks)
          for (const chunk of unit) assert.isAtMost(chunk.aims.length, rows)
        }
        for (const lanes of made) {
          const seen = new Map<string, number>()
          for (const [lane, units] of lanes.entries()) {
            for (const aim of units.flatMap((unit) => unit.flatMap((chunk) => chunk.aims))) {
              const parent = aim.row.fields.AccountId
              if (typeof parent !== "string") continue
              assert.strictEqual(seen.get(parent) ?? lane, lane)
              seen.set(parent, lane)
            }
          }
        }
      }),
    )
  })

  it("takes five calls for 1,000 rows by Collections, and one by a Composite", () => {
    const none = Array.from({ length: 1000 }, () => undefined)
    assert.strictEqual(calls(plan(none, 200, 1)).length, 5)
    assert.strictEqual(calls(plan(none, 200, 5)).length, 1)
  })

  it("writes one object, by key or by id, in a request", () => {
    const mixed = [
      byKey(row(1), "Lead"),
      byFoundId(row(2), "Lead", "00Q1"),
      byFoundId(row(3), "Contact", "0031"),
      byKey(row(4), "Lead"),
    ]
    const kinds = calls(planWrites(mixed, { rows: 200, chunks: 5 }, () => undefined)).flat()
    assert.deepStrictEqual(
      kinds.map(({ type, isByKey, aims: of }) => [type, isByKey, of.length]),
      [
        ["Lead", true, 2],
        ["Lead", false, 1],
        ["Contact", false, 1],
      ],
    )
  })
})

describe("the pace", () => {
  const taking = (millis: number) => Effect.sleep(millis)
  const through = (pace: ReturnType<typeof makePace>, chunks: number, millis: number) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(pace.through(chunks, taking(millis)))
      yield* TestClock.adjust(millis)
      yield* Fiber.join(fiber)
    })

  it.effect("halves calls and rows when they take long, and grows again when they do not", () =>
    Effect.gen(function* () {
      const pace = makePace(4)
      yield* through(pace, 1, 16_000)
      assert.deepStrictEqual([pace.concurrency(), pace.rows()], [2, 100])
      for (let n = 0; n < 20; n++) yield* through(pace, 1, 500)
      assert.deepStrictEqual([pace.concurrency(), pace.rows()], [4, 200])
    }),
  )

  it.effect("puts no more chunks into a call than pass before it counts as long", () =>
    Effect.gen(function* () {
      const pace = makePace(4)
      assert.strictEqual(pace.chunks(), 5)
      yield* through(pace, 1, 6_000)
      assert.strictEqual(pace.chunks(), 2)
    }),
  )

  it.effect("never lets more calls run than it says", () =>
    Effect.gen(function* () {
      const pace = makePace(4)
      pace.crowded()
      yield* through(pace, 1, 16_000)
      let [running, most] = [0, 0]
      const call = Effect.gen(function* () {
        most = Math.max(most, ++running)
        yield* Effect.sleep(100)
        running--
      })
      const fiber = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3, 4, 5], () => pace.through(1, call), { concurrency: "unbounded" }),
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.isAtMost(most, 2)
    }),
  )

  it("many locks mean fewer calls at once; few do not", () => {
    const pace = makePace(4)
    pace.locked(2, 200)
    assert.strictEqual(pace.concurrency(), 4)
    pace.locked(20, 200)
    assert.strictEqual(pace.concurrency(), 2)
  })
})

describe("the day's calls", () => {
  const headers = (value: string) => Headers.fromInput({ "sforce-limit-info": value })

  it("salesforce trap 27: are read from a header with any directives, and none is no matter", () => {
    for (const [value, used, max] of [
      ["api-usage=25/5000", 25, 5000],
      ["api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", 25, 5000],
      ["api-bursts=1/750; api-usage=10018/100000", 10018, 100000],
      ["api-usage=110018/100000; api-bursts=3/750", 110018, 100000],
      ["per-app-api-usage=17/250(appName=api-usage); api-usage=1/2", 1, 2],
    ] as const) {
      assert.deepStrictEqual(usageIn(headers(value)), { used, max })
    }
    for (const value of ["", "something=else", "api-usage=x/y", "api-usage=1/0"])
      assert.isUndefined(usageIn(headers(value)))
    assert.isUndefined(usageIn(Headers.empty))
  })

  it.effect("salesforce trap 27: leave a reserve to others: a run stops, resumable", () =>
    Effect.gen(function* () {
      const [token, versions, describe] = opening("Contact")
      if (token === undefined || versions === undefined || describe === undefined) return
      const used = { headers: { "Sforce-Limit-Info": "api-usage=800/1000; api-bursts=1/750" } }
      const sent = salesforce(token, versions, { ...describe, ...used })
      const error = yield* Effect.flip(write([row(1)]))
      assert.strictEqual(error instanceof SinkError && error.reason._tag, "QuotaExhausted")
      assert.strictEqual(sent.length, 3)

      salesforce(
        ...opening("Contact").slice(0, 2),
        { ...describe, ...used },
        when("PATCH /composite/sobjects/Contact/Auth0_Id__c", 200, [created("003000000000001AAA")]),
      )
      yield* write([row(1)], { share: 0.9 })
    }).pipe(services),
  )

  it.effect("are waited for where the file says so: one look for all, every quarter of an hour", () =>
    Effect.gen(function* () {
      const quota = makeQuota(0.8, "wait")
      quota.note(headers("api-usage=900/1000"))
      const looks: Array<number> = []
      const look = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        looks.push(now)
        return { used: now >= 3_600_000 ? 500 : 900, max: 1000 }
      })
      const fiber = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3], () => quota.admit(look), { concurrency: "unbounded" }),
      )
      yield* TestClock.adjust("2 hours")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(looks, [900_000, 1_800_000, 2_700_000, 3_600_000])
    }),
  )

  it.effect("that are refused without notice are waited for as well, though looking is refused too", () =>
    Effect.gen(function* () {
      const full = [{ errorCode: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded." }]
      const upsert = "PATCH /composite/sobjects/Contact/Auth0_Id__c"
      salesforce(
        ...opening("Contact"),
        when(upsert, 403, full),
        when("GET /limits", 403, full),
        when("GET /limits", 200, { DailyApiRequests: { Max: 1000, Remaining: 900 } }),
        when(upsert, 200, [created("003000000000001AAA")]),
      )
      const [outcome] = yield* onMovingClock(write([row(1)], { config: { on_quota: "wait" } }))
      assert.strictEqual(outcome?._tag, "Delivered")

      salesforce(...opening("Contact"), when(upsert, 403, full))
      const error = yield* Effect.flip(write([row(1)]))
      assert.strictEqual(error instanceof SinkError && error.reason._tag, "QuotaExhausted")
    }).pipe(services),
  )

  it.effect("are not waited for longer than a day", () =>
    Effect.gen(function* () {
      const quota = makeQuota(0.8, "wait")
      quota.note(headers("api-usage=900/1000"))
      const fiber = yield* Effect.forkChild(Effect.flip(quota.admit(Effect.succeed({ used: 900, max: 1000 }))))
      yield* TestClock.adjust("25 hours")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "QuotaExhausted")
    }),
  )

  it("count from nothing known as plenty", () => {
    const quota = makeQuota(0.5, "stop")
    assert.strictEqual(quota.left(), 1)
    quota.note(headers("api-usage=400/1000"))
    assert.closeTo(quota.left(), 0.2, 1e-9)
    quota.note(headers("api-usage=100/1000"))
    assert.closeTo(quota.left(), 0.8, 1e-9)
  })
})

describe("the path", () => {
  const options = {
    mode: "upsert",
    missing: "reject",
    missing_parent: "wait",
    duplicates: "reject",
    path: "auto",
    loose_key: false,
    bulk_wait_minutes: 1,
  } as const
  const cost = (
    rows: number,
    path: "auto" | "collections" | "composite" | "bulk",
    scarce = false,
    queries = 0,
    searches = 0,
  ) =>
    makeCost({ options: { ...options, path }, concurrency: 4, queries, searches, isScarce: () => scarce })(rows).calls

  it("costs what the vendor's table says", () => {
    assert.strictEqual(cost(1000, "collections"), 5)
    assert.strictEqual(cost(1000, "composite"), 1)
    assert.isAtMost(cost(100_000, "bulk"), 12)
    assert.deepStrictEqual([cost(2000, "auto"), cost(2000, "auto", true)], [10, 2])
    assert.isAtMost(cost(1_000_000, "auto"), 101)
    // Each call's rows are looked for in two: one to find people, one more where they are records of two kinds.
    assert.strictEqual(cost(1000, "collections", false, 4), 5 + 5 * 2)
    assert.strictEqual(cost(1000, "composite", false, 4), 1 + 4 + 1)
    // The last batch is looked for as what it is.
    assert.strictEqual(cost(1001, "composite", false, 4), 2 + 4 + 1 + 1 + 1)
    assert.strictEqual(cost(0, "collections", false, 4, 2), 0)
    // A search for keys in other capitals, of owners or of what is there: a call for each batch, of 1,000 rows two.
    assert.strictEqual(cost(1000, "collections", false, 0, 1), 5 + 5)
    assert.strictEqual(cost(1000, "composite", false, 0, 2), 1 + 2 * 2)
    assert.strictEqual(cost(1200, "composite", false, 0, 1), 2 + 2 + 1)
    assert.strictEqual(cost(100_000, "bulk", false, 0, 1), cost(100_000, "bulk") + 200)
  })

  it.effect("salesforce trap 37: bulk is for more than 2,000 rows, and takes up to 100,000 in a job", () =>
    Effect.gen(function* () {
      const jobs = (path: string) =>
        Effect.gen(function* () {
          salesforce(...opening("Contact"))
          return (yield* open({ options: { path } })).jobs
        })
      const auto = yield* jobs("auto")
      assert.deepStrictEqual(
        [2000, 2001].map((rows) => auto?.worth(rows)),
        [false, true],
      )
      assert.strictEqual(auto?.limits.rows, 100_000)
      assert.isTrue((yield* jobs("bulk"))?.worth(1))
      assert.isFalse((yield* jobs("collections"))?.worth(1_000_000))
    }).pipe(services),
  )
})
