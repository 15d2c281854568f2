/** `sluice init`: what it writes works as it is, and nothing that was there is lost. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { displayWidth } from "effect/cli/CliOutput"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, root, sluice } from "./process.ts"

let it1: Bench
beforeAll(async () => {
  it1 = await bench()
})
afterAll(() => it1.close())

const at = (name: string) => path.join(it1.folder, name)
const read = (name: string) => fs.readFileSync(at(name), "utf8")
afterEach(() => {
  for (const name of ["users.yaml", ".env", ".gitignore"]) fs.rmSync(at(name), { force: true })
})

const brevo = ["--source", "auth0", "--sink", "brevo"]
const state = () => ["--state", it1.state]

describe("without a terminal", () => {
  it("writes a file that passes check with the placeholders beside it", async () => {
    const { code, stdout } = await sluice(["init", at("users.yaml"), ...brevo])
    assert.strictEqual(code, 0, stdout)
    const { code: checked, stdout: said } = await sluice(["check", at("users.yaml")])
    assert.strictEqual(checked, 0, said)
    assert.strictEqual(fs.statSync(at(".env")).mode & 0o777, 0o600)
    assert.match(read(".gitignore"), /^\.env$/m)
  })

  it("and previews against the sandbox as it is", async () => {
    await sluice(["init", at("users.yaml"), ...brevo])
    const { code, stdout } = await sluice(["preview", at("users.yaml"), "--json", ...state()], it1.env)
    assert.strictEqual(code, 0, stdout)
    assert.strictEqual(JSON.parse(stdout).pipelines[0].records.length, 5)
  })

  it("the placeholders are sent to nobody: what asks the vendors says where they stand", async () => {
    await sluice(["init", at("users.yaml"), ...brevo])
    for (const command of [["check", "--connect"], ["preview"], ["run"]]) {
      const { code, stdout, stderr } = await sluice([...command, at("users.yaml"), ...state()])
      assert.strictEqual(code, 3)
      assert.match(stdout + stderr, /users\.yaml:\d+:\d+ error variable\.placeholder/)
      assert.match(stdout + stderr, /4 variables still have .*\n(.*\n)* +BREVO_API_KEY +line \d+/)
    }
  })

  it("never waits: it says which flag is missing, and --yes takes the first of what there is", async () => {
    fs.copyFileSync(path.join(root, "examples/custom-sink/webhook.ts"), at("webhook.ts"))
    const { code, stderr } = await sluice(["init", at("users.yaml"), "--source", "auth0", "--sink", "./webhook.ts"])
    assert.strictEqual(code, 2)
    assert.include(stderr, "--object")
    assert.isFalse(fs.existsSync(at("users.yaml")))
    const yes = await sluice(["init", at("users.yaml"), "--yes"])
    assert.strictEqual(yes.code, 0, yes.stderr)
  })

  it("names what there is where a flag names nothing", async () => {
    const stream = await sluice(["init", at("users.yaml"), ...brevo, "--stream", "people"])
    assert.strictEqual(stream.code, 2)
    assert.include(stream.stderr, "there is users")
    const sink = await sluice(["init", at("users.yaml"), "--source", "brevo", "--sink", "brevo"])
    assert.include(sink.stderr, "brevo is no source")
  })

  it("takes a sink in a file of one's own, and any object of it", async () => {
    fs.copyFileSync(path.join(root, "examples/custom-sink/webhook.ts"), at("my hook.ts"))
    const flags = ["--source", "auth0", "--sink", "./my hook.ts", "--object", "people", "--yes"]
    const { code, stdout } = await sluice(["init", at("users.yaml"), ...flags])
    assert.strictEqual(code, 0, stdout)
    assert.include(stdout.replaceAll(/\s+/g, " "), "--sink './my hook.ts' --object people --connect --force")
    assert.match(read("users.yaml"), /my-hook\.people:/)
    assert.match(read(".env"), /^MY_HOOK_URL=https:/m)
    const env = { ...it1.env, MY_HOOK_URL: "http://127.0.0.1:9/rows", MY_HOOK_TOKEN: "test-token" }
    const preview = await sluice(["preview", at("users.yaml"), "--json", ...state()], env)
    assert.strictEqual(preview.code, 0, preview.stdout)
  })
})

describe("what was there", () => {
  it("a pipeline file stays unless --force is given", async () => {
    fs.writeFileSync(at("users.yaml"), "mine")
    const { code, stderr } = await sluice(["init", at("users.yaml"), ...brevo])
    assert.strictEqual(code, 2)
    assert.include(stderr, "exists")
    assert.strictEqual(read("users.yaml"), "mine")
    assert.isFalse(fs.existsSync(at(".env")))
    assert.strictEqual((await sluice(["init", at("users.yaml"), ...brevo, "--force"])).code, 0)
    assert.notStrictEqual(read("users.yaml"), "mine")
  })

  it("lines of .env stay, and their values are not printed", async () => {
    const own = "BREVO_API_KEY=xkeysib-test-secret-value\nOTHER=1"
    fs.writeFileSync(at(".env"), own)
    const { stdout, stderr } = await sluice(["init", at("users.yaml"), ...brevo])
    assert.isTrue(read(".env").startsWith(`${own}\n`))
    assert.strictEqual(read(".env").match(/BREVO_API_KEY/g)?.length, 1)
    assert.match(read(".env"), /^AUTH0_DOMAIN=/m)
    for (const text of [stdout, stderr, read("users.yaml")]) assert.notInclude(text, "xkeysib-test-secret-value")
  })
})

describe("--connect", () => {
  it("asks for values first, and writes nothing without them", async () => {
    const { code, stderr } = await sluice(["init", at("users.yaml"), ...brevo, "--connect"])
    assert.strictEqual(code, 3)
    assert.include(stderr, "AUTH0_DOMAIN")
    assert.isFalse(fs.existsSync(at("users.yaml")))
  })

  it("rule 6: proposes the mapping from live fields and records, and writes nothing at a vendor", async () => {
    const before = it1.sandbox.control.journal().length
    const args = ["init", at("users.yaml"), ...brevo, "--connect", "--json", ...state()]
    const { code, stdout, stderr } = await sluice(args, it1.env)
    assert.strictEqual(code, 0, stderr)
    const { proposal, problems }: Answer = JSON.parse(stdout)
    const map = Object.fromEntries(proposal.map.map(({ field, from }) => [field, from]))
    assert.deepInclude(map, {
      ext_id: "user_id",
      email: "email",
      FIRSTNAME: "given_name",
      LASTNAME: "family_name",
      SMS: "user_metadata.phone",
      COMPANY: "user_metadata.company",
      SIGNUP_DATE: "created_at",
      SUBSCRIPTION_PLAN: "app_metadata.plan",
    })
    assert.deepStrictEqual(problems, [])
    assert.strictEqual(it1.sandbox.control.journal().length, before)
    const check = await sluice(["check", at("users.yaml"), "--connect", ...state()], it1.env)
    assert.strictEqual(check.code, 0, check.stdout)
    const preview = await sluice(["preview", at("users.yaml"), "--json", ...state()], it1.env)
    assert.strictEqual(preview.code, 0, preview.stdout)
  })

  it("works for any object of Salesforce, which has a required name and an id of another system", async () => {
    const contact = ["--source", "auth0", "--sink", "salesforce", "--object", "Contact"]
    const { code, stderr } = await sluice(["init", at("users.yaml"), ...contact, "--connect", ...state()], it1.env)
    assert.strictEqual(code, 0, stderr)
    assert.match(read("users.yaml"), /key: Auth0_Id__c/)
    assert.match(read("users.yaml"), /LastName: \{ from: family_name, default: "\(unknown\)" \}/)
    const check = await sluice(["check", at("users.yaml"), "--connect", ...state()], it1.env)
    assert.strictEqual(check.code, 0, check.stdout)
  })

  it("an option that an object insists on is a variable as well", async () => {
    const cases = ["--source", "auth0", "--sink", "persona", "--object", "cases"]
    const offline = await sluice(["init", at("users.yaml"), ...cases])
    assert.strictEqual(offline.code, 0, offline.stdout)
    assert.match(read(".env"), /^PERSONA_CASE_TEMPLATE=ctmpl_change_me$/m)
    const live = await sluice(["init", at("users.yaml"), ...cases, "--connect", "--force", ...state()], it1.env)
    assert.strictEqual(live.code, 0, live.stderr)
    const preview = await sluice(["preview", at("users.yaml"), "--json", ...state()], it1.env)
    assert.strictEqual(preview.code, 0, preview.stdout)
  })

  it("shows no value of a record", async () => {
    const { stdout } = await sluice(["init", at("users.yaml"), ...brevo, "--connect", ...state()], it1.env)
    for (const user of it1.sandbox.control.users()) {
      for (const value of [user.email, user.user_id, user.family_name]) {
        assert.notInclude(stdout + read("users.yaml"), String(value))
      }
    }
  })
})

interface Answer {
  readonly proposal: { readonly map: ReadonlyArray<{ readonly field: string; readonly from: string }> }
  readonly problems: ReadonlyArray<unknown>
}

it("what is printed fits 80 columns", async () => {
  const file = path.relative(os.tmpdir(), at("users.yaml"))
  const { stdout } = await sluice(["init", file, ...brevo], { COLUMNS: "80" })
  assert.include(stdout, "wrote")
  for (const line of stdout.split("\n")) assert.isAtMost(displayWidth(line), 80, line)
})
