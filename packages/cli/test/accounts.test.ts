/** Rule 14 on the command line: state belongs to accounts; and `run --json` as issue 2 wants it, item 8. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { contactsByUser, pipelineOf } from "./expected.ts"
import { type Bench, bench, config, sluice } from "./process.ts"

const USERS = 60
let one: Bench
let two: Bench
beforeAll(async () => {
  // The same people in both: every row is equal to what the ledger of the other account has.
  one = await bench({ users: USERS, seed: 3, account: "first" })
  two = await bench({ users: USERS, seed: 3, account: "second" })
})
afterAll(async () => {
  await one.close()
  await two.close()
})

const run = async (env: Readonly<Record<string, string>>) => {
  const { code, stdout, stderr } = await sluice(["run", config, "--json", "--state", one.state], env)
  assert.strictEqual(code, 0, stdout + stderr)
  const [pipeline] = JSON.parse(stdout).pipelines
  const notices: ReadonlyArray<string> = pipeline.notices
  return { counts: pipeline.routes["brevo.contacts"], notices, text: stderr }
}

/** Its Brevo has what its users are. */
const isComplete = async (it1: Bench) => {
  const { expected, actual } = await contactsByUser(await pipelineOf(config, it1.env), it1.sandbox)
  assert.deepStrictEqual(actual, expected)
}

describe("rule 14: one state, two accounts", () => {
  it("sandbox A, then sandbox B: B gets everything and the notices say so; A is not forgotten", async () => {
    const first = await run(one.env)
    assert.strictEqual(first.counts.created, USERS)
    assert.deepStrictEqual(first.notices, [])

    const second = await run(two.env)
    assert.strictEqual(second.counts.created, USERS)
    assert.strictEqual(second.counts.unchanged, 0)
    assert.isTrue(
      second.notices.some((notice) => /another account.*gets everything/.test(notice)),
      second.notices.join(),
    )
    await isComplete(two)

    const writes = one.sandbox.control.journal().length
    const back = await run(one.env)
    assert.strictEqual(back.counts.delivered, 0)
    assert.strictEqual(one.sandbox.control.journal().length, writes)
    await isComplete(one)
  })

  it("the same tenant into another Brevo account: all is read again and sent", async () => {
    const third = await bench({ users: 0, account: "third" })
    const { BREVO_BASE_URL = "" } = third.env
    const { counts, notices } = await run({ ...one.env, BREVO_BASE_URL })
    assert.strictEqual(counts.created, USERS)
    assert.isTrue(notices.some((notice) => /another account.*gets everything/.test(notice)))
    assert.strictEqual(third.sandbox.control.contacts().length, USERS)
    const again = await run({ ...one.env, BREVO_BASE_URL })
    assert.strictEqual(again.counts.delivered, 0)
    assert.deepStrictEqual(again.notices, [])
    await third.close()
  })
})

const counters = ["read", "delivered", "created", "updated", "deleted", "accepted", "unchanged"]
const others = ["filtered", "superseded", "rejected", "in_doubt", "pending"]

describe("run --json", () => {
  it("prints the value of issue 2 and nothing else on standard output, progress on standard error", async () => {
    const it1 = await bench({ users: 120, messy: true })
    const { code, stdout, stderr } = await sluice(["run", config, "--json", "--state", it1.state], it1.env)
    assert.strictEqual(code, 4, stderr)
    const report = JSON.parse(stdout)
    assert.isFalse(report.ok)
    assert.hasAllKeys(report, ["ok", "pipelines"])
    const [pipeline] = report.pipelines
    const { read, routes, calls, recovered, waited_ms, duration_ms } = pipeline
    assert.strictEqual(pipeline.pipeline, "users")
    assert.isFalse(pipeline.ok)
    assert.match(pipeline.run_id, /^\S+$/)
    assert.hasAllKeys(routes, ["brevo.contacts"])
    const counts = routes["brevo.contacts"]
    assert.hasAllKeys(counts, [...counters, ...others])
    for (const count of Object.values(counts)) assert.isTrue(Number.isSafeInteger(count))
    const { delivered, unchanged, filtered, superseded, rejected, in_doubt, pending } = counts
    assert.strictEqual(counts.read, 120)
    assert.strictEqual(read, 120)
    assert.isAbove(rejected, 0)
    assert.strictEqual(120, delivered + unchanged + filtered + superseded + rejected + in_doubt + pending)
    assert.strictEqual(delivered, counts.created + counts.updated + counts.deleted + counts.accepted)
    assert.strictEqual(delivered, it1.sandbox.control.contacts().length)
    const { auth0, brevo } = it1.sandbox.counters.requests
    assert.deepStrictEqual(calls, { tenant: auth0.reads + auth0.writes, brevo: brevo.reads + brevo.writes })
    assert.deepStrictEqual(recovered, { "brevo.contacts": { delivered: 0, rejected: 0, in_doubt: 0 } })
    assert.isTrue(Number.isSafeInteger(waited_ms) && Number.isSafeInteger(duration_ms))
    assert.include(stderr, "reading tenant")
    assert.notInclude(stderr, '"ok"')
    await it1.close()
  })

  it("prints JSON for what stops it before it begins, too", async () => {
    for (const [args, expected] of [
      [["run", "/nowhere/pipeline.yaml"], 2],
      [["run", config, "nobody"], 2],
      [["run", config, "--state", "/nowhere/at/all/state.db"], 3],
    ] as const) {
      const { code, stdout } = await sluice([...args, "--json"], one.env)
      assert.strictEqual(code, expected)
      const { ok, problems } = JSON.parse(stdout)
      assert.isFalse(ok)
      assert.strictEqual(problems.length, 1)
      assert.hasAnyKeys(problems[0], ["code"])
    }
  })
})
