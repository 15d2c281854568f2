/** What can go wrong with an export, each against the sandbox's model of it: an error or a gap, never a short success. */
import { assert, describe, it } from "@effect/vitest"
import { httpClient } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import { ids, jobs, sandboxOf, scan, strike } from "./exporting.ts"
import { userOptions } from "./tenant.ts"

const path = "/user-exports"

describe("C20: an export", () => {
  it.effect("auth0 trap 18: whose gzip is cut is an outage, not a short tenant", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 3_000 })
      strike(sandbox, "truncated_gzip")
      const { error, keys } = yield* scan(sandbox)
      assert.strictEqual(error?.reason._tag, "Unavailable")
      assert.isBelow(keys.length, 3_000)
    }),
  )

  it.effect("auth0 trap 18: cut on the way is read on from where it stopped", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 3_000 })
      sandbox.control.faults.add({
        vendor: "auth0",
        path,
        times: 1,
        fault: { kind: "cut", when: "after", bytes: 90_000 },
      })
      const { error, keys, last } = yield* scan(sandbox)
      assert.strictEqual(error?.reason._tag, "Unavailable")
      assert.isAbove(keys.length, 0)
      const rest = yield* scan(sandbox, { from: last })
      assert.deepStrictEqual([...keys, ...rest.keys].sort(), ids(sandbox))
      assert.strictEqual(jobs(sandbox).made, 1)
    }),
  )

  it.effect("auth0 trap 18: that ends at a line's end too early has a gap, and the next run reads all again", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "short")
      const { error, keys, last, completeness } = yield* scan(sandbox, { sync: "incremental" })
      assert.isUndefined(error)
      assert.strictEqual(keys.length, 40)
      assert.match(completeness?.gap ?? "", /counts 60 users .* brought 40/)
      const next = yield* scan(sandbox, { sync: "incremental", from: last })
      assert.deepStrictEqual([...next.keys].sort(), ids(sandbox))
    }),
  )

  it.effect("cut short is found out by a resumed scan, too, and by users who came meanwhile is not hidden", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 900 })
      strike(sandbox, "short")
      const adding = HttpClient.tapRequest(httpClient(sandbox), ({ method }) =>
        Effect.gen(function* () {
          if (method !== "POST") return
          yield* Effect.sleep("1 second")
          for (let nth = 0; nth < 400; nth++) sandbox.control.upsertUser({ user_id: `auth0|new${nth}` })
        }),
      )
      const options = userOptions({ read: "export", per_page: 10 })
      const first = yield* scan(sandbox, { options }, adding)
      assert.match(first.completeness?.gap ?? "", /brought/)
      const from = Option.fromUndefinedOr(first.pages.find(({ records }) => records.length > 0)?.position)
      assert.match((yield* scan(sandbox, { options, from })).completeness?.gap ?? "", /brought/)
    }),
  )

  it.effect("without users whom search shows for a while after they were deleted has no gap", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ indexLagMillis: 30_000 })
      sandbox.control.deleteUser(sandbox.control.userId(5))
      const { keys, completeness } = yield* scan(sandbox)
      assert.strictEqual(keys.length, 59)
      assert.isUndefined(completeness?.gap)
    }),
  )

  it.effect("without the users who were deleted since they were counted has no gap", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const deleting = HttpClient.tapRequest(httpClient(sandbox), ({ method }) =>
        Effect.sync(() => method === "POST" && sandbox.control.deleteUser(sandbox.control.userId(5))),
      )
      const { keys, completeness } = yield* scan(sandbox, {}, deleting)
      assert.strictEqual(keys.length, 59)
      assert.isUndefined(completeness?.gap)
    }),
  )

  it.effect("without users who pass the filters only since has no gap, and one cut short still has", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ exportMillis: 20_000 })
      const options = userOptions({ read: "export", verified_only: true })
      const users = [...sandbox.control.users()]
      const unverified = users.filter(({ email_verified }) => email_verified !== true)
      assert.isAbove(unverified.length, 1)
      const verifying = Effect.sync(() => {
        for (const { user_id } of unverified) sandbox.control.upsertUser({ user_id, email_verified: true })
      })
      const [{ keys, completeness }] = yield* Effect.all(
        [scan(sandbox, { options }), Effect.delay(verifying, "15 seconds")],
        { concurrency: 2 },
      )
      assert.strictEqual(keys.length, users.length - unverified.length)
      assert.isUndefined(completeness?.gap)
      strike(sandbox, "short")
      assert.match((yield* scan(sandbox, { options })).completeness?.gap ?? "", /counts 60 users .* brought 40/)
    }),
  )

  it.effect("auth0 trap 18: with a trailing partial line, or a line without an end, is an error", () =>
    Effect.gen(function* () {
      for (const [flaw, said] of [
        ["partial_line", "line 60 of the export is broken"],
        ["bomb", "line 60 of the export does not end"],
      ] as const) {
        const sandbox = yield* sandboxOf()
        strike(sandbox, flaw)
        const { error } = yield* scan(sandbox)
        assert.strictEqual(error?.reason._tag, "Protocol")
        assert.include(error?.message, said)
      }
    }),
  )

  it.effect("with lines twice brings each user once", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "duplicated_lines")
      const { keys, completeness } = yield* scan(sandbox)
      assert.deepStrictEqual([...keys].sort(), ids(sandbox))
      assert.strictEqual(completeness?.facts.duplicates, 6)
    }),
  )

  it.effect("auth0 trap 18: whose link has ended gets another; one that is always refused is an outage", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const refused = { kind: "error", status: 403, when: "before" } as const
      sandbox.control.faults.add({ vendor: "auth0", path, times: 2, fault: refused })
      assert.strictEqual((yield* scan(sandbox)).keys.length, 60)
      assert.strictEqual(jobs(sandbox).files, 3)
      sandbox.control.faults.add({ vendor: "auth0", path, fault: refused })
      assert.strictEqual((yield* scan(sandbox)).error?.reason._tag, "Unavailable")
    }),
  )

  it.effect("S09: whose file is at another host is not read, and says which key allows it", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "other_host")
      const hosts = new Set<string>()
      const watched = HttpClient.tapRequest(httpClient(sandbox), ({ url }) =>
        Effect.sync(() => hosts.add(new URL(url).host)),
      )
      const { error } = yield* scan(sandbox, {}, watched)
      assert.strictEqual(error?.reason._tag, "Misconfigured")
      assert.include(error?.message, "user-exports.example.net")
      assert.include(error?.message, "export_hosts")
      assert.notInclude(error?.message, "Signature")
      assert.deepStrictEqual([...hosts], ["sandbox.example.com"])
    }),
  )

  it.effect("that failed says so without a user's data; the next run makes another", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "failed")
      const { error, last } = yield* scan(sandbox)
      assert.deepInclude(error?.reason, { _tag: "Refused", code: "export_failed" })
      assert.include(error?.message, "failed: Export of … failed")
      assert.strictEqual((yield* scan(sandbox, { from: last })).error?.reason._tag, "PositionLost")
      assert.strictEqual((yield* scan(sandbox, { from: Option.none() })).keys.length, 60)
    }),
  )

  it.effect("that is lost starts over", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "lost")
      assert.strictEqual((yield* scan(sandbox)).error?.reason._tag, "PositionLost")
    }),
  )

  it.effect("of an unknown status goes on", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "odd_status")
      assert.strictEqual((yield* scan(sandbox)).keys.length, 60)
    }),
  )

  it.effect("that never ends is given up after a bound, and waited for again by the next run", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      strike(sandbox, "pending_for_ever")
      const options = userOptions({ read: "export", export_wait: "20 minutes" })
      const first = yield* scan(sandbox, { options })
      assert.deepInclude(first.error?.reason, { _tag: "Refused", code: "export_unfinished" })
      assert.include(first.error?.message, "20m (99 % done)")
      assert.isAtMost(jobs(sandbox).looks, 180)
      const again = yield* scan(sandbox, { options, from: first.last })
      assert.deepInclude(again.error?.reason, { _tag: "Refused", code: "export_unfinished" })
      assert.strictEqual(jobs(sandbox).made, 1)
    }),
  )
})
