// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/** `sluice test`: the engine's own rows and refusals, held against a file, offline and without variables. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Ajv } from "ajv"
import { afterAll, assert, describe, it } from "vitest"
import { parse } from "yaml"
import { config, root, sluice } from "./process.ts"

const folder = mkdtempSync(join(tmpdir(), "sluice-tests-"))
afterAll(() => rmSync(folder, { recursive: true }))

let count = 0
/** A pipeline file with one route, and its tests. */
const pair = (route: string, tests: string, sink = "{ use: brevo, api_key: '${BREVO_API_KEY}' }") => {
  const name = join(folder, `file${++count}`)
  const body = route.trim().replaceAll(/^/gm, "        ")
  const pipeline = `sources: { tenant: { use: auth0, domain: "\${AUTH0_DOMAIN}", token: "\${file:/no/such/token}" } }
sinks: { to: ${sink} }
pipelines:
  users:
    from: tenant.users
    to:
      to.contacts:
${body}
`
  writeFileSync(`${name}.yaml`, pipeline)
  writeFileSync(`${name}.test.yaml`, tests)
  return { pipeline: `${name}.yaml`, file: `${name}.test.yaml` }
}

interface Difference {
  readonly at: string
  readonly expected?: unknown
  readonly got?: unknown
}
interface Record {
  readonly ok: boolean
  readonly got: { readonly outcome: string; readonly code?: string }
  readonly differences: ReadonlyArray<Difference>
}
interface Report {
  readonly files: ReadonlyArray<{
    readonly ok: boolean
    readonly problems: ReadonlyArray<{ readonly code: string; readonly line: number; readonly suggestion?: string }>
    readonly notices: ReadonlyArray<string>
    readonly tests: ReadonlyArray<{
      readonly name: string
      readonly ok: boolean
      readonly routes: ReadonlyArray<{ readonly records: ReadonlyArray<Record> }>
    }>
  }>
}

const recordsOf = (file: Report["files"][number] | undefined): ReadonlyArray<Record> =>
  file?.tests.flatMap(({ routes }) => routes.flatMap((each) => each.records)) ?? []

/** One process, however many files: what it found of each. */
const runAll = async (files: ReadonlyArray<string>) => {
  const { code, stdout } = await sluice(["test", ...files, "--json"])
  const report: Report = JSON.parse(stdout)
  return { code, files: report.files }
}

const run = async (file: string, env: { readonly [name: string]: string } = {}, ...flags: ReadonlyArray<string>) => {
  const { code, stdout } = await sluice(["test", file, "--json", ...flags], env)
  const report: Report = JSON.parse(stdout)
  const [found] = report.files
  return { code, found, records: recordsOf(found) }
}

const person = "{ user_id: u1, email: ada@example.com, given_name: Ada, user_metadata: { company: null } }"
const map = "map: { ext_id: user_id, email: email, FIRSTNAME: given_name, COMPANY: user_metadata.company, CITY: city }"

describe("a mapping test", () => {
  it("rule 5: tells absent, null and value apart, field by field, and exits 1 with file, line and column", async () => {
    const { file } = pair(
      map,
      `tests:
  - name: ada
    record: ${person}
    expect:
      to.contacts:
        row: { ext_id: u1, email: ada@example.com, FIRSTNAME: Grace, CITY: null }
`,
    )
    const { code, records } = await run(file)
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(records[0]?.differences, [
      { at: "row.FIRSTNAME", expected: "Grace", got: "Ada" },
      { at: "row.CITY", expected: null },
      { at: "row.COMPANY", got: null },
    ])
    const { stdout } = await sluice(["test", file], { COLUMNS: "80" })
    assert.include(stdout, `${file}:2:5`)
    assert.match(stdout, /FIRSTNAME {2}expected "Grace"\n +got {6}"Ada"/)
    assert.match(stdout, /CITY {7}expected null\n +got {6}absent/)
    assert.match(stdout, /COMPANY {4}expected absent\n +got {6}null/)
    assert.include(stdout, "1 failed, 0 passed")
  })

  it("`has` looks at some fields, `absent` at some that must not be there", async () => {
    const expecting = (expected: string) =>
      pair(map, `tests: [{ name: a, record: ${person}, expect: { to.contacts: ${expected} } }]`).file
    const { files } = await runAll([
      expecting("{ has: { FIRSTNAME: Ada }, absent: [CITY] }"),
      expecting("{ has: { FIRSTNAME: Ada }, absent: [COMPANY] }"),
      expecting("{ row: { FIRSTNAME: Ada } }"),
    ])
    assert.deepStrictEqual(
      files.map(({ ok }) => ok),
      [true, false, false],
    )
  })

  it("reads neither the environment nor `.env` nor secret files, and pins $now", async () => {
    const { file } = pair(
      'map: { ext_id: user_id, email: email, NOTE: "${NOTE}", SYNCED: { from: $now(), as: date, diff: false } }',
      `now: 2031-02-03T23:59:59Z
variables: { NOTE: given_name }
tests:
  - name: a
    record: ${person}
    expect: { to.contacts: { has: { NOTE: Ada, SYNCED: 2031-02-03 } } }
`,
    )
    writeFileSync(join(folder, ".env"), "NOTE=email\n")
    const { code, records } = await run(file, { NOTE: "email", AUTH0_DOMAIN: "acme.eu.auth0.example.com" })
    rmSync(join(folder, ".env"))
    assert.strictEqual(code, 0, JSON.stringify(records))
  })

  it("a variable that rows depend on is asked for by name, with the line of the pipeline file", async () => {
    const { file } = pair(
      'map: { ext_id: user_id, NOTE: "${NOTE}" }',
      `variables: { NOTA: a }\ntests: [{ name: a, record: ${person} }]`,
    )
    const { code, found } = await run(file, { NOTE: "email" })
    assert.strictEqual(code, 2)
    const [problem, second] = found?.problems ?? []
    assert.deepStrictEqual([problem?.code, problem?.line, problem?.suggestion], ["test.variable", 8, "NOTA"])
    assert.isUndefined(second)
  })
})

describe("what a record can become is the engine's own judgement", () => {
  /** By route and test, what each record became. */
  const becomes = async (...cases: ReadonlyArray<readonly [route: string, test: string]>) => {
    const pairs = cases.map(([route, test]) => pair(route, `tests:\n  - name: a\n${test.replaceAll(/^/gm, "    ")}\n`))
    const { files } = await runAll(pairs.map(({ file }) => file))
    return files.map((file) =>
      recordsOf(file).map(({ got }) => [got.outcome, ...(got.code === undefined ? [] : [got.code])].join(" ")),
    )
  }
  const fields = "map: { ext_id: user_id, email: email, FIRSTNAME: { from: given_name, required: true } }"

  it("row, filtered by `where`, refused by the mapping, by the sink's fields and by its own rule", async () => {
    const records = `records:
  - ${person}
  - { user_id: u2, email: x@example.com }
  - { user_id: u3, email: x@example.com, given_name: X, blocked: true }
  - { user_id: u4, email: nobody, given_name: X }
  - { user_id: u5, email: "${"x".repeat(250)}@example.com", given_name: X }
  - { user_id: "", given_name: X }
  - { email: x@example.com, given_name: X }`
    const [found] = await becomes([`where: $not(blocked = true)\n${fields}`, records])
    assert.deepStrictEqual(found, [
      "row",
      "refused required",
      "filtered",
      "refused bad_email",
      "refused too_long",
      "refused missing_key",
      "refused missing_key",
    ])
  })

  it("rule 7: of two records with one key the second is refused, or wins with `newest`", async () => {
    const records = `records: [${person}, { user_id: u1, given_name: B }]`
    assert.deepStrictEqual(await becomes([fields, records], [`on_key_conflict: newest\n${fields}`, records]), [
      ["row", "refused key_conflict"],
      ["row", "row"],
    ])
  })

  it("deleted and kept, by `on_delete` and `on_leave`, of what was delivered", async () => {
    const gone = "record: { user_id: u1 }\nchange: delete"
    const left = `where: false\non_delete: delete\n${fields}`
    const delivered = `record: ${person}\ndelivered: true`
    const found = await becomes(
      [fields, gone],
      [`on_delete: delete\n${fields}`, gone],
      [left, `record: ${person}`],
      [left, delivered],
      [`on_leave: on_delete\n${left}`, delivered],
    )
    assert.deepStrictEqual(found.flat(), ["kept", "deleted", "filtered", "kept", "deleted"])
  })

  it("a route that its sink cannot write is a problem of the pipeline file, named before any call", async () => {
    const { file } = pair("map: { ext_id: user_id, listIds: '[1]' }", `tests: [{ name: a, record: ${person} }]`)
    const { code, found } = await run(file)
    assert.strictEqual(code, 2)
    assert.deepStrictEqual([found?.problems[0]?.code, found?.problems[0]?.line], ["test.sink", 7])
  })

  it("a sink that asks its vendor first is not waited for: the test says what it did not see", async () => {
    const sink = readFileSync(join(root, "examples/custom-sink/webhook.ts"), "utf8")
    writeFileSync(join(folder, "webhook.ts"), sink)
    writeFileSync(
      join(folder, "asking.ts"),
      `import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { sink as plain } from "./webhook.ts"
export const sink = { ...plain, open: (config, endpoint) => HttpClient.HttpClient.pipe(
  Effect.flatMap((client) => Effect.retry(client.get("https://vendor.example.com"), { times: 1e9 })),
  Effect.andThen(plain.open(config, endpoint)),
  Effect.orDie,
) }
`,
    )
    const keys = "url: https://hook.example.com, token: '${TOKEN}'"
    const test = `tests: [{ name: a, record: ${person}, expect: { to.contacts: { row: { id: u1 } } } }]`
    const of = (use: string) => pair("key: id\nmap: { id: user_id }", test, `{ use: ${use}, ${keys} }`).file
    const { code, files } = await runAll([of("./webhook.ts"), of("./asking.ts")])
    assert.strictEqual(code, 0)
    const [quiet, asking] = files
    assert.deepStrictEqual(quiet?.notices, [])
    assert.include(asking?.notices.join(), "judges rows with a connection only")
  })
})

describe("--update", () => {
  const tests = `# Who is who.
tests:
  - name: right # stays
    record:   ${person}
    expect: { to.contacts: {   has: { FIRSTNAME: Ada } } }

  # Was Grace once.
  - name: wrong
    record: ${person}
    expect:
      to.contacts:
        row:
          CITY: "London" # where she lived
          FIRSTNAME: Grace # her name
          ext_id: u1

  - { name: new, record: { user_id: u2, email: nobody } }
`

  it("rewrites what failing tests expect; comments, order and all other lines stay; once more changes nothing", async () => {
    const { file } = pair(map, tests)
    const { code, found } = await run(file, {}, "--update")
    assert.strictEqual(code, 0)
    assert.isTrue(found?.tests.every(({ ok }) => ok))
    const written = readFileSync(file, "utf8")
    const [, head = ""] = /^([\s\S]*)row:/.exec(tests) ?? []
    assert.isTrue(written.startsWith(head))
    assert.include(
      written,
      `        row:
          FIRSTNAME: Ada # her name
          ext_id: u1
          email: ada@example.com
          COMPANY: null

  - {`,
    )
    assert.deepStrictEqual(parse(written).tests[2].expect, {
      "to.contacts": { refused: { code: "bad_email", fields: ["email"] } },
    })
    assert.strictEqual((await run(file, {}, "--update")).code, 0)
    assert.strictEqual(readFileSync(file, "utf8"), written)
  })

  it("leaves a file that has problems alone", async () => {
    const { file } = pair(map, tests.replace("row:", "rwo:"))
    assert.strictEqual((await run(file, {}, "--update")).code, 2)
    assert.strictEqual(readFileSync(file, "utf8"), tests.replace("row:", "rwo:"))
  })
})

describe("a typo in a test file", () => {
  const good = `tests:
  - name: a
    pipeline: users
    record: { user_id: u1 }
    expect:
      to.contacts: { row: { ext_id: u1 } }
  - name: b
    record: { user_id: u2 }
`
  const wrong: ReadonlyArray<readonly [from: string, to: string, code: string, line: number, suggestion?: string]> = [
    ["tests:", "test:", "key.unknown", 1, "tests"],
    ["record: { user_id: u1 }", "recrd: {}", "key.unknown", 4, "record"],
    ["pipeline: users", "pipeline: usres", "test.pipeline", 3, "users"],
    ["to.contacts:", "to.contact:", "test.route", 6, "to.contacts"],
    ["{ row:", "{ rows:", "key.unknown", 6, "row"],
    ["{ ext_id: u1 }", "{ ext_ids: u1 }", "test.field", 6, "ext_id"],
    ["{ row: { ext_id: u1 } }", "{ filtered: true, kept: true }", "value.invalid", 6],
    ["{ row: { ext_id: u1 } }", "[{ kept: true }, { kept: true }]", "test.count", 6],
    ["user_id: u1 }", "user_id: 1 }", "test.record", 4],
    ["name: b", "name: a", "test.name", 7],
  ]
  it("is an error with its line and a suggestion, in `check` as well", async () => {
    const files = wrong.map(([from, to]) => pair(map, good.replace(from, to)).file)
    const { code, stdout } = await sluice(["test", ...files, "--json"])
    const check = await sluice(["check", ...files, "--json"])
    assert.strictEqual(code, 2)
    assert.strictEqual(check.code, 2)
    for (const text of [stdout, check.stdout]) {
      const report: Report = JSON.parse(text)
      for (const [at, [from, to, wanted, line, suggestion]] of wrong.entries()) {
        const found = report.files[at]?.problems.find(({ code }) => code === wanted)
        assert.deepStrictEqual([found?.line, found?.suggestion], [line, suggestion], `${from} → ${to}`)
      }
    }
  })
})

describe("test files", () => {
  it("`test` takes pipeline files and test files, each pair once; `run` and `preview` refuse a test file", async () => {
    const { file, pipeline } = pair(
      map,
      `tests: [{ name: a, record: ${person}, expect: { to.contacts: { has: { ext_id: u1 } } } }]`,
    )
    const { stdout } = await sluice(["test", file, pipeline, "--json"])
    assert.lengthOf(JSON.parse(stdout).files, 1)
    const untested = join(folder, "untested.yaml")
    copyFileSync(pipeline, untested)
    const none = await sluice(["test", untested])
    assert.strictEqual(none.code, 2)
    assert.include(none.stderr, "untested.yaml has no tests")
    const preview = await sluice(["preview", file])
    assert.strictEqual(preview.code, 2)
    assert.include(preview.stderr, "`sluice test` runs it")
    const both = await sluice(["check", file, pipeline], { AUTH0_DOMAIN: "a.example.com", BREVO_API_KEY: "test-key" })
    assert.include(both.stdout, "1 test\n")
  })

  it("`schema --tests` is a JSON Schema that takes the shipped tests and refuses an unknown key", async () => {
    const { stdout } = await sluice(["schema", "--tests"])
    const validate = new Ajv({ strict: false }).compile(JSON.parse(stdout))
    const shipped = parse(readFileSync(config.replace(".yaml", ".test.yaml"), "utf8"))
    assert.isTrue(validate(shipped), JSON.stringify(validate.errors))
    assert.isFalse(validate({ ...shipped, tets: [] }))
    assert.isFalse(validate({ tests: [{ name: "a", record: {}, expect: { r: { rwo: {} } } }] }))
  })
})
