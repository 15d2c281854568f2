// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/** Saved fields: `schema --connect --lock` writes them, `check` and `test` use them offline, `check --connect` sees drift. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, sluice } from "./process.ts"

let it1: Bench
let file: string
let lock: string
beforeAll(async () => {
  it1 = await bench()
  file = it1.write("users.yaml", pipeline(map))
  lock = file.replace(".yaml", ".lock.json")
})
afterAll(() => it1.close())

const map = `
          ext_id: user_id
          email: email
          FIRSTNAME: given_name
          COMPANY: user_metadata.company`
const pipeline = (fields: string) => `sources:
  tenant: { use: auth0, base_url: "\${AUTH0_BASE_URL}", domain: "\${AUTH0_DOMAIN}", client_id: "\${AUTH0_CLIENT_ID}", client_secret: "\${AUTH0_CLIENT_SECRET}" }
sinks:
  brevo: { use: brevo, api_key: "\${BREVO_API_KEY}", base_url: "\${BREVO_BASE_URL}" }
pipelines:
  users:
    from: tenant.users
    to:
      brevo.contacts:
        map:${fields}
`

/** Nobody listens there: what passes has asked nobody. */
const offline = () => ({ ...it1.env, AUTH0_BASE_URL: "http://127.0.0.1:9", BREVO_BASE_URL: "http://127.0.0.1:9" })
const save = () => sluice(["schema", "--connect", file, "--lock", "--json", "--state", it1.state], it1.env)
const edit = (...edits: ReadonlyArray<readonly [from: string, to: string]>) => {
  const text = readFileSync(lock, "utf8")
  for (const [from] of edits) assert.include(text, from)
  writeFileSync(
    lock,
    edits.reduce((changed, [from, to]) => changed.replace(from, to), text),
  )
}

interface Checked {
  readonly ok: boolean
  readonly problems: ReadonlyArray<{ readonly code: string; readonly line: number; readonly message: string }>
  readonly connected: {
    readonly findings: ReadonlyArray<{
      readonly code: string
      readonly severity: string
      readonly message: string
      readonly fix?: string
    }>
  } | null
}
const check = async (env: Bench["env"], ...flags: ReadonlyArray<string>) => {
  const { code, stdout } = await sluice(["check", file, "--json", "--state", it1.state, ...flags], env)
  const report: { readonly files: ReadonlyArray<Checked> } = JSON.parse(stdout)
  return { code, found: report.files[0] }
}

describe("schema --connect --lock", () => {
  it("writes sorted fields and nothing of the account, says what changed, and writes the same again", async () => {
    const first = await save()
    assert.strictEqual(first.code, 0, first.stderr)
    const text = readFileSync(lock, "utf8")
    const { sinks } = JSON.parse(text)
    const names = Object.keys(sinks.brevo.objects.contacts)
    assert.deepStrictEqual(names, [...names].sort())
    assert.deepStrictEqual(sinks.brevo.objects.contacts.ext_id, { type: "text", key: true })
    for (const secret of [it1.env.BREVO_API_KEY, it1.env.AUTH0_CLIENT_SECRET, "Sandbox"]) {
      assert.notInclude(text, String(secret))
    }
    assert.deepStrictEqual(JSON.parse(first.stdout).changes, [
      { sink: "brevo", object: "contacts", change: "added", message: `has ${names.length} fields` },
    ])
    const second = JSON.parse((await save()).stdout)
    assert.deepStrictEqual([second.written, second.changes], [false, []])
    assert.strictEqual(readFileSync(lock, "utf8"), text)
  })

  it("needs a file whose vendors can be asked", async () => {
    const { code, stderr } = await sluice(["schema", "--lock"])
    assert.strictEqual(code, 2)
    assert.include(stderr, "`sluice schema --connect FILE --lock`")
  })
})

describe("check, offline, against saved fields", () => {
  beforeAll(save)

  it("passes what fits, and asks nobody", async () => {
    const { code, found } = await check(offline())
    assert.deepStrictEqual([code, found?.ok, found?.problems], [0, true, []])
  })

  it("names each field that the destination would refuse, with its line", async () => {
    edit(
      ['"FIRSTNAME": { "type": "text" }', '"FIRSTNAME": { "type": "text", "max": 3, "options": ["Ada", "Bob"] }'],
      ['"IS_ADMIN": { "type": "boolean" }', '"IS_ADMIN": { "type": "boolean", "required": true }'],
      ['"COMPANY": { "type": "text" }', '"COMPANY": { "type": "text", "writable": false }'],
    )
    it1.write(
      "users.yaml",
      pipeline(`
          ext_id: user_id
          COMPANY: user_metadata.company
          COMPANI: user_metadata.company
          FIRSTNAME: { from: given_name, default: Grace }
          NICKNAME: { value: 7 }
          EMAIL_VERIFIED: { from: email_verified, as: text }
          SIGNUP_DATE: { from: created_at, as: datetime }
          LOGIN_COUNT: { from: logins_count, as: integer }
          LASTNAME: user_id
        key: LASTNAME`),
    )
    const { code, found } = await check(offline())
    const shown = (await sluice(["check", file], offline())).stdout.replaceAll(/\s+/g, " ")
    assert.include(shown, `the route's \`with\` differs by now, \`sluice schema --connect ${file} --lock\``)
    it1.write("users.yaml", pipeline(map))
    await save()
    assert.strictEqual(code, 2)
    assert.deepStrictEqual(
      found?.problems.map((each) => `${each.line} ${each.code}`),
      [
        "12 lock.read-only-field",
        "13 lock.unknown-field",
        "14 lock.too-long",
        "15 lock.wrong-type",
        "16 lock.wrong-type",
        "17 lock.wrong-type",
        "10 lock.required-field",
        "20 lock.not-a-key",
      ],
    )
  })

  it("a lock that is none is an error, and one without the route a warning; both say what to run", async () => {
    const text = readFileSync(lock, "utf8")
    writeFileSync(lock, text.replace('"contacts"', '"contact"'))
    const { code, found } = await check(offline())
    assert.deepStrictEqual([code, found?.problems[0]?.code], [0, "lock.missing"])
    writeFileSync(lock, text.slice(0, -9))
    const broken = await check(offline())
    assert.deepStrictEqual([broken.code, broken.found?.problems[0]?.code], [2, "lock.invalid"])
    assert.include(broken.found?.problems[0]?.message, `\`sluice schema --connect ${file} --lock\``)
    const shown = await sluice(["check", file], offline())
    assert.strictEqual(shown.stdout.split("--lock").length, 2, shown.stdout)
    const anew = await save()
    assert.strictEqual(anew.code, 0, anew.stdout)
    assert.strictEqual(readFileSync(lock, "utf8"), text)
  })
})

describe("check --connect", () => {
  it("says how the live fields differ from the saved ones, and --lock takes that over", async () => {
    await save()
    edit(
      ['"COMPANY": { "type": "text" }', '"COMPANY": { "type": "number" }'],
      ['"NICKNAME": { "type": "text" },\n', ""],
      [
        '"LASTNAME": { "type": "text" }',
        '"LASTNAME": { "type": "text", "max": 9, "format": "email", "options": ["A"], "required": true, "nullable": false }',
      ],
      ['"LOGIN_COUNT": { "type": "number" }', '"LOGIN_COUNT": { "type": "number", "digits": 3 }'],
      ['"SMS": {', '"OLD": { "type": "date" },\n          "SMS": {'],
    )
    const { code, found } = await check(it1.env, "--connect")
    assert.strictEqual(code, 0)
    const drift = (found?.connected?.findings ?? []).filter((each) => each.code === "drift")
    const messages = [
      "COMPANY was number, is text now",
      "LASTNAME is no longer required; can be without a value now; took 9 characters, takes any length now; was of the form email, is of any form now; takes any value now",
      "LOGIN_COUNT took 3 digits, takes any number now",
      "NICKNAME is new: text",
      "OLD is no longer there",
    ]
    assert.deepStrictEqual(
      drift.map(({ message }) => message),
      messages,
    )
    const { changes } = JSON.parse((await save()).stdout)
    assert.deepStrictEqual(
      changes.map((each: { field: string; message: string }) => `${each.field} ${each.message}`),
      messages,
    )
    const again = await check(it1.env, "--connect")
    assert.deepStrictEqual(again.found?.connected?.findings, [])
  })

  it("a lock of the first version says what it lacks and how to get it, and is no drift", async () => {
    await save()
    const now = readFileSync(lock, "utf8")
    edit(
      ['"sluice_lock": 2', '"sluice_lock": 1'],
      [
        '"email": { "type": "text", "max": 254, "format": "email", "key": true }',
        '"email": { "type": "text", "key": true }',
      ],
    )
    const fix = `\`sluice schema --connect ${file} --lock\``
    const bad =
      "tests: [{ name: a, record: { user_id: u1, email: nobody } , expect: { brevo.contacts: { has: { email: nobody } } } }]"
    it1.write("users.test.yaml", bad)
    const [offlineCheck, connected, tested] = [
      await check(offline()),
      await check(it1.env, "--connect"),
      await sluice(["test", file]),
    ]
    assert.deepStrictEqual([offlineCheck.code, offlineCheck.found?.problems.map(({ code }) => code)], [0, ["lock.old"]])
    const [old, ...drift] = connected.found?.connected?.findings ?? []
    assert.deepStrictEqual([connected.code, old?.code, drift], [0, "lock.old", []])
    for (const said of [
      offlineCheck.found?.problems[0]?.message,
      `${old?.message}: ${old?.fix}`,
      tested.stdout.replaceAll(/\s+/g, " "),
    ]) {
      assert.include(said, "e-mail and id formats")
      assert.include(said, fix)
    }
    assert.strictEqual(tested.code, 0, tested.stdout)
    const { written, changes } = JSON.parse((await save()).stdout)
    assert.deepStrictEqual([written, changes.length, changes[0].sink, changes[0].object], [true, 1, "brevo", undefined])
    assert.strictEqual(readFileSync(lock, "utf8"), now)
    assert.strictEqual((await sluice(["test", file])).code, 1)
  })

  it("names the file as it was typed, quoted where a shell needs it, and where variables come from: the command can be pasted", async () => {
    const spaced = it1.write("all users.yaml", pipeline(map.replace("COMPANY:", "COMPANI:")))
    writeFileSync(
      spaced.replace(".yaml", ".lock.json"),
      readFileSync(lock, "utf8").replace(/"account": "[^"]+"/, '"account": "another"'),
    )
    const envFile = it1.write("vendors.env", "")
    const { stdout } = await sluice(["check", spaced, "--connect", "--state", it1.state, "--env-file", envFile], {
      ...it1.env,
      COLUMNS: "200",
    })
    const said = stdout.replaceAll(/\s+/g, " ")
    assert.include(said, `fix: \`sluice schema --connect '${spaced}' --env-file ${envFile}\` lists the fields`)
    assert.include(
      said,
      `fix: \`sluice schema --connect '${spaced}' --env-file ${envFile} --lock\` saves what is there`,
    )
  })

  it("the saved fields of another account are not compared field by field", async () => {
    const text = readFileSync(lock, "utf8")
    writeFileSync(lock, text.replace(/"account": "[^"]+"/, '"account": "another"'))
    const { found } = await check(it1.env, "--connect")
    writeFileSync(lock, text)
    assert.deepStrictEqual(
      found?.connected?.findings.map(({ message }) => message),
      ["brevo is another account than the one whose fields are saved"],
    )
  })
})

describe("sluice test", () => {
  it("holds rows against the saved fields, and without them says that it does not", async () => {
    it1.write(
      "users.test.yaml",
      `tests:
  - name: a company that is a list is refused
    record: { user_id: u1, user_metadata: { company: [a, b] } }
    expect: { brevo.contacts: { refused: { code: wrong_type, fields: [COMPANY] } } }
`,
    )
    assert.isTrue(existsSync(lock))
    const held = await sluice(["test", file])
    assert.strictEqual(held.code, 0, held.stdout)
    assert.notInclude(held.stdout, "--lock")
    const other = it1.write("other.yaml", pipeline(map))
    it1.write("other.test.yaml", readFileSync(file.replace(".yaml", ".test.yaml"), "utf8"))
    const unheld = await sluice(["test", other])
    assert.strictEqual(unheld.code, 1)
    assert.include(unheld.stdout, "no field of your own account")
  })
})
