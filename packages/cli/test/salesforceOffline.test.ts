// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/**
 * Each row of Salesforce's error table that a describe foresees is caught offline by a lock, and each other one has its
 * reason. That a case is what the vendor refuses, with this code, is shown by an independent client.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { stringify } from "yaml"
import { jsforce } from "../../sandbox/test/jsforce.ts"
import { errorTable } from "../../sink-salesforce/src/errorTable.ts"
import { type Bench, bench, sluice } from "./process.ts"
import { type Case, cases, type Fields, person, record, type Sent, unforeseeable, user } from "./salesforceRefusals.ts"

let on: Bench
let vendor: Awaited<ReturnType<typeof jsforce>>
beforeAll(async () => {
  const added = { object: "Contact", externalId: false }
  on = await bench({
    users: 0,
    salesforce: {
      bulkMillis: 0,
      fields: [
        { ...added, name: "Balance__c", type: "currency", precision: 10, scale: 2 },
        { ...added, name: "Share__c", type: "percent", precision: 5, scale: 2 },
        { ...added, name: "Employees__c", type: "int", precision: 8 },
      ],
    },
  })
  vendor = await jsforce(on.env.SF_LOGIN_URL ?? "")
  for (let n = 0; n < 2; n++) on.sandbox.control.salesforce.create("Subscription__c", { Legacy_Id__c: "twice" })
  const subscription = { object: "Subscription__c", key: "External_Id__c", map: { External_Id__c: "user_id" } }
  locks = {
    upsert: await save({ map: person }, subscription),
    update: await save({ map: person, with: { mode: "update" } }),
  }
})
afterAll(() => on.close())

const sinks = {
  crm: {
    use: "salesforce",
    login_url: "${SF_LOGIN_URL}",
    client_id: "${SF_CLIENT_ID}",
    client_secret: "${SF_CLIENT_SECRET}",
  },
}
const sources = {
  tenant: {
    use: "auth0",
    domain: "${AUTH0_DOMAIN}",
    client_id: "${AUTH0_CLIENT_ID}",
    client_secret: "${AUTH0_CLIENT_SECRET}",
    base_url: "${AUTH0_BASE_URL:-}",
  },
}

const pipelineOf = ({ object = "Contact", key = "Auth0_Id__c", map, with: options }: Partial<Case>) => ({
  [`crm.${object}`]: { key, map, ...(options === undefined ? {} : { with: options }) },
})

let count = 0
const write = (routes: Fields): string =>
  on.write(
    `case${++count}.yaml`,
    stringify({ sources, sinks, pipelines: { users: { from: "tenant.users", to: routes } } }),
  )

interface Lock {
  readonly sinks: { readonly crm: { readonly objects: { readonly [object: string]: { [field: string]: Fields } } } }
}
/** Of routes that work: what an organization has does not depend on the mistakes in other files. */
let locks: { readonly upsert: Lock; readonly update: Lock }

const lockFile = (file: string) => file.replace(".yaml", ".lock.json")

const save = async (...routes: ReadonlyArray<Partial<Case>>): Promise<Lock> => {
  const file = write(Object.assign({}, ...routes.map(pipelineOf)))
  const { code, stdout, stderr } = await sluice(["schema", "--connect", file, "--lock", "--state", on.state], on.env)
  assert.strictEqual(code, 0, stdout + stderr)
  return JSON.parse(readFileSync(lockFile(file), "utf8"))
}

/** A pipeline file of a case, with its lock and, where it has records, its test: the last of them is refused. */
const prepare = (each: Case): string => {
  const file = write(pipelineOf(each))
  const saved = structuredClone(each.with?.mode === "update" ? locks.update : locks.upsert)
  const object = saved.sinks.crm.objects[each.object ?? "Contact"]
  if (object !== undefined) each.lock?.(object)
  writeFileSync(lockFile(file), JSON.stringify(saved))
  const { records } = each
  const expected = records?.map((_, at) =>
    at < records.length - 1 ? { has: { LastName: "Lovelace" } } : { refused: { code: each.code } },
  )
  const tests = [{ name: each.name, records, expect: { [`crm.${each.object ?? "Contact"}`]: expected } }]
  if (records !== undefined) writeFileSync(file.replace(".yaml", ".test.yaml"), stringify({ tests }))
  return file
}

interface Caught {
  readonly code: string
  readonly message: string
  readonly line: number
}

/** What the command finds in each file, without a network: nobody listens there. */
const ask = async (command: "check" | "test", files: ReadonlyArray<string>) => {
  const env = command === "test" ? {} : { ...on.env, SF_LOGIN_URL: "https://nobody.my.salesforce.com" }
  const { stdout } = await sluice([command, ...files, "--json"], env)
  const report: {
    readonly files: ReadonlyArray<{
      readonly problems: ReadonlyArray<Caught>
      readonly notices?: ReadonlyArray<string>
      readonly tests: ReadonlyArray<{
        readonly routes: ReadonlyArray<{ readonly records: ReadonlyArray<{ readonly got: Caught }> }>
      }>
    }>
  } = JSON.parse(stdout)
  return report.files
}

describe("a lock", () => {
  it("catches offline each refusal that a describe foresees: by code, and with field, line and what to do", async () => {
    const seen = (caught: Caught | undefined, each: Case, file: string) => {
      const lines = readFileSync(file, "utf8").split("\n")
      const line = 1 + lines.findIndex((text) => text.trim().startsWith(`${each.at ?? each.field}:`))
      assert.strictEqual(caught?.code, each.code, `${each.name}: ${JSON.stringify(caught)}`)
      assert.include(caught?.message, each.field, each.name)
      assert.match(caught?.message ?? "", each.fix, each.name)
      assert.strictEqual(caught?.line, line, each.name)
    }
    const [rows, mappings] = [cases.filter(({ records }) => records), cases.filter(({ records }) => !records)]
    const checked = mappings.map((each) => ({ each, file: prepare(each) }))
    const found = await ask(
      "check",
      checked.map(({ file }) => file),
    )
    for (const [at, { each, file }] of checked.entries()) {
      seen(
        found[at]?.problems.find(({ code }) => code === each.code),
        each,
        file,
      )
    }
    const tested = rows.map((each) => ({ each, file: prepare(each) }))
    const refused = await ask(
      "test",
      tested.map(({ file }) => file),
    )
    for (const [at, { each, file }] of tested.entries()) {
      assert.deepStrictEqual(refused[at]?.notices, [], each.name)
      seen(refused[at]?.tests[0]?.routes[0]?.records.at(-1)?.got, each, file)
    }
  })

  it("knows of each row of the error table whether a describe foresees it, and why not", () => {
    const rows = new Set(errorTable.map(({ code, handling }) => `${code} ${handling}`))
    const foreseen = new Set(cases.map(({ row }) => row))
    assert.sameMembers([...foreseen, ...Object.values(unforeseeable).flat()], [...rows])
  })

  it("keeps apart what two pipelines may do to one object", async () => {
    const to = (map: Fields, mode: string) => ({
      from: "tenant.users",
      to: pipelineOf({ map: { ...map, "Account.Auth0_Org_Id__c": { value: "org" } }, with: { mode } }),
    })
    const update = { Auth0_Id__c: "user_id", Blocked__c: "blocked" }
    const pipelines = { make: to(person, "upsert"), mark: to(update, "update") }
    const file = on.write("two.yaml", stringify({ sources, sinks, pipelines }))
    const locking = await sluice(["schema", "--connect", file, "--lock", "--state", on.state], on.env)
    assert.strictEqual(locking.code, 0, locking.stderr)
    const [checked] = await ask("check", [file])
    assert.deepStrictEqual(checked?.problems, [])
    const live = await sluice(["check", file, "--connect", "--state", on.state], on.env)
    assert.notInclude(live.stdout, "drift")
    const test = { name: "marked", pipeline: "mark", record: { user_id: "auth0|1", blocked: true } }
    const expect = { "crm.Contact": { has: { Blocked__c: true } } }
    on.write("two.test.yaml", stringify({ tests: [{ ...test, expect }] }))
    assert.strictEqual((await sluice(["test", file])).code, 0)

    const wrong = { ...pipelines, make: to({ Auth0_Id__c: "user_id" }, "upsert") }
    on.write("two.yaml", stringify({ sources, sinks, pipelines: wrong }))
    const [unmapped] = await ask("check", [file])
    assert.deepStrictEqual(
      unmapped?.problems.map(({ code }) => code),
      ["lock.required-field"],
    )
  })

  it("finds with a connection the same of a literal", async () => {
    const file = write(pipelineOf({ map: { ...person, AccountId: { value: "acme" } } }))
    const { code, stdout } = await sluice(["check", file, "--connect", "--json", "--state", on.state], on.env)
    const [checked] = JSON.parse(stdout).files
    assert.deepStrictEqual(
      checked.connected.findings.map(({ code, path }: { code: string; path: unknown }) => [code, path]),
      [["malformed_id", ["map", "AccountId", "value"]]],
    )
    assert.strictEqual(code, 2)
  })

  it("lets pass what the organization takes", async () => {
    const map = {
      ...person,
      Email: "email",
      Auth0_Status__c: "user_metadata.status",
      Balance__c: "user_metadata.balance",
      AccountId: "user_metadata.account",
    }
    const account = on.sandbox.control.salesforce.create("Account", { Name: "Acme" })
    const fine = {
      ...user,
      user_id: "auth0|fine",
      email: "o'brien+x@mail.example.com",
      user_metadata: { balance: 1e8 - 2, account, status: "active" },
    }
    const odd = { ...fine, email: '"Lovelace, Ada"@example.com', user_metadata: { ...fine.user_metadata, status: "" } }
    const file = write(pipelineOf({ map }))
    writeFileSync(lockFile(file), JSON.stringify(locks.upsert))
    const sent = {
      ...record,
      Auth0_Id__c: fine.user_id,
      Email: fine.email,
      Auth0_Status__c: "active",
      Balance__c: 1e8 - 2,
      AccountId: account,
    }
    const oddly = { ...sent, Email: odd.email, Auth0_Status__c: "" }
    const tests = [
      { name: "fine", record: fine, expect: { "crm.Contact": { row: sent } } },
      { name: "odd", record: odd, expect: { "crm.Contact": { row: oddly } } },
    ]
    writeFileSync(file.replace(".yaml", ".test.yaml"), stringify({ tests }))
    assert.strictEqual((await sluice(["check", file], on.env)).code, 0)
    assert.strictEqual((await sluice(["test", file])).code, 0)
    assert.strictEqual(await said({ by: "upsert", record: sent }), "")
    assert.strictEqual(await said({ by: "upsert", record: oddly }), "")
  })
})

const DATA = "/services/data/v67.0"
const object = (of: unknown): Fields => (typeof of === "object" && of !== null ? { ...of } : {})
const first = (of: unknown): Fields => object(Array.isArray(of) ? of[0] : undefined)

/** The error code of a call or of its first row; empty where it is taken. */
const said = async (sent: Sent): Promise<string> => {
  const json = (method: "POST" | "PATCH", path: string, body: Fields) =>
    vendor
      .request({
        method,
        url: `${DATA}${path}`,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      })
      .catch((error: unknown) => [{ errors: [{ statusCode: object(error).errorCode }] }])
  const rowCode = (answer: unknown) => String(first(first(answer).errors).statusCode ?? "")
  switch (sent.by) {
    case "upsert": {
      const { object: type = "Contact", key = "Auth0_Id__c", times = 1 } = sent
      const records = Array.from({ length: times }, () => ({ attributes: { type }, ...sent.record }))
      return rowCode(await json("PATCH", `/composite/sobjects/${type}/${key}`, { allOrNone: false, records }))
    }
    case "update": {
      const id = on.sandbox.control.salesforce.create("Contact", { LastName: "Lovelace" })
      const { Id = id, ...rest } = sent.record
      const records = [{ attributes: { type: "Contact" }, id: Id, ...rest }]
      return rowCode(await json("PATCH", "/composite/sobjects", { allOrNone: false, records }))
    }
    case "query":
      return await vendor.query(sent.soql).then(
        () => "",
        (error: unknown) => String(object(error).errorCode),
      )
    case "bulk": {
      const job = object(
        await json("POST", "/jobs/ingest", {
          object: "Contact",
          operation: "upsert",
          externalIdFieldName: "Auth0_Id__c",
          contentType: "CSV",
          lineEnding: "LF",
        }),
      )
      const path = `${DATA}/jobs/ingest/${String(job.id)}`
      const headers = { "content-type": "text/csv" }
      await vendor.request({ method: "PUT", url: `${path}/batches`, body: sent.csv, headers })
      await json("PATCH", `/jobs/ingest/${String(job.id)}`, { state: "UploadComplete" })
      const { errorMessage } = object(await vendor.request(path))
      const failed = await vendor.request({
        method: "GET",
        url: `${path}/failedResults`,
        headers: { accept: "text/csv" },
      })
      const line = typeof errorMessage === "string" ? errorMessage : JSON.stringify(failed)
      return /([A-Z][A-Za-z_]+) ?:/.exec(line)?.[1] ?? ""
    }
  }
}

describe("the vendor", () => {
  it.each(cases.filter(({ sent }) => sent !== undefined).map((each) => [each.name, each] as const))(
    "refuses it with the code of the table: %s",
    async (_, { row, sent }) => {
      assert.strictEqual(sent === undefined ? "" : await said(sent), row.split(" ")[0])
    },
  )
})
