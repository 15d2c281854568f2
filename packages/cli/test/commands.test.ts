/** check, preview and run as a person meets them: processes with output and exit codes. */
import { readFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, config, sluice } from "./process.ts"

let it1: Bench
beforeAll(async () => {
  it1 = await bench()
})
afterAll(() => it1.close())

const broken = (text: string) => it1.write("broken.yaml", text)

describe("the command line", () => {
  it("prints version and help, with examples on every command", async () => {
    const version = await sluice(["--version"])
    assert.match(version.stdout, /^sluice \d+\.\d+\.\d+\n$/)
    const commands = [[], ["check"], ["preview"], ["run"], ["runs"], ["runs", "list"], ["runs", "show"]]
    const more = [["dead-letters"], ["state"], ["state", "reset"], ["schema"], ["sandbox"]]
    const helps = await Promise.all([...commands, ...more].map((path) => sluice([...path, "--help"])))
    for (const { code, stdout } of helps) {
      assert.strictEqual(code, 0)
      assert.include(stdout, "EXAMPLES")
    }
  })

  it("a wrong command line exits 2 and says so on standard error only", async () => {
    const { code, stdout, stderr } = await sluice(["run"])
    assert.strictEqual(code, 2)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "FILE")
    assert.notInclude(stderr, "    at ")
  })
})

describe("check", () => {
  it("exits 0 for the shipped config", async () => {
    const { code, stdout } = await sluice(["check", config], it1.env)
    assert.strictEqual(code, 0)
    assert.include(stdout, "ok")
  })

  it("exits 2 with code, file:line:column and a suggestion for each problem at once", async () => {
    const text = readFileSync(config, "utf8")
      .replace("from: tenant.users", "from: tenant.user")
      .replace("sync:", "synch:")
    const file = broken(text)
    const { code, stdout } = await sluice(["check", file], it1.env)
    assert.strictEqual(code, 2)
    assert.match(stdout, /broken\.yaml:\d+:\d+ error key\.unknown/)
    assert.match(stdout, /broken\.yaml:\d+:\d+ error stream\.unknown/)
    assert.include(stdout, "did you mean `sync`?")
    const json: unknown = JSON.parse((await sluice(["check", file, "--json"], it1.env)).stdout)
    assert.nestedPropertyVal(json, "ok", false)
    assert.nestedPropertyVal(json, "files[0].problems[0].severity", "error")
  })

  it("exits 3 where only variables are missing", async () => {
    const { code, stdout } = await sluice(["check", config], { ...it1.env, BREVO_API_KEY: "" })
    assert.strictEqual(code, 2, stdout)
    const { BREVO_API_KEY: _, ...without } = it1.env
    const missing = await sluice(["check", config], without)
    assert.strictEqual(missing.code, 3)
    assert.include(missing.stdout, "BREVO_API_KEY")
    assert.include(missing.stdout, "`.env` beside the file")
  })

  it("a file that is not there hides no problem of the others", async () => {
    const file = broken("pipelines: 1")
    const { code, stdout } = await sluice(["check", "absent.yaml", file], it1.env)
    assert.strictEqual(code, 2)
    assert.include(stdout, "absent.yaml does not exist")
    assert.include(stdout, "broken.yaml:1:")
  })

  it("--connect names the accounts; wrong credentials exit 3, a field that is not there exits 2", async () => {
    const good = await sluice(["check", config, "--connect", "--state", it1.state], it1.env)
    assert.strictEqual(good.code, 0, good.stdout)
    assert.include(good.stdout, it1.env.AUTH0_DOMAIN ?? "")
    const wrong = { ...it1.env, BREVO_API_KEY: "xkeysib-wrong-test-key", AUTH0_CLIENT_SECRET: "wrong-test-secret" }
    const refused = await sluice(["check", config, "--connect", "--state", it1.state], wrong)
    assert.strictEqual(refused.code, 3)
    assert.include(refused.stdout, "tenant")
    assert.include(refused.stdout, "brevo")
    assert.notInclude(refused.stdout, "wrong-test")
    const file = it1.write("field.yaml", readFileSync(config, "utf8").replace("COMPANY:", "COMPANI:"))
    const unknown = await sluice(["check", file, "--connect", "--state", it1.state], it1.env)
    assert.strictEqual(unknown.code, 2)
    assert.include(unknown.stdout, "COMPANY")
    const line = readFileSync(file, "utf8").slice(0, readFileSync(file, "utf8").indexOf("COMPANI")).split("\n").length
    assert.include(unknown.stdout, `field.yaml:${line}:`)
    assert.match(refused.stdout, /auth0-to-brevo\.yaml:\d+:\d+ error Unauthorized/)
  })
})

describe("preview", () => {
  it("rule 6: never writes at a vendor", async () => {
    const before = it1.sandbox.control.journal().length
    const { code } = await sluice(["preview", config, "--limit", "20", "--state", it1.state], it1.env)
    assert.strictEqual(code, 0)
    assert.strictEqual(it1.sandbox.control.journal().length, before)
    assert.strictEqual(it1.sandbox.control.contacts().length, 0)
  })

  it("S04: shows no value of a person unless told to", async () => {
    const users = [...it1.sandbox.control.users()]
    const secrets = users.flatMap((user) => [user.email, user.user_id, user.family_name, user.picture])
    const { stdout } = await sluice(["preview", config, "--limit", "30", "--state", it1.state], it1.env)
    const json = await sluice(["preview", config, "--limit", "30", "--json", "--state", it1.state], it1.env)
    assert.include(stdout, "user_metadata.company → COMPANY")
    for (const secret of secrets) {
      if (typeof secret !== "string" || secret.length < 5) continue
      assert.notInclude(stdout, secret)
      assert.notInclude(json.stdout, secret)
    }
    const open = await sluice(["preview", config, "--limit", "30", "--reveal", "--json", "--state", it1.state], it1.env)
    for (const { email } of users) assert.include(open.stdout, String(email))
  })

  it("finds records by id and e-mail, and says which are not there", async () => {
    const [first, second] = [...it1.sandbox.control.users()]
    const given = ["--id", String(first?.user_id), "--email", String(second?.email), "--id", "auth0|nobody"]
    const { code, stdout } = await sluice(["preview", config, ...given, "--json", "--state", it1.state], it1.env)
    const report: unknown = JSON.parse(stdout)
    assert.nestedProperty(report, "pipelines[0].records[1]")
    assert.notNestedProperty(report, "pipelines[0].records[2]")
    assert.nestedPropertyVal(report, "pipelines[0].not_found[0].value", "auth0|nobody")
    assert.strictEqual(code, 4)
  })

  it("S16: a value cannot move the cursor or start a line", async () => {
    const [user] = [...it1.sandbox.control.users()]
    const id = String(user?.user_id)
    it1.sandbox.control.upsertUser({ user_id: id, given_name: "\u001b[2J\nfake line\u202e", nickname: "a\rb" })
    const { stdout } = await sluice(["preview", config, "--id", id, "--reveal", "--state", it1.state], it1.env)
    assert.notInclude(stdout, "\u001b")
    assert.notInclude(stdout, "\r")
    assert.notInclude(stdout, "\u202e")
    assert.include(stdout, "\\u001b[2J\\nfake line\\u202e")
  })
})

describe("run", () => {
  const counts = ["read", "delivered", "created", "updated", "deleted", "accepted", "unchanged", "filtered"]
  const rest = ["superseded", "rejected", "in_doubt", "pending"]

  it("--json prints the report of issue 2 and nothing else; a second run writes nothing", async () => {
    const first = await sluice(["run", config, "--json", "--state", it1.state], it1.env)
    assert.strictEqual(first.code, 0, first.stderr)
    const report = JSON.parse(first.stdout)
    const [pipeline] = report.pipelines
    assert.isTrue(report.ok)
    assert.containsAllKeys(pipeline, ["pipeline", "run_id", "ok", "read", "routes", "calls", "waited_ms", "recovered"])
    assert.hasAllKeys(pipeline.routes["brevo.contacts"], [...counts, ...rest])
    assert.strictEqual(pipeline.routes["brevo.contacts"].created, 30)
    assert.strictEqual(it1.sandbox.control.contacts().length, 30)

    const writes = it1.sandbox.control.journal().length
    const second = await sluice(["run", config, "--full-refresh", "--state", it1.state], it1.env)
    assert.strictEqual(second.code, 0)
    assert.include(second.stdout, "nothing had changed")
    assert.strictEqual(it1.sandbox.control.journal().length, writes)

    const runs = JSON.parse((await sluice(["runs", "list", "--json", "--state", it1.state])).stdout)
    assert.strictEqual(runs.length, 2)
    const shown = await sluice(["runs", "show", pipeline.run_id, "--json", "--state", it1.state])
    assert.deepStrictEqual(JSON.parse(shown.stdout), pipeline)
  })

  it("a file, pipeline or state that is not there exits 2", async () => {
    assert.strictEqual((await sluice(["run", "/nowhere/pipeline.yaml"], it1.env)).code, 2)
    assert.strictEqual((await sluice(["run", config, "nobody", "--state", it1.state], it1.env)).code, 2)
    assert.strictEqual((await sluice(["runs", "list", "--state", "/nowhere/state.db"])).code, 2)
  })

  it("a vendor that is down exits 1 and says that the run can be resumed", async () => {
    const env = { ...it1.env, BREVO_BASE_URL: "http://127.0.0.1:9/v3" }
    const { code, stdout } = await sluice(["run", config, "--full-refresh", "--json", "--state", it1.state], env)
    assert.strictEqual(code, 1)
    assert.nestedPropertyVal(JSON.parse(stdout), "pipelines[0].resumable", true)
  })

  it("wrong credentials exit 3", async () => {
    const env = { ...it1.env, BREVO_API_KEY: "xkeysib-wrong-test-key" }
    const { code, stdout } = await sluice(["run", config, "--state", it1.state], env)
    assert.strictEqual(code, 3)
    assert.include(stdout, "Unauthorized")
  })
})
