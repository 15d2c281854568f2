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

type Fields = { readonly [name: string]: unknown }

/** What is sent to the vendor as it would be without the check. */
type Sent =
  | {
      readonly by: "upsert"
      readonly object?: string
      readonly key?: string
      readonly record: Fields
      readonly times?: number
    }
  | { readonly by: "update"; readonly record: Fields }
  | { readonly by: "query"; readonly soql: string }
  | { readonly by: "bulk"; readonly csv: string }

interface Case {
  readonly name: string
  /** Code and handling of the row of the error table. */
  readonly row: string
  readonly object?: string
  readonly key?: string
  readonly map: Fields
  readonly with?: Fields
  /** The records of a test; without any the mapping alone shows it. */
  readonly records?: ReadonlyArray<Fields>
  readonly code: string
  readonly field: string
  /** The key of the pipeline file that the line is of: the field's own, unless it is not there. */
  readonly at?: string
  /** What to do about it, as the message says. */
  readonly fix: RegExp
  /** None: the sandbox's user may do everything. */
  readonly sent?: Sent
  /** Changes the saved fields, for what the sandbox's organization does not have. */
  readonly lock?: (fields: { [name: string]: Fields }) => void
}

const person = { Auth0_Id__c: "user_id", LastName: "family_name" }
const user = { user_id: "auth0|1", family_name: "Lovelace" }
const record = { Auth0_Id__c: "auth0|1", LastName: "Lovelace" }

/** A field whose value comes from the record. */
const value = (row: string, field: string, given: unknown, code: string, fix: RegExp, sent: unknown = given): Case => ({
  name: `${field} of ${JSON.stringify(given)?.slice(0, 30)}`,
  row,
  map: { ...person, [field]: "user_metadata.value" },
  records: [{ ...user, user_metadata: { value: given } }],
  code,
  field,
  fix,
  sent: { by: "upsert", record: { ...record, [field]: sent } },
})

/** A field that stands in the mapping. */
const mapped = (row: string, field: string, given: unknown, code: string, fix: RegExp, sent: unknown): Case => ({
  name: `${field}: ${JSON.stringify(given)?.slice(0, 30)}`,
  row,
  map: { ...person, [field]: given },
  code,
  field,
  at: typeof given === "string" ? field : (Object.keys(Object(given)).at(-1) ?? field),
  fix,
  sent: { by: "upsert", record: { ...record, [field]: sent } },
})

const long = "x".repeat(41)
const many = ["x".repeat(3000), "y".repeat(1200)]

const cases: ReadonlyArray<Case> = [
  {
    name: "a required field is not mapped",
    row: "REQUIRED_FIELD_MISSING data",
    map: { Auth0_Id__c: "user_id" },
    code: "lock.required-field",
    field: "LastName",
    at: "map",
    fix: /map it/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1" } },
  },
  {
    name: "a required field is absent",
    row: "REQUIRED_FIELD_MISSING data",
    map: person,
    records: [{ user_id: "auth0|1" }],
    code: "required_field",
    field: "LastName",
    fix: /`default`/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1" } },
  },
  {
    name: "a required field is empty text",
    row: "REQUIRED_FIELD_MISSING data",
    map: person,
    records: [{ user_id: "auth0|1", family_name: "" }],
    code: "required_field",
    field: "LastName",
    fix: /give it another/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1", LastName: "" } },
  },
  {
    name: "an update takes the value of a field that needs one",
    row: "REQUIRED_FIELD_MISSING data",
    map: { ...person, LastName: "user_metadata.value" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: null } }],
    code: "not_clearable",
    field: "LastName",
    fix: /`default`/,
    sent: { by: "update", record: { LastName: null } },
  },
  value("STRING_TOO_LONG data", "FirstName", long, "too_long", /\$substring\(…, 0, 40\)/),
  mapped("STRING_TOO_LONG data", "FirstName", { value: long }, "lock.too-long", /\$substring\(…, 0, 40\)/, long),
  value("STRING_TOO_LONG data", "Interests__c", many, "too_long", /leave some out/, many.join(";")),
  value("INVALID_EMAIL_ADDRESS data", "Email", "nobody", "bad_email", /correct it/),
  value("INVALID_EMAIL_ADDRESS data", "Email", "a,b@example.com", "bad_email", /correct it/),
  mapped(
    "INVALID_EMAIL_ADDRESS data",
    "Email",
    { from: "email", default: "none" },
    "lock.bad-email",
    /correct it/,
    "none",
  ),
  value("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST data", "Auth0_Status__c", "Gone", "not_an_option", /Active, Blocked/),
  mapped(
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST data",
    "Auth0_Status__c",
    { value: "Gone" },
    "lock.not-an-option",
    /Active, Blocked/,
    "Gone",
  ),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Balance__c", 1e8, "out_of_range", /8 digits/),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Share__c", -1000, "out_of_range", /3 digits/),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Employees__c", 100_000_000, "out_of_range", /8 digits/),
  mapped("NUMBER_OUTSIDE_VALID_RANGE data", "Share__c", { value: 1000 }, "lock.out-of-range", /3 digits/, 1000),
  {
    ...value("INVALID_TYPE_ON_FIELD_IN_RECORD data", "Balance__c", "much", "wrong_type", /`as: number`/),
    sent: { by: "bulk", csv: "Auth0_Id__c,LastName,Balance__c\nauth0|1,Lovelace,much\n" },
  },
  value("JSON_PARSER_ERROR data", "Balance__c", "much", "wrong_type", /`as: number`/),
  value("JSON_PARSER_ERROR data", "Employees__c", 1.5, "wrong_type", /`as: integer`/),
  value("JSON_PARSER_ERROR data", "Birthdate", "yesterday", "wrong_type", /`as: date`/),
  value("JSON_PARSER_ERROR data", "Last_Login__c", "2026-01-30T08:15:00", "wrong_type", /`as: datetime`/),
  value("JSON_PARSER_ERROR data", "HasOptedOutOfEmail", "perhaps", "wrong_type", /`as: boolean`/),
  value("JSON_PARSER_ERROR data", "HasOptedOutOfEmail", null, "not_clearable", /`default`/),
  value("JSON_PARSER_ERROR data", "FirstName", { a: 1 }, "wrong_type", /`as: text`/),
  mapped(
    "JSON_PARSER_ERROR data",
    "Birthdate",
    { from: "created_at", as: "boolean" },
    "lock.wrong-type",
    /a date/,
    true,
  ),
  value("MALFORMED_ID data", "AccountId", "acme", "malformed_id", /external id/),
  mapped("MALFORMED_ID data", "AccountId", { value: "acme" }, "lock.malformed-id", /external id/, "acme"),
  mapped("MALFORMED_ID data", "AccountId", { from: "nickname", default: "a" }, "lock.malformed-id", /15 or 18/, "a"),
  {
    name: "rows are matched by what is no id",
    row: "MALFORMED_ID data",
    key: "Id",
    map: { Id: "user_metadata.value", LastName: "family_name" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: "acme" } }],
    code: "malformed_id",
    field: "Id",
    fix: /15 or 18/,
    sent: { by: "update", record: { Id: "acme", LastName: "Lovelace" } },
  },
  {
    name: "a query by what is no id",
    row: "INVALID_QUERY_FILTER_OPERATOR config",
    key: "Id",
    map: { Id: "user_metadata.value", LastName: "family_name" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: "acme" } }],
    code: "malformed_id",
    field: "Id",
    fix: /15 or 18/,
    sent: { by: "query", soql: "SELECT Id FROM Contact WHERE Id IN ('acme')" },
  },
  {
    name: "one key for two records",
    row: "DUPLICATE_VALUE bystander",
    map: person,
    records: [user, { ...user }],
    code: "key_conflict",
    field: "Auth0_Id__c",
    fix: /tells them apart/,
    sent: { by: "upsert", record, times: 2 },
  },
  mapped("INVALID_FIELD config", "Nothing__c", "nickname", "lock.unknown-field", /add the field there/, "x"),
  mapped(
    "INVALID_FIELD_FOR_INSERT_UPDATE config",
    "CreatedDate",
    "created_at",
    "lock.read-only-field",
    /leave it out/,
    "2026-01-30T08:15:00Z",
  ),
  mapped(
    "INVALID_FIELD_FOR_INSERT_UPDATE config",
    "MailingAddress",
    "user_metadata.address",
    "lock.read-only-field",
    /leave it out/,
    {},
  ),
  {
    name: "rows are matched by a field that nothing is looked up by",
    row: "NOT_FOUND config",
    key: "Nickname__c",
    map: { Nickname__c: "nickname", LastName: "family_name" },
    code: "lock.sink",
    field: "Nickname__c",
    at: "key",
    fix: /External ID/,
    sent: { by: "upsert", key: "Nickname__c", record: { LastName: "Lovelace", Nickname__c: "ada" } },
  },
  {
    name: "rows are matched by a field that several records may share",
    row: "DUPLICATE_EXTERNAL_ID ambiguous",
    object: "Subscription__c",
    key: "Legacy_Id__c",
    map: { Legacy_Id__c: "user_id", Name: "family_name" },
    code: "lock.sink",
    field: "Legacy_Id__c",
    at: "key",
    fix: /unique and case-sensitive/,
    sent: { by: "upsert", object: "Subscription__c", key: "Legacy_Id__c", record: { Legacy_Id__c: "twice" } },
  },
  {
    name: "a job has a column that is no field",
    row: "InvalidBatch config",
    map: { ...person, nickname__C: "nickname" },
    code: "lock.wrong-case",
    field: "nickname__C",
    fix: /written otherwise/,
    sent: { by: "bulk", csv: "Auth0_Id__c,LastName,Nickname__c,nickname__C\nauth0|1,Lovelace,a,b\n" },
  },
  {
    name: "the user may not write the object",
    row: "INSUFFICIENT_ACCESS_OR_READONLY access",
    map: person,
    lock: (fields) => {
      for (const [name, field] of Object.entries(fields)) fields[name] = { ...field, writable: false }
    },
    code: "lock.sink",
    field: "",
    at: "crm.Contact",
    fix: /Create and Edit/,
  },
]

/** Why no describe tells the others. */
const unforeseeable: { readonly [reason: string]: ReadonlyArray<string> } = {
  "of the sign-in and the session": [
    "INVALID_SESSION_ID credentials",
    "INVALID_SESSION_ID session",
    "InvalidSessionId session",
    "INVALID_AUTH_HEADER credentials",
    "INVALID_LOGIN credentials",
    "LOGIN_RATE_EXCEEDED login_rate",
    "InvalidUser config",
    "TXN_SECURITY_NO_ACCESS config",
    "TXN_SECURITY_METERING_ERROR config",
  ],
  "of the organization and the moment": [
    "REQUEST_LIMIT_EXCEEDED crowded",
    "REQUEST_LIMIT_EXCEEDED quota",
    "ExceededQuota quota",
    "SERVER_UNAVAILABLE passing",
    "UNKNOWN_EXCEPTION passing",
    "QUERY_TIMEOUT passing",
    "Timeout passing",
    "Unknown passing",
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE maintenance",
    "API_CURRENTLY_DISABLED maintenance",
    "API_DISABLED_FOR_ORG config",
    "ORG_LOCKED config",
    "TRIAL_EXPIRED config",
    "FeatureNotEnabled config",
    "STORAGE_LIMIT_EXCEEDED storage",
  ],
  "of other calls and other rows": [
    "UNABLE_TO_LOCK_ROW lock",
    "TooManyLockFailure lock",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY lock",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK bystander",
    "PROCESSING_HALTED bystander",
  ],
  "of the records that are there": [
    "DUPLICATES_DETECTED duplicates",
    "CANNOT_UPDATE_CONVERTED_LEAD converted",
    "INVALID_FIELD no_parent",
    "ENTITY_IS_DELETED stale",
    "NOT_FOUND stale",
    "INVALID_CROSS_REFERENCE_KEY stale",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY stale",
    "DUPLICATE_VALUE data",
    "INACTIVE_OWNER_OR_USER data",
    "ENTITY_IS_LOCKED data",
    "INVALID_PERSON_ACCOUNT_OPERATION config",
  ],
  "of code, rules and settings that a describe does not hold": [
    " smaller",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY smaller",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY data",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION data",
    "FIELD_FILTER_VALIDATION_EXCEPTION data",
    "FIELD_INTEGRITY_EXCEPTION data",
  ],
  "of an object that is not there: it has no describe to save, as `schema --lock` says": ["INVALID_TYPE config"],
  "of calls that no file and no row shapes": [
    "UNSUPPORTED_API_VERSION config",
    "METHOD_NOT_ALLOWED config",
    "MALFORMED_QUERY config",
    "QUERY_TOO_COMPLICATED config",
    "ClientInputError config",
    "InvalidJob config",
    "InvalidJobState config",
  ],
}

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
