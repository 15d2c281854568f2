/** The fake Salesforce org writes, refuses and tells as the real one does. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sandboxOf } from "./ask.ts"
import { codes, contact, data, force, raw, signIn, typed } from "./force.ts"

const prepare = Effect.map(sandboxOf(), (sandbox) => ({ sandbox, ...force(sandbox) }))

describe("collections", () => {
  it.effect("salesforce trap 1: answers 200 although every record failed, and says why in statusCode", () =>
    Effect.gen(function* () {
      const { call } = yield* prepare
      const records = typed("Contact", [{ Auth0_Id__c: "a" }, contact("b", { Email: "badone" })])
      const { status, body } = call("PATCH", "/composite/sobjects/Contact/Auth0_Id__c", { body: { records } })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, [
        {
          success: false,
          errors: [
            {
              statusCode: "REQUIRED_FIELD_MISSING",
              message: "Required fields are missing: [LastName]",
              fields: ["LastName"],
            },
          ],
          created: false,
        },
        {
          success: false,
          errors: [
            { statusCode: "INVALID_EMAIL_ADDRESS", message: "Email: invalid email address: badone", fields: ["Email"] },
          ],
          created: false,
        },
      ])
    }),
  )

  it.effect("keeps the order, creates and updates by key, and leaves absent fields alone", () =>
    Effect.gen(function* () {
      const { sandbox, upsert } = yield* prepare
      const first = upsert("Contact", "Auth0_Id__c", [contact("a", { Title: "x", Phone: "1" }), contact("b")])
      assert.deepStrictEqual(codes(first), ["created", "created"])
      const second = upsert("Contact", "Auth0_Id__c", [contact("b"), contact("a", { Title: null }), contact("c")])
      assert.deepStrictEqual(codes(second), ["updated", "updated", "created"])
      assert.strictEqual(second[1].id, first[0].id)
      const stored = sandbox.control.salesforce.record("Contact", "Auth0_Id__c", "a")
      assert.deepInclude(stored, { Phone: "1", LastName: "a" })
      assert.notProperty(stored, "Title")
    }),
  )

  it.effect("salesforce trap 14: refuses every row of a key that comes twice in one call", () =>
    Effect.gen(function* () {
      const { sandbox, upsert } = yield* prepare
      const outcomes = upsert("Contact", "Auth0_Id__c", [contact("a"), contact("b"), contact("a")])
      assert.deepStrictEqual(codes(outcomes), ["DUPLICATE_VALUE", "created", "DUPLICATE_VALUE"])
      assert.strictEqual(outcomes[0].errors[0].message, "Duplicate external id specified: a")
      assert.strictEqual(sandbox.control.salesforce.records("Contact").length, 1)
    }),
  )

  it.effect("salesforce trap 18: tells keys apart by case only where the field does", () =>
    Effect.gen(function* () {
      const { upsert } = yield* prepare
      assert.deepStrictEqual(codes(upsert("Contact", "Auth0_Id__c", [contact("A"), contact("a")])), [
        "created",
        "created",
      ])
      const codesOf = (code: string) => codes(upsert("Subscription__c", "Code__c", [{ Code__c: code }]))
      assert.deepStrictEqual([codesOf("A"), codesOf("a")], [["created"], ["updated"]])
    }),
  )

  it.effect("finds several records by a key that is not unique, and writes none", () =>
    Effect.gen(function* () {
      const { sandbox, upsert, call } = yield* prepare
      for (const Name of ["1", "2"]) sandbox.control.salesforce.create("Subscription__c", { Legacy_Id__c: "x", Name })
      const rows = [{ Legacy_Id__c: "x", Name: "3" }]
      assert.deepStrictEqual(codes(upsert("Subscription__c", "Legacy_Id__c", rows)), ["DUPLICATE_EXTERNAL_ID"])
      const single = call("PATCH", "/sobjects/Subscription__c/Legacy_Id__c/x", { body: { Name: "3" } })
      assert.strictEqual(single.status, 300)
      assert.match(single.body[0], /^\/services\/data\/v66.0\/sobjects\/Subscription__c\/a00\w{15}$/)
      assert.sameMembers(
        sandbox.control.salesforce.records("Subscription__c").map((each) => each.Name),
        ["1", "2"],
      )
    }),
  )

  it.effect("says what is wrong with each value", () =>
    Effect.gen(function* () {
      const { upsert } = yield* prepare
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ FirstName: "x".repeat(41) }, "STRING_TOO_LONG"],
        [{ Auth0_Status__c: "Sleeping" }, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"],
        [{ LeadSource: "Never Seen" }, "created"],
        [{ Logins_Count__c: "12" }, "created"],
        [{ Logins_Count__c: "twelve" }, "JSON_PARSER_ERROR"],
        [{ Logins_Count__c: 1e20 }, "NUMBER_OUTSIDE_VALID_RANGE"],
        [{ Birthdate: "1990-02-30" }, "JSON_PARSER_ERROR"],
        [{ Last_Login__c: "2026-01-01T00:00:00" }, "JSON_PARSER_ERROR"],
        [{ Last_Login__c: "2026-01-01T00:00:00.123Z" }, "created"],
        [{ Blocked__c: null }, "JSON_PARSER_ERROR"],
        [{ Name: "x" }, "INVALID_FIELD_FOR_INSERT_UPDATE"],
        [{ MailingAddress: { city: "x" } }, "INVALID_FIELD_FOR_INSERT_UPDATE"],
        [{ Nothing__c: 1 }, "INVALID_FIELD"],
        [{ AccountId: "nonsense" }, "MALFORMED_ID"],
        [{ AccountId: "0015g00000000zzAAA" }, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"],
        [{ Account: { Auth0_Org_Id__c: "nobody" } }, "INVALID_FIELD"],
      ]
      for (const [at, [fields, code]] of cases.entries())
        assert.deepStrictEqual(codes(upsert("Contact", "Auth0_Id__c", [contact(`${at}`, fields)])), [code])
    }),
  )

  it.effect("links to a parent by its external id, polymorphic ones with their type first", () =>
    Effect.gen(function* () {
      const { sandbox, upsert, find } = yield* prepare
      const { salesforce } = sandbox.control
      const account = salesforce.create("Account", { Name: "Acme", Auth0_Org_Id__c: "org_1" })
      upsert("Contact", "Auth0_Id__c", [contact("a", { Account: { Auth0_Org_Id__c: "org_1" } })])
      assert.strictEqual(salesforce.record("Contact", "Auth0_Id__c", "a")?.AccountId, account)
      const who = { attributes: { type: "Contact" }, Auth0_Id__c: "a" }
      const task = (Auth0_Log_Id__c: string, Who: object) => ({ Auth0_Log_Id__c, Who })
      assert.deepStrictEqual(
        codes(upsert("Task", "Auth0_Log_Id__c", [task("1", who), task("2", { Auth0_Id__c: "a" })])),
        ["created", "JSON_PARSER_ERROR"],
      )
      const [found] = find("SELECT LastName, Account.Name FROM Contact WHERE Account.Name = 'ACME'")
      assert.deepInclude(found, { LastName: "a", Account: { attributes: { type: "Account" }, Name: "Acme" } })
    }),
  )

  it.effect("rolls everything back with allOrNone, and names bystanders as such", () =>
    Effect.gen(function* () {
      const { sandbox, call } = yield* prepare
      const records = typed("Contact", [contact("a"), { Auth0_Id__c: "b" }])
      const { body } = call("POST", "/composite/sobjects", { body: { allOrNone: true, records } })
      assert.deepStrictEqual(codes(body), ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"])
      assert.isEmpty(sandbox.control.salesforce.records("Contact"))
      assert.deepStrictEqual(codes(call("POST", "/composite/sobjects", { body: { records } }).body), [
        "updated",
        "REQUIRED_FIELD_MISSING",
      ])
    }),
  )

  it.effect("takes 200 records and 10 runs of types, deletes and reads by id with null for what is not there", () =>
    Effect.gen(function* () {
      const { sandbox, call } = yield* prepare
      const many = typed(
        "Contact",
        Array.from({ length: 201 }, (_, at) => contact(`${at}`)),
      )
      assert.strictEqual(call("POST", "/composite/sobjects", { body: { records: many } }).status, 400)
      const mixed = Array.from({ length: 11 }, (_, at) => ({ attributes: { type: at % 2 ? "Lead" : "Contact" } }))
      assert.strictEqual(call("POST", "/composite/sobjects", { body: { records: mixed } }).status, 400)
      assert.strictEqual(call("POST", "/composite/sobjects", { body: { records: many.slice(1) } }).status, 200)
      const [first, second] = sandbox.control.salesforce.records("Contact")
      const removed = call("DELETE", "/composite/sobjects", { query: { ids: `${first?.Id},${first?.Id}` } })
      assert.deepStrictEqual(codes(removed.body), ["updated", "ENTITY_IS_DELETED"])
      const read = call("POST", "/composite/sobjects/Contact", {
        body: { ids: [first?.Id, second?.Id], fields: ["LastName"] },
      })
      assert.deepStrictEqual([read.body[0], read.body[1].LastName], [null, second?.LastName])
    }),
  )
})

describe("single records", () => {
  it.effect("are created by 201, updated by 200 or, before version 46, by 204", () =>
    Effect.gen(function* () {
      const { sandbox, call } = yield* prepare
      const path = `/sobjects/Contact/Auth0_Id__c/${encodeURIComponent("auth0|a/b#c")}`
      const created = call("PATCH", path, { body: { LastName: "x" } })
      assert.deepInclude(created.body, { success: true, created: true })
      assert.strictEqual(created.status, 201)
      assert.strictEqual(call("PATCH", path, { body: { LastName: "y" } }).status, 200)
      const authorization = `Bearer ${signIn(sandbox).body.access_token}`
      const old = raw(sandbox, "PATCH", `/services/data/v45.0${path}`, {
        body: { LastName: "z" },
        headers: { authorization },
      })
      assert.deepStrictEqual([old.status, old.headers["sforce-limit-info"]], [204, undefined])
      const stored = sandbox.control.salesforce.record("Contact", "Auth0_Id__c", "auth0|a/b#c")
      assert.strictEqual(stored?.LastName, "z")
      assert.strictEqual(call("GET", path, { query: { fields: "LastName" } }).body.LastName, "z")
      assert.strictEqual(call("DELETE", `/sobjects/Contact/${stored?.Id}`).status, 204)
      assert.strictEqual(call("GET", `/sobjects/Contact/${stored?.Id}`).body[0].errorCode, "ENTITY_IS_DELETED")
    }),
  )

  it.effect("salesforce trap 16: an address that ends in .inc finds nothing, though the record is there", () =>
    Effect.gen(function* () {
      const { sandbox, call, upsert } = yield* prepare
      sandbox.control.salesforce.create("Contact", { LastName: "x", Email: "a@example.inc" })
      assert.strictEqual(call("PATCH", "/sobjects/Contact/Email/a%40example.inc", { body: {} }).status, 404)
      const rows = [{ Email: "a@example.inc", LastName: "y" }]
      assert.deepStrictEqual(codes(upsert("Contact", "Email", rows)), ["updated"])
    }),
  )

  it.effect("404 is a record that is not there, and a field that is no key", () =>
    Effect.gen(function* () {
      const { call } = yield* prepare
      const message = (path: string, query = {}) =>
        call("PATCH", path, { body: { LastName: "x" }, query }).body[0].message
      assert.strictEqual(
        message("/sobjects/Contact/Auth0_Id__c/a", { updateOnly: "true" }),
        "The requested resource does not exist",
      )
      assert.strictEqual(
        message("/sobjects/Contact/Title/a"),
        "Provided external ID field does not exist or is not accessible: Title",
      )
    }),
  )

  it.effect("salesforce trap 23: a converted lead can be updated no more", () =>
    Effect.gen(function* () {
      const { sandbox, upsert, find } = yield* prepare
      const { salesforce } = sandbox.control
      const lead = salesforce.create("Lead", { LastName: "x", Company: "y", Auth0_Id__c: "a" })
      const person = salesforce.create("Contact", { LastName: "x" })
      salesforce.convertLead(lead, person)
      const rows = [{ Auth0_Id__c: "a", Title: "z" }]
      assert.deepStrictEqual(codes(upsert("Lead", "Auth0_Id__c", rows)), ["CANNOT_UPDATE_CONVERTED_LEAD"])
      const [found] = find("SELECT IsConverted, ConvertedContactId FROM Lead WHERE Auth0_Id__c = 'a'")
      assert.deepInclude(found, { IsConverted: true, ConvertedContactId: person })
    }),
  )
})

describe("composite", () => {
  const sub = (referenceId: string, method: string, url: string, body?: object) => ({
    referenceId,
    method,
    url: `${data}${url}`,
    ...(body === undefined ? {} : { body }),
  })

  it.effect("writes a thousand records in one metered call, and no more than five collections", () =>
    Effect.gen(function* () {
      const { sandbox, call } = yield* prepare
      const collection = (at: number) =>
        sub(`c${at}`, "PATCH", "/composite/sobjects/Contact/Auth0_Id__c", {
          records: typed(
            "Contact",
            Array.from({ length: 200 }, (_, n) => contact(`${at}-${n}`)),
          ),
        })
      const compositeRequest = [0, 1, 2, 3, 4].map(collection)
      const { body, headers } = call("POST", "/composite", { body: { compositeRequest } })
      assert.deepStrictEqual(
        body.compositeResponse.map((each: { httpStatusCode: number }) => each.httpStatusCode),
        [200, 200, 200, 200, 200],
      )
      assert.strictEqual(sandbox.control.salesforce.records("Contact").length, 1_000)
      assert.match(headers["sforce-limit-info"] ?? "", /^api-usage=1\/\d+; api-bursts=0\/750$/)
      const six = { compositeRequest: [...compositeRequest, collection(5)] }
      assert.strictEqual(call("POST", "/composite", { body: six }).status, 400)
    }),
  )

  it.effect("hands earlier answers to later parts, and takes all back with allOrNone", () =>
    Effect.gen(function* () {
      const { sandbox, call } = yield* prepare
      const parts = (LastName?: string) => [
        sub("account", "POST", "/sobjects/Account", { Name: "Acme" }),
        sub("contact", "POST", "/sobjects/Contact", { LastName, AccountId: "@{account.id}" }),
      ]
      const good = call("POST", "/composite", { body: { compositeRequest: parts("x") } }).body.compositeResponse
      const [stored] = sandbox.control.salesforce.records("Contact")
      assert.strictEqual(stored?.AccountId, good[0].body.id)
      const bad = call("POST", "/composite", { body: { allOrNone: true, compositeRequest: parts() } })
      const errors = bad.body.compositeResponse.map((each: { body: [{ errorCode: string }] }) => each.body[0].errorCode)
      assert.deepStrictEqual([bad.status, errors], [200, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]])
      assert.strictEqual(sandbox.control.salesforce.records("Account").length, 1)
      const graphs = [{ graphId: "g", compositeRequest: parts() }]
      const graph = call("POST", "/composite/graph", { body: { graphs } }).body.graphs[0]
      assert.strictEqual(graph.isSuccessful, false)
      assert.strictEqual(sandbox.control.salesforce.records("Account").length, 1)
    }),
  )

  it.effect("describes many objects in one batch", () =>
    Effect.gen(function* () {
      const { call } = yield* prepare
      const batchRequests = ["Lead", "Contact", "Nothing"].map((name) => ({
        method: "GET",
        url: `v66.0/sobjects/${name}/describe`,
      }))
      const { hasErrors, results } = call("POST", "/composite/batch", { body: { batchRequests } }).body
      assert.strictEqual(hasErrors, true)
      assert.deepStrictEqual(
        results.map((each: { statusCode: number }) => each.statusCode),
        [200, 200, 404],
      )
    }),
  )
})

describe("rules of the org", () => {
  it.effect("salesforce trap 24: an assignment rule moves records on each write that does not say FALSE", () =>
    Effect.gen(function* () {
      const { sandbox, upsert } = yield* prepare
      const { salesforce } = sandbox.control
      const row = { Auth0_Id__c: "a", LastName: "x", Company: "y" }
      upsert("Lead", "Auth0_Id__c", [row], {
        headers: { "sforce-auto-assign": "FALSE", "sforce-call-options": "client=sluice" },
      })
      const before = salesforce.record("Lead", "Auth0_Id__c", "a")?.OwnerId
      upsert("Lead", "Auth0_Id__c", [row])
      assert.notStrictEqual(salesforce.record("Lead", "Auth0_Id__c", "a")?.OwnerId, before)
      assert.deepStrictEqual(
        salesforce.journal().map(({ client, assigned, effect }) => ({ client, assigned, effect })),
        [
          { client: "sluice", assigned: false, effect: "created" },
          { client: undefined, assigned: true, effect: "updated" },
        ],
      )
    }),
  )

  it.effect("salesforce trap 34: a duplicate rule names its matches, and lets through only where it may", () =>
    Effect.gen(function* () {
      const { sandbox, call, upsert } = yield* prepare
      const { salesforce } = sandbox.control
      const id = salesforce.create("Contact", { LastName: "x", Email: "a@example.com" })
      const rule = (action: "alert" | "block") =>
        salesforce.set({ duplicateRules: [{ object: "Contact", fields: ["Email"], action }] })
      const row = contact("a", { Email: "A@example.com" })
      rule("alert")
      const { body } = call("POST", "/sobjects/Contact", {
        body: row,
        headers: { "sforce-duplicate-rule-header": "includeRecordDetails=true; runAsCurrentUser=true" },
      })
      assert.strictEqual(body[0].errorCode, "DUPLICATES_DETECTED")
      assert.strictEqual(body[0].duplicateResult.matchResults[0].matchRecords[0].record.Id, id)
      const headers = { "sforce-duplicate-rule-header": "allowSave=true" }
      assert.deepStrictEqual(codes(upsert("Contact", "Auth0_Id__c", [row], { headers })), ["created"])
      rule("block")
      const other = contact("b", { Email: "a@example.com" })
      assert.deepStrictEqual(codes(upsert("Contact", "Auth0_Id__c", [other], { headers })), ["DUPLICATES_DETECTED"])
    }),
  )

  it.effect("salesforce trap 30: a partial save fires triggers again, and fails as a whole on the third attempt", () =>
    Effect.gen(function* () {
      const { sandbox, upsert } = yield* prepare
      const { salesforce } = sandbox.control
      const message = "sandbox: System.LimitException: Apex CPU time limit exceeded"
      const fails = (attempt: 1 | 2 | 3) =>
        ({ object: "Contact", field: "Title", contains: `fails ${attempt}`, attempt, message }) as const
      salesforce.set({ triggers: [fails(1), fails(2), fails(3)] })
      const row = (id: string, Title = "good") => contact(id, { Title })
      const partial = upsert("Contact", "Auth0_Id__c", [row("a"), row("b", "fails 1")])
      assert.deepStrictEqual(codes(partial), ["created", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"])
      assert.strictEqual(salesforce.triggerRuns(partial[0].id), 2)
      const rows = [row("c"), row("d", "fails 1"), row("e", "fails 2"), row("f", "fails 3")]
      const whole = upsert("Contact", "Auth0_Id__c", rows)
      assert.deepStrictEqual(new Set(codes(whole)), new Set(["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]))
      assert.match(whole[0].errors[0].message, /Too many batch retries/)
      assert.strictEqual(salesforce.records("Contact").length, 1)
    }),
  )

  it.effect("salesforce trap 38: a parent that another call has just written below is locked", () =>
    Effect.gen(function* () {
      const { sandbox, upsert } = yield* prepare
      const { salesforce } = sandbox.control
      const AccountId = salesforce.create("Account", { Name: "Acme" })
      salesforce.set({ locks: { probability: 1, millis: 1_000 } })
      assert.deepStrictEqual(
        codes(upsert("Contact", "Auth0_Id__c", [contact("a", { AccountId }), contact("b", { AccountId })])),
        ["created", "created"],
      )
      const [locked] = upsert("Contact", "Auth0_Id__c", [contact("c", { AccountId })])
      assert.deepInclude(locked.errors[0], {
        statusCode: "UNABLE_TO_LOCK_ROW",
        message: `unable to obtain exclusive access to this record or 1 records: ${AccountId}`,
      })
      assert.deepStrictEqual(codes(upsert("Contact", "Auth0_Id__c", [contact("d")])), ["created"])
    }),
  )

  it.effect("salesforce trap 39: a person account is written as an account, its contact is not", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ salesforce: { personAccounts: true } })
      const { upsert, call } = force(sandbox)
      const rows = [{ Auth0_Id__pc: "a", LastName: "x", PersonEmail: "a@example.com" }]
      assert.deepStrictEqual(codes(upsert("Account", "Auth0_Id__pc", rows)), ["created"])
      const account = sandbox.control.salesforce.record("Account", "Auth0_Id__pc", "a")
      assert.deepInclude(account, { IsPersonAccount: true, Name: "x" })
      const shadow = call("PATCH", `/sobjects/Contact/${account?.PersonContactId}`, { body: { Title: "y" } })
      assert.strictEqual(shadow.body[0].errorCode, "INVALID_PERSON_ACCOUNT_OPERATION")
    }),
  )
})
