/** The fake Salesforce org around its records: sessions, versions, limits, describe and queries. */
import { createSign, generateKeyPairSync } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { httpClient, type Sandbox } from "../src/index.ts"
import { credentials, defaultUntil } from "../src/options.ts"
import { type Body, sandboxOf } from "./ask.ts"
import { contact, data, force, form, raw, signIn } from "./force.ts"

const status = (sandbox: Sandbox, token: string): number =>
  raw(sandbox, "GET", `${data}/limits`, { headers: { authorization: `Bearer ${token}` } }).status

describe("sessions", () => {
  it.effect("salesforce trap 33: a token has an instance and no end of life", () =>
    Effect.gen(function* () {
      const { body } = signIn(yield* sandboxOf())
      assert.deepInclude(body, { instance_url: "http://127.0.0.1", token_type: "Bearer", token_format: "opaque" })
      assert.notProperty(body, "expires_in")
      assert.notProperty(body, "refresh_token")
    }),
  )

  it.effect("end after two hours without use, and when they are revoked", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const token = signIn(sandbox).body.access_token
      for (let hour = 0; hour < 3; hour++) {
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(status(sandbox, token), 200)
      }
      yield* TestClock.adjust("2 hours")
      const { body } = raw(sandbox, "GET", `${data}/limits`, { headers: { authorization: `Bearer ${token}` } })
      assert.deepStrictEqual(body, [{ message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" }])
      const next = signIn(sandbox).body.access_token
      sandbox.control.expireTokens()
      assert.strictEqual(status(sandbox, next), 401)
    }),
  )

  it.effect("salesforce trap 31: a refresh token is good once, and its second use ends the grant", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ salesforce: { rotateRefreshTokens: true } })
      const refresh = (refresh_token: string) =>
        signIn(sandbox, { grant_type: "refresh_token", client_id: form.client_id, refresh_token })
      const first = refresh(credentials.refreshToken)
      const second = refresh(first.body.refresh_token)
      assert.deepStrictEqual([first.status, second.status], [200, 200])
      const reused = refresh(first.body.refresh_token)
      const failure = { error: "invalid_grant", error_description: "expired access/refresh token" }
      assert.deepStrictEqual([reused.status, reused.body], [400, failure])
      assert.deepStrictEqual(refresh(second.body.refresh_token).body, failure)
    }),
  )

  it.effect("salesforce trap 31: 3,600 logins in an hour are enough", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      for (let login = 0; login < 3_600; login++) assert.strictEqual(signIn(sandbox).status, 200)
      assert.deepStrictEqual(signIn(sandbox).body, { error: "invalid_grant", error_description: "login rate exceeded" })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(signIn(sandbox).status, 200)
    }),
  )

  it.effect("are given for an assertion that the app's key has signed, and for no other", () =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const sandbox = yield* sandboxOf()
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
      const grant = (claims: object, key = privateKey) => {
        const signed = `${part({ alg: "RS256" })}.${part({
          iss: credentials.consumerKey,
          sub: credentials.username,
          aud: "https://login.salesforce.com",
          exp: defaultUntil / 1000 + 180,
          ...claims,
        })}`
        const assertion = `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`
        const reply = signIn(sandbox, { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion })
        return reply.status === 200 ? "granted" : reply.body.error_description
      }
      assert.strictEqual(grant({}), "invalid assertion")
      sandbox.control.salesforce.certificate(publicKey.export({ type: "spki", format: "pem" }).toString())
      assert.strictEqual(grant({}), "granted")
      assert.strictEqual(grant({ aud: "https://sandbox.my.salesforce.com" }), "audience is invalid")
      assert.strictEqual(grant({ sub: "nobody@example.com" }), "user hasn't approved this consumer")
      assert.strictEqual(grant({ exp: defaultUntil / 1000 - 60 }), "expired authorization code")
      const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
      assert.strictEqual(grant({}, other.privateKey), "invalid assertion")
    }),
  )

  it.effect("of client credentials are given at My Domain only, and the instance is the org's own host", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const client = httpClient(sandbox)
      const ask = Effect.fnUntraced(function* (host: string) {
        const response = yield* client.post(
          `https://${host}/services/oauth2/token?${new URLSearchParams({ nothing: "" })}`,
        )
        return response.status
      })
      assert.strictEqual(yield* ask("login.salesforce.com"), 400)
      const versions = yield* client.get("https://sandbox.my.salesforce.com/services/data")
      assert.strictEqual(versions.status, 200)
    }),
  )
})

describe("versions and limits", () => {
  it.effect("salesforce trap 42: retired versions are gone, future ones unknown; the list is free and open", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { body, headers } = raw(sandbox, "GET", "/services/data/")
      assert.deepInclude(body.at(-1), { version: "68.0", url: "/services/data/v68.0", label: "Winter '27" })
      assert.notProperty(headers, "sforce-limit-info")
      const authorization = `Bearer ${signIn(sandbox).body.access_token}`
      const at = (version: string) =>
        raw(sandbox, "GET", `/services/data/${version}/limits`, { headers: { authorization } })
      assert.deepStrictEqual([at("v30.0").status, at("v69.0").status, at("v31.0").status], [410, 404, 200])
      assert.strictEqual(at("v30.0").body[0].errorCode, "UNSUPPORTED_API_VERSION")
    }),
  )

  it.effect("salesforce trap 28: the day's calls end in a 403, and come back within a day", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ salesforce: { dailyRequests: 3, sessionSeconds: 200_000 } })
      const { call } = force(sandbox)
      assert.strictEqual(call("GET", "/limits").headers["sforce-limit-info"], "api-usage=1/3; api-bursts=0/750")
      assert.deepInclude(call("GET", "/limits").body.DailyApiRequests, { Max: 3, Remaining: 1 })
      call("GET", "/limits")
      const { status, body } = call("GET", "/limits")
      assert.deepStrictEqual(
        [status, body],
        [403, [{ message: "TotalRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }]],
      )
      yield* TestClock.adjust("24 hours")
      assert.strictEqual(call("GET", "/limits").status, 200)
      sandbox.control.faults.add({ vendor: "salesforce", fault: { kind: "throttle", limit: "concurrent" }, times: 1 })
      assert.match(call("GET", "/limits").body[0].message, /^ConcurrentRequests/)
      assert.strictEqual(call("GET", "/limits").status, 200)
    }),
  )

  it.effect("salesforce trap 20: an address of more than 16,384 bytes is 414, with its headers 431", () =>
    Effect.gen(function* () {
      const { call } = force(yield* sandboxOf())
      const soql = (letters: number) => `SELECT Id FROM Contact WHERE Email = '${"x".repeat(letters)}'`
      const status = (q: string, headers = {}) => call("GET", "/query", { query: { q }, headers }).status
      assert.strictEqual(status(soql(3_000)), 200)
      const long = `SELECT Id FROM Contact WHERE Email IN (${Array(400).fill(`'${"x".repeat(36)}@example.com'`)})`
      assert.strictEqual(status(long), 414)
      assert.strictEqual(status(soql(3_000), { padding: "x".repeat(14_000) }), 431)
    }),
  )
})

describe("describe", () => {
  it.effect("tells what is required, how keys are compared and which picklists are closed", () =>
    Effect.gen(function* () {
      const { call } = force(yield* sandboxOf())
      const fields: ReadonlyArray<Body> = call("GET", "/sobjects/Lead/describe").body.fields
      const required = fields.filter((each) => each.createable && !each.nillable && !each.defaultedOnCreate)
      assert.sameMembers(
        required.map(({ name }) => name),
        ["LastName", "Company"],
      )
      const named = (name: string) => fields.find((each) => each.name === name)
      assert.deepInclude(named("Auth0_Id__c"), { externalId: true, unique: true, caseSensitive: true, length: 255 })
      assert.deepInclude(named("Email"), { idLookup: true, unique: false, type: "email", length: 80 })
      assert.deepInclude(named("Auth0_Status__c"), { restrictedPicklist: true })
      assert.deepInclude(named("Address"), { createable: false, updateable: false, type: "address" })
      const names = call("GET", "/sobjects").body.sobjects.map((each: { name: string }) => each.name)
      assert.sameMembers(names, ["Account", "Contact", "Lead", "Opportunity", "Task", "Subscription__c"])
    }),
  )

  it.effect("has the custom fields of the options", () =>
    Effect.gen(function* () {
      const fields = [{ object: "Lead", name: "Score__c", type: "int", precision: 3 }] as const
      const { upsert } = force(yield* sandboxOf({ salesforce: { fields } }))
      const row = { Auth0_Id__c: "a", LastName: "x", Company: "y", Score__c: 1_000 }
      assert.strictEqual(upsert("Lead", "Auth0_Id__c", [row])[0].errors[0].statusCode, "NUMBER_OUTSIDE_VALID_RANGE")
    }),
  )
})

describe("queries", () => {
  const prepare = Effect.gen(function* () {
    const sandbox = yield* sandboxOf()
    const { create } = sandbox.control.salesforce
    const acme = create("Account", { Name: "Acme" })
    create("Contact", contact("a", { Email: "o'brien@example.com", Title: "50%", AccountId: acme }))
    create("Contact", contact("B", { Email: "b@example.com", Logins_Count__c: 5, Birthdate: "1990-01-02" }))
    create("Contact", contact("c", { Email: "back\\slash@example.com", Last_Login__c: "2026-01-02T03:04:05+01:00" }))
    const client = force(sandbox)
    const ids = (where: string) =>
      client.find(`SELECT Auth0_Id__c FROM Contact ${where}`).map((each: Body) => each.Auth0_Id__c)
    const refusal = (q: string) => client.call("GET", "/query", { query: { q } })
    return { sandbox, ...client, ids, refusal }
  })

  it.effect("compare texts without their case, but for a key that has it", () =>
    Effect.gen(function* () {
      const { ids } = yield* prepare
      assert.deepStrictEqual(ids("WHERE LastName IN ('A', 'b')"), ["a", "B"])
      assert.deepStrictEqual(ids("WHERE Auth0_Id__c IN ('A', 'B')"), ["B"])
      assert.deepStrictEqual(ids("WHERE Email = 'B@EXAMPLE.COM'"), ["B"])
      assert.deepStrictEqual(ids("WHERE Title LIKE '50\\%'"), ["a"])
      assert.deepStrictEqual(ids("WHERE Title LIKE '5%' AND (Logins_Count__c = null OR Logins_Count__c > 9)"), ["a"])
      assert.deepStrictEqual(ids("WHERE NOT (Logins_Count__c >= 5) ORDER BY LastName DESC LIMIT 1"), ["c"])
      assert.deepStrictEqual(ids("WHERE Birthdate < 2000-01-01"), ["B"])
      assert.deepStrictEqual(ids("WHERE Last_Login__c = 2026-01-02T02:04:05Z"), ["c"])
      assert.deepStrictEqual(ids("WHERE Email NOT IN ('b@example.com') AND Account.Name != 'acme'"), ["c"])
      assert.deepStrictEqual(ids("ORDER BY Logins_Count__c NULLS LAST, LastName LIMIT 2 OFFSET 1"), ["a", "c"])
    }),
  )

  it.effect("salesforce trap 19: need both quote and backslash escaped", () =>
    Effect.gen(function* () {
      const { ids, refusal } = yield* prepare
      assert.deepStrictEqual(ids("WHERE Email = 'o\\'brien@example.com'"), ["a"])
      assert.deepStrictEqual(ids("WHERE Email = 'back\\\\slash@example.com'"), ["c"])
      const codeOf = (where: string) => refusal(`SELECT Id FROM Contact WHERE ${where}`).body[0].errorCode
      assert.strictEqual(codeOf("Email = 'o'brien@example.com'"), "MALFORMED_QUERY")
      // Half escaped, a value closes its literal and adds a condition of its own.
      assert.deepStrictEqual(ids("WHERE Email = 'x\\\\' OR LastName LIKE '%'"), ["a", "B", "c"])
      assert.strictEqual(codeOf("Email = 'x' OR LastName = 'y' AND Title = 'z'"), "MALFORMED_QUERY")
      assert.strictEqual(codeOf("Id = 'nonsense'"), "INVALID_QUERY_FILTER_OPERATOR")
      assert.strictEqual(codeOf("Nothing__c = 'x'"), "INVALID_FIELD")
      assert.strictEqual(codeOf("LastName = 5"), "INVALID_FIELD")
      assert.strictEqual(codeOf(`LastName = '${"x".repeat(4_001)}'`), "MALFORMED_QUERY")
      assert.strictEqual(refusal("SELECT Id FROM Nothing").body[0].errorCode, "INVALID_TYPE")
    }),
  )

  it.effect("come in pages, and with the deleted only by queryAll", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { create, remove } = sandbox.control.salesforce
      const ids = Array.from({ length: 450 }, (_, at) => create("Contact", contact(`${at}`)))
      remove(ids[0] ?? "")
      const { call } = force(sandbox)
      const ask = (path: string, q: string) =>
        call("GET", path, { query: { q }, headers: { "sforce-query-options": "batchSize=1" } }).body
      const seen: Array<string> = []
      let page = ask("/query", "SELECT Id FROM Contact")
      assert.deepStrictEqual([page.totalSize, page.records.length], [449, 200])
      for (;;) {
        seen.push(...page.records.map((each: Body) => each.Id))
        if (page.done) break
        page = call("GET", page.nextRecordsUrl.slice(data.length), {
          headers: { "sforce-query-options": "batchSize=200" },
        }).body
      }
      assert.deepStrictEqual(seen, ids.slice(1))
      assert.strictEqual(ask("/queryAll", "SELECT COUNT() FROM Contact").totalSize, 450)
      assert.strictEqual(call("GET", "/query/0r8nothing-200").body[0].errorCode, "INVALID_QUERY_LOCATOR")
    }),
  )

  it.effect("are 501 where the sandbox does not know SOQL's own", () =>
    Effect.gen(function* () {
      const { sandbox, refusal } = yield* prepare
      const unknown = [
        "SELECT COUNT(Id) FROM Contact",
        "SELECT Id FROM Contact WHERE Last_Login__c = TODAY",
        "SELECT Id FROM Contact GROUP BY Id",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
      ]
      for (const soql of unknown) assert.strictEqual(refusal(soql).status, 501, soql)
      assert.strictEqual(sandbox.unmodelled.length, unknown.length)
    }),
  )
})

describe("control over HTTP", () => {
  it.effect("makes records and rules, and shows what was written", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { upsert, call } = force(sandbox)
      const control = (method: string, path: string, body?: object) =>
        raw(sandbox, method, `/control/salesforce/${path}`, body === undefined ? {} : { body })
      const records = [{ LastName: "x", Email: "a@example.com" }]
      assert.match(control("POST", "records", { object: "Contact", records }).body.ids[0], /^003\w{15}$/)
      const bad = control("POST", "records", { object: "Contact", records: [{ Email: "a@example.com" }] })
      assert.deepStrictEqual([bad.status, bad.body.error], [400, "Required fields are missing: [LastName]"])
      const settings = {
        duplicateRules: [{ object: "Contact", fields: ["Email"], action: "block" }],
        triggers: [{ object: "Contact", field: "Title", contains: "no", message: "sandbox" }],
        locks: null,
        assignmentRules: [],
        jobsTake: 0,
      }
      assert.strictEqual(control("POST", "settings", settings).status, 204)
      assert.strictEqual(control("POST", "settings", { locks: 5 }).status, 400)
      const rows = [contact("a", { Email: "a@example.com" }), contact("b", { Title: "no" }), contact("c")]
      upsert("Contact", "Auth0_Id__c", rows)
      const errors = control("GET", "journal").body.map((each: Body) => each.error ?? each.effect)
      assert.deepStrictEqual(errors, ["DUPLICATES_DETECTED", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "created"])
      assert.strictEqual(control("GET", "records?object=Contact").body.length, 2)
      assert.strictEqual(control("GET", "count?object=Contact").body.count, 2)
      const fault = { vendor: "salesforce", fault: { kind: "refused", status: 410, code: "GONE" }, path: "/limits" }
      raw(sandbox, "POST", "/control/faults", { body: fault })
      assert.strictEqual(call("GET", "/limits").body[0].errorCode, "GONE")
    }),
  )
})
