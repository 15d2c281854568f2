/** Whatever goes wrong on the way: no row is lost, none is made twice, and none is said to be what it is not. */
import { assert, describe, it } from "@effect/vitest"
import type { FaultKind, FaultRule } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import { copies, open, type Ran } from "./pipeline.ts"

const on = (fault: FaultKind, rule: Partial<FaultRule> = {}): FaultRule => ({
  vendor: "salesforce",
  fault,
  times: 1,
  ...rule,
})
const rows = (code: string, message = "", every = 1): FaultRule =>
  on({ kind: "rows", code, message, every }, { access: "write", times: 2 })

/** What passes: at the latest the next run has delivered everything. */
const passing: ReadonlyArray<readonly [string, FaultRule]> = [
  ["a gateway fails before a write", on({ kind: "error", status: 503, when: "before" }, { access: "write", times: 2 })],
  ["a gateway fails after a write", on({ kind: "error", status: 504, when: "after" }, { access: "write", times: 2 })],
  ["the connection is cut before a write", on({ kind: "cut", when: "before" }, { access: "write", times: 2 })],
  ["the connection is cut after a write", on({ kind: "cut", when: "after" }, { access: "write", times: 2 })],
  ["an answer is no JSON", on({ kind: "malformed" }, { access: "write" })],
  ["an answer is cut in the middle", on({ kind: "truncated" }, { access: "write" })],
  ["too many calls run at once", on({ kind: "throttle", limit: "concurrent" }, { times: 3 })],
  ["the day's calls are used up", on({ kind: "throttle", limit: "daily" }, { access: "write" })],
  ["the session ends in the middle", on({ kind: "error", status: 401, when: "before" }, { access: "write" })],
  ["rows meet locks", rows("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", 7)],
  ["rows fail for another row's fault", rows("ALL_OR_NONE_OPERATION_ROLLED_BACK")],
  [
    "triggers fail for the whole batch",
    rows("UNKNOWN_EXCEPTION", "Too many batch retries in the presence of Apex triggers and partial failures."),
  ],
  ["maintenance takes no writes", rows("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE")],
]

/** Of these, what a part of a call meets otherwise than a call. */
const inParts = passing.filter(([what]) => /after a write|in the middle|rows|triggers/.test(what))

const jobs: ReadonlyArray<readonly [string, FaultRule]> = (
  ["failed", "half", "locks", "aborted", "unrecorded", "retried", "lost"] as const
).map((fate) => [`a job is ${fate}`, on({ kind: "bulk", fate }, { path: "/jobs/ingest" })])

/** Nothing is said that is not so: what was delivered is there, what was refused is not. */
const isTrue = ({ report, counts }: Ran) => {
  const { read, delivered, unchanged, filtered, superseded, rejected, in_doubt, pending } = counts
  assert.strictEqual(read, delivered + unchanged + filtered + superseded + rejected + in_doubt + pending)
  assert.strictEqual(in_doubt, 0)
  assert.notStrictEqual(report.error?.code, "Bug", report.error?.message)
}

for (const [path, faults] of [
  ["collections", passing],
  ["composite", inParts],
  ["bulk", [...passing, ...jobs]],
] as const) {
  describe(`by ${path}`, () => {
    it.effect(`rows lost 0, duplicated 0, misreported 0 under ${faults.length} faults`, () =>
      Effect.gen(function* () {
        const { sandbox, execute } = yield* open({ path })
        const ids = [...sandbox.control.users()].map(({ user_id }) => String(user_id))
        for (const [n, [what, rule]] of faults.entries()) {
          for (const user_id of ids) sandbox.control.upsertUser({ user_id, nickname: `nick ${n}` })
          sandbox.control.faults.add(rule)
          const first = yield* execute
          isTrue(first)
          assert.isAtLeast(sandbox.control.faults.fired()[0]?.hits ?? 0, 1, `${what}: it did not happen`)
          const there = [...copies(sandbox).values()].filter((count) => count === 1).length
          assert.isAtLeast(
            there,
            first.counts.delivered + first.counts.unchanged,
            `${what}: called delivered and is not there`,
          )
          sandbox.control.faults.clear()
          const second = yield* execute
          isTrue(second)
          assert.strictEqual(second.report.status, "completed", `${what}: ${second.report.error?.message}`)
          assert.strictEqual(second.counts.delivered + second.counts.unchanged, ids.length, what)
          assert.deepStrictEqual(
            [...copies(sandbox)].filter(([, count]) => count !== 1),
            [],
            `${what}: lost or made twice`,
          )
        }
        const last = yield* execute
        assert.deepStrictEqual([last.counts.unchanged, last.calls], [ids.length, 3])
        assert.strictEqual(sandbox.control.salesforce.count("Contact"), ids.length)
        assert.deepStrictEqual(sandbox.unmodelled, [])
      }),
    )

    it.effect("rows that are refused are dead letters, and only they are missing", () =>
      Effect.gen(function* () {
        const { sandbox, execute } = yield* open({ path })
        sandbox.control.faults.add(
          on({ kind: "rows", code: "STRING_TOO_LONG", every: 10 }, { access: "write", times: 100 }),
        )
        const { counts } = yield* execute
        const missing = [...copies(sandbox).values()].filter((count) => count === 0).length
        assert.isAtLeast(missing, 21)
        assert.deepInclude(counts, { rejected: missing, created: 210 - missing, in_doubt: 0 })
      }),
    )
  })
}

it.effect("a job that never ends stays, and is waited for again: its rows are not sent another way", () =>
  Effect.gen(function* () {
    const { sandbox, execute } = yield* open({ path: "bulk" })
    sandbox.control.faults.add(on({ kind: "bulk", fate: "stuck" }, { path: "/jobs/ingest" }))
    for (let n = 0; n < 2; n++) {
      const { report, counts } = yield* execute
      assert.deepInclude(report, { status: "failed", resumable: true })
      assert.strictEqual(counts.delivered + counts.rejected, 0)
    }
    assert.strictEqual(sandbox.control.salesforce.count("Contact"), 0)
  }),
)

describe("calls for 1,000 new records", () => {
  for (const [path, most] of [
    ["collections", 5],
    ["composite", 1],
    ["bulk", 12],
  ] as const) {
    it.effect(`${path}: at most ${most}, and none in a second run`, () =>
      Effect.gen(function* () {
        const { execute } = yield* open({ path, users: 1000 })
        const opening = 3
        const first = yield* execute
        assert.strictEqual(first.counts.created, 1000)
        assert.isAtMost(first.calls - opening, most)
        assert.strictEqual((yield* execute).calls, opening)
      }),
    )
  }
})
