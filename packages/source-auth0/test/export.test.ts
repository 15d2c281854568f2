/** Whole scans by an export of the sandbox: what is chosen when, what comes, and where a stopped or next run begins. */
import { assert, describe, it } from "@effect/vitest"
import { httpClient } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { ids, jobs, open, sandboxOf, scan } from "./exporting.ts"
import { request, userOptions } from "./tenant.ts"

const byKey = <A extends { readonly key: string }>(records: ReadonlyArray<A>) =>
  records.toSorted((a, b) => (a.key < b.key ? -1 : 1))

const some = Option.some
const none = { made: 0, looks: 0, files: 0 }

describe("an export", () => {
  it.effect("C18: brings every user once, in pages, with a dozen calls", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 5_000, importedAtOnce: 1_500 })
      const { keys, pages, completeness } = yield* scan(sandbox)
      assert.deepStrictEqual([...keys].sort(), ids(sandbox))
      assert.deepStrictEqual(
        pages.map(({ records }) => records.length).filter((length) => length > 0),
        [1_000, 1_000, 1_000, 1_000, 1_000],
      )
      const { reads, writes } = sandbox.counters.requests.auth0
      assert.isAtMost(reads + writes, 8)
      assert.deepInclude(completeness, { expected: 5_000, delivered: 5_000, gap: undefined })
    }),
  )

  it.effect("brings the same records as search, whatever the filters, messy users included", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 400, messy: true })
      const filters = [
        {},
        { active_only: true },
        { verified_only: true, connection: "github" },
        { active_only: true, connection: "nobody" },
      ]
      for (const options of filters) {
        for (const fields of [["email"], ["identities", "user_metadata", "blocked", "gender"]]) {
          const exported = yield* scan(sandbox, { fields, options: userOptions({ ...options, read: "export" }) })
          const searched = yield* scan(sandbox, { fields, options: userOptions({ ...options, read: "search" }) })
          assert.deepStrictEqual(byKey(exported.records), byKey(searched.records))
          assert.isUndefined(exported.completeness?.gap)
        }
      }
    }),
  )

  it.effect("is chosen from 10,000 users on, and by search is read what only search can bring", () =>
    Effect.gen(function* () {
      const large = yield* sandboxOf({ users: 10_000 })
      assert.strictEqual((yield* scan(large, { read: "auto" })).keys.length, 10_000)
      assert.strictEqual(jobs(large).made, 1)
      assert.strictEqual((yield* scan(large, { read: "auto", purpose: "keys" })).keys.length, 10_000)
      assert.strictEqual((yield* scan(large, { read: "auto", sync: "incremental" })).keys.length, 10_000)
      assert.strictEqual(jobs(large).made, 3)
      yield* scan(large, { read: "auto", fields: "all" })
      yield* scan(large, { read: "auto", fields: ["https://example.com/plan"] })
      yield* scan(large, { options: userOptions({ query: "logins_count:1" }) })
      assert.strictEqual(jobs(large).made, 3)
      const small = yield* sandboxOf({ users: 9_999 })
      yield* scan(small, { read: "auto" })
      assert.deepStrictEqual(jobs(small), none)
    }),
  )

  it.effect("that cannot bring what the file asks for is refused, with the key to change", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const options = userOptions({ read: "export", query: "logins_count:1" })
      for (const over of [
        { options },
        { fields: ["https://example.com/plan"] },
        { fields: ["guardian_authenticators"] },
      ]) {
        const { error } = yield* scan(sandbox, over)
        assert.deepInclude(error?.reason, { _tag: "Misconfigured", path: ["with", "read"] })
      }
      assert.deepStrictEqual(jobs(sandbox), none)
    }),
  )

  it.effect("rule 6: a preview, a look-up and an estimate start none", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 10_000 })
      const reader = yield* open(sandbox)
      const asked = request({ purpose: "preview", options: userOptions({ read: "export" }) })
      const [first] = yield* Stream.runCollect(Stream.take(reader.read(asked), 1))
      assert.strictEqual(first?.records.length, 100)
      yield* reader.find?.(asked, { field: "key", value: sandbox.control.userId(0) }) ?? Effect.die("no find")
      const estimate = yield* reader.estimate?.(asked) ?? Effect.die("no estimate")
      assert.deepStrictEqual(jobs(sandbox), none)
      yield* scan(sandbox)
      const { made, looks, files } = jobs(sandbox)
      assert.deepInclude(estimate, { records: 10_000 })
      assert.isAtLeast(estimate.calls, made + looks + files + 1)
      assert.isAtMost(estimate.calls, 12)
    }).pipe(Effect.scoped),
  )

  it.effect("auth0 trap 7: the next incremental run begins before the job did, so what changed meanwhile comes", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ exportMillis: 20_000 })
      const during = sandbox.control.userId(3)
      const client = httpClient(sandbox)
      const first = yield* Effect.all(
        [
          scan(sandbox, { sync: "incremental" }, client),
          Effect.delay(
            Effect.sync(() => sandbox.control.upsertUser({ user_id: during, nickname: "during" })),
            "15 seconds",
          ),
        ],
        { concurrency: 2 },
      )
      const [{ keys, last }] = first
      assert.strictEqual(keys.length, 60)
      yield* TestClock.adjust("2 days")
      const second = yield* scan(sandbox, { sync: "incremental", from: last, fields: ["nickname"] })
      assert.include(
        second.records.map(({ data }) => data.nickname),
        "during",
      )
      assert.isBelow(second.keys.length, 60)
      assert.strictEqual(jobs(sandbox).made, 1)
    }),
  )

  it.effect("resumed at any of its positions brings the rest, of the same job", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 250 })
      const over = { options: userOptions({ read: "export", per_page: 10 }) }
      const { pages, keys } = yield* scan(sandbox, over)
      let done = 0
      for (const { position, records } of pages) {
        done += records.length
        const rest = yield* scan(sandbox, { ...over, from: some(JSON.parse(JSON.stringify(position))) })
        assert.deepStrictEqual([...keys.slice(0, done), ...rest.keys], keys)
      }
      assert.strictEqual(jobs(sandbox).made, 1)
    }),
  )

  it.effect("resumed after a day is lost, and the scan starts over", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { pages } = yield* scan(sandbox)
      yield* TestClock.adjust("1 day")
      const { error } = yield* scan(sandbox, { from: Option.fromUndefinedOr(pages[0]?.position) })
      assert.strictEqual(error?.reason._tag, "PositionLost")
    }),
  )

  it.effect("rule 11: is interrupted while it waits, and the page before remembers its job", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ exportMillis: 3_600_000 })
      const reader = yield* open(sandbox)
      const positions: Array<unknown> = []
      const fiber = yield* reader.read(request({ options: userOptions({ read: "export" }) })).pipe(
        Stream.runForEach(({ position }) => Effect.sync(() => void positions.push(position))),
        Effect.forkChild,
      )
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.interrupt(fiber)
      assert.isAtMost(jobs(sandbox).looks, 30)
      const from = some(JSON.parse(JSON.stringify(positions.at(-1))))
      assert.strictEqual((yield* scan(sandbox, { from })).keys.length, 60)
      assert.strictEqual(jobs(sandbox).made, 1)
    }).pipe(Effect.scoped),
  )
})
