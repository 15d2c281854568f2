/** Logs: one JSON object a line for machines, text that cannot be forged for people, and never on standard output. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, config, sluice } from "./process.ts"

let vendors: Bench
let talkative: string

/** A line break, an escape sequence and a forged entry, as a user's name could hold them. */
const NASTY = 'Eve\n\u001b[2J{"level":"error","message":"forged"}'

const sink = `
import { Outcome, Sink } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

export const sink = Sink.simple({
  name: "talkative",
  config: Schema.Struct({ api_key: Schema.RedactedFromValue(Schema.String) }),
  write: Effect.fn(function* (batch, config) {
    yield* Effect.logWarning("writing", { rows: batch.rows.length, name: ${JSON.stringify(NASTY)}, key: config.api_key })
    yield* Effect.logError(${JSON.stringify(NASTY)}, new Error("canary-message"))
    yield* Effect.logDebug("details")
    return batch.rows.map(({ id }) => Outcome.Delivered({ id, effect: "accepted" }))
  }),
})
`

const pipeline = `
sources:
  tenant:
    use: auth0
    base_url: \${AUTH0_BASE_URL}
    domain: \${AUTH0_DOMAIN}
    client_id: \${AUTH0_CLIENT_ID}
    client_secret: \${AUTH0_CLIENT_SECRET}
sinks: { mine: { use: ./talkative.ts, api_key: canary-secret } }
pipelines:
  users: { from: tenant.users, to: { mine.users: { key: id, map: { id: user_id } } } }
`

beforeAll(async () => {
  vendors = await bench()
  vendors.write("talkative.ts", sink)
  talkative = vendors.write("talkative.yaml", pipeline)
})

afterAll(() => vendors.close())

const entriesOf = (stderr: string): ReadonlyArray<Record<string, unknown>> =>
  stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

describe("--log-format json", () => {
  it("every line of standard error is an entry with time, level and message; the report stays on standard output", async () => {
    const args = ["run", config, "--state", `${vendors.state}1`, "--json", "--log-format", "json"]
    const { code, stdout, stderr } = await sluice(args, vendors.env)
    assert.strictEqual(code, 0, stderr)
    const [report] = JSON.parse(stdout).pipelines
    const entries = entriesOf(stderr)
    for (const { time, level, message } of entries) {
      assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      assert.include(["debug", "info", "warn", "error"], level)
      assert.isString(message)
    }
    const started = entries.find(({ message }) => message === "run started")
    assert.deepInclude(started, { level: "info", pipeline: "users", run_id: report.run_id, source: "tenant" })
    const finished = entries.find(({ message }) => message === "run finished")
    assert.deepInclude(finished, { level: "info", status: "completed", routes: report.routes, calls: report.calls })
  })

  it("what ends a command is an entry as well, with its place in the file", async () => {
    const args = ["run", config, "--state", `${vendors.state}2`, "--log-format", "json"]
    const { code, stdout, stderr } = await sluice(args, { ...vendors.env, AUTH0_CLIENT_ID: "" })
    assert.strictEqual(code, 2)
    assert.strictEqual(stdout, "")
    const errors = entriesOf(stderr).filter(({ level }) => level === "error")
    assert.isNotEmpty(errors)
    for (const error of errors) assert.match(String(error.place), /auth0-to-brevo.yaml:\d+:\d+/)
  })

  it("--log-level leaves out what is below it", async () => {
    const run = ["run", config, "--state", `${vendors.state}3`, "--log-format", "json"]
    assert.strictEqual((await sluice([...run, "--log-level", "warn"], vendors.env)).stderr, "")
    const { stderr } = await sluice(
      ["run", talkative, "--state", `${vendors.state}4`, ...run.slice(4), "--log-level", "debug"],
      vendors.env,
    )
    assert.isTrue(entriesOf(stderr).some(({ message }) => message === "details"))
  })
})

describe("what a plugin logs", () => {
  const run = (...flags: ReadonlyArray<string>) =>
    sluice(
      ["run", talkative, "--full-refresh", "--force", "--json", "--state", `${vendors.state}5`, ...flags],
      vendors.env,
    )

  it("engineering trap 10, S16: forges no line, moves no cursor, shows no secret and no error's message", async () => {
    for (const flags of [[], ["--log-format", "json"]]) {
      const { code, stdout, stderr } = await run(...flags)
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(JSON.parse(stdout).ok, true)
      assert.notMatch(stdout + stderr, /canary/)
      assert.notInclude(stderr, "\u001b")
      if (flags.length === 0)
        assert.match(stderr, /^warn: writing rows=\d+ name=Eve\\n\\u001b\[2J\{.*\} key=.*redacted/m)
      assert.isFalse(stderr.split("\n").some((line) => line.startsWith('{"level"')))
      assert.include(stderr, "writing")
      assert.include(stderr, "forged")
      assert.notInclude(stderr, "details")
    }
  })
})
