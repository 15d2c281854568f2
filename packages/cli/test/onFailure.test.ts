/** --on-failure: who is told what of a run that did not end well, and that telling changes nothing else. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { notify } from "../src/node/notify.ts"
import { type Bench, bench, config, sluice } from "./process.ts"
import { receive } from "./receiver.ts"

let vendors: Bench

beforeAll(async () => {
  vendors = await bench({ users: 5 })
  const { control } = vendors.sandbox
  // No text: the row is refused, and the run ends with 4.
  control.upsertUser({ user_id: control.userId(2), user_metadata: { company: { name: "canary-company" } } })
})

afterAll(() => vendors.close())

const at = (name: string) => path.join(vendors.folder, name)
const run = (target: string, env: Readonly<Record<string, string>> = {}, ...flags: ReadonlyArray<string>) =>
  sluice(["run", config, "--state", vendors.state, "--on-failure", target, ...flags], { ...vendors.env, ...env })

describe("--on-failure with a command", () => {
  it("gives it the payload on standard input and no secret of the run, and leaves the exit code", async () => {
    const told = `cat > ${at("told.json")}; env > ${at("told.env")}`
    const secrets = {
      AUTH0_CLIENT_SECRET: "canary-secret",
      GITHUB_TOKEN: "canary-token",
      SLUICE_HOOK_CHANNEL: "ops",
    }
    const { code } = await run(told, secrets)
    assert.strictEqual(code, 3)
    const payload = JSON.parse(fs.readFileSync(at("told.json"), "utf8"))
    assert.strictEqual(payload.exit_code, 3)
    assert.match(payload.text, /users failed \(Unauthorized\)/)
    const [pipeline] = payload.pipelines
    assert.deepInclude(pipeline, { pipeline: "users", status: "failed", ok: false })
    assert.strictEqual(pipeline.error.code, "Unauthorized")
    const env = fs.readFileSync(at("told.env"), "utf8")
    assert.include(env, "SLUICE_HOOK_CHANNEL=ops")
    assert.notMatch(env, /canary|AUTH0|BREVO/)
    assert.notInclude(JSON.stringify(payload), "canary")
  })

  it("is told of a run that cannot begin as well; one that fails itself is a warning", async () => {
    const hook = `cat > ${at("none.json")}; echo no such channel >&2; exit 3`
    const { code, stderr } = await sluice(["run", at("nowhere.yaml"), "--on-failure", hook])
    assert.strictEqual(code, 2)
    const { exit_code, problems } = JSON.parse(fs.readFileSync(at("none.json"), "utf8"))
    assert.strictEqual(exit_code, 2)
    assert.include(problems[0].message, "does not exist")
    assert.match(stderr, /warn: --on-failure: the command ended with 3: no such channel/)
  })

  it("is not told of a run that is done", async () => {
    const { code } = await run(`touch ${at("called")}`, {}, "--limit", "1")
    assert.strictEqual(code, 0)
    assert.isFalse(fs.existsSync(at("called")))
  })

  it("that does not end is killed with what it has started", async () => {
    const bounds = { commandMillis: 200, requestMillis: 200, pauseMillis: 1 }
    const hook = `sleep 600 & echo $! > ${at("pid")}; wait`
    const problem = await Effect.runPromise(notify(hook, "{}", process.env, bounds))
    assert.strictEqual(problem, "the command did not end within 0.2 seconds")
    const pid = Number(fs.readFileSync(at("pid"), "utf8"))
    const isGone = () => {
      try {
        process.kill(pid, 0)
        return fs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
      } catch {
        return true
      }
    }
    while (!isGone()) await new Promise((resolve) => setImmediate(resolve))
  })
})

describe("--on-failure with a URL", () => {
  it("posts what did not arrive, again after a 503, without the people it is about; SLUICE_ON_FAILURE does the same", async () => {
    let answers = 0
    await using hook = await receive((response) => response.writeHead(answers++ === 0 ? 503 : 200).end())
    const args = ["run", config, "--state", vendors.state]
    const { code, stdout, stderr } = await sluice(args, {
      ...vendors.env,
      SLUICE_ON_FAILURE: `${hook.origin}/T0/canary-key`,
    })
    assert.strictEqual(code, 4, stderr)
    assert.strictEqual(hook.received.length, 2)
    const payload = JSON.parse(hook.received[1]?.bytes.toString() ?? "")
    assert.strictEqual(payload.exit_code, 4)
    assert.strictEqual(payload.pipelines[0].routes["brevo.contacts"].rejected, 1)
    assert.notMatch(JSON.stringify(payload), /canary|@/)
    assert.notInclude(stdout + stderr, "canary")
  })

  it("that refuses, hangs or is not there is named by its host alone", async () => {
    const bounds = { commandMillis: 200, requestMillis: 200, pauseMillis: 1 }
    await using refusing = await receive((response) => response.writeHead(404).end())
    await using hanging = await receive(() => {})
    for (const [origin, says] of [
      [refusing.origin, /^127.0.0.1:\d+ answered 404$/],
      [hanging.origin, /^127.0.0.1:\d+ cannot be reached$/],
      ["http://127.0.0.1:9", /^127.0.0.1:9 cannot be reached$/],
    ] as const) {
      const problem = await Effect.runPromise(notify(`${origin}/T0/canary-key`, "{}", {}, bounds))
      assert.match(problem ?? "", says)
    }
  })
})
