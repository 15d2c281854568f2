/** An independent client, npm jsforce, works with the fake Salesforce org over a socket. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { environment, makeSandbox, type Sandbox, serve } from "../src/index.ts"
import { jsforce } from "./jsforce.ts"

const connect = Effect.fnUntraced(function* (sandbox: Sandbox) {
  const { origin } = yield* serve(sandbox, 0)
  return yield* Effect.promise(() => jsforce(environment(origin).SF_LOGIN_URL ?? ""))
})

const org = Effect.gen(function* () {
  const sandbox = yield* makeSandbox({ users: 0, seed: 1, limits: "off" })
  return { sandbox, connection: yield* connect(sandbox) }
})

describe("jsforce", () => {
  it.live("signs in, finds the instance and describes", () =>
    Effect.gen(function* () {
      const { connection } = yield* org
      const { fields } = yield* Effect.promise(() => connection.sobject("Contact").describe())
      const key = fields.find(({ name }) => name === "Auth0_Id__c")
      assert.deepInclude(key, { externalId: true, unique: true, caseSensitive: true })
      const { sobjects } = yield* Effect.promise(() => connection.describeGlobal())
      assert.include(
        sobjects.map(({ name }) => name),
        "Subscription__c",
      )
      assert.isAbove(connection.limitInfo.apiUsage?.limit ?? 0, 0)
    }),
  )

  it.live("upserts by an external id, one and many, and reads back field by field", () =>
    Effect.gen(function* () {
      const { connection, sandbox } = yield* org
      const account = sandbox.control.salesforce.create("Account", { Name: "Acme" })
      const fields = { FirstName: "Ana 🦦", LastName: "Łuk", Email: "ana@example.com", Logins_Count__c: 3 }
      const row = { Auth0_Id__c: "auth0|1", Blocked__c: true, Birthdate: "1990-01-02", AccountId: account, ...fields }
      const rows = [row, { Auth0_Id__c: "auth0|2", LastName: "Two" }, { Auth0_Id__c: "auth0|3" }]
      const outcomes = yield* Effect.promise(() => connection.sobject("Contact").upsert(rows, "Auth0_Id__c"))
      assert.deepStrictEqual(
        outcomes.map(({ success }) => success),
        [true, true, false],
      )
      const one = { Auth0_Id__c: "auth0|2", LastName: "Zwei" }
      yield* Effect.promise(() => connection.sobject("Contact").upsert(one, "Auth0_Id__c"))
      const names = [...Object.keys(row), "Name", "Account.Name"].join(", ")
      const found = yield* Effect.promise(() =>
        connection.query(`SELECT ${names} FROM Contact WHERE Auth0_Id__c LIKE 'auth0|%' ORDER BY Auth0_Id__c`),
      )
      const [first, second] = found.records
      assert.deepInclude(first, { ...row, Name: "Ana 🦦 Łuk" })
      assert.deepInclude(first?.Account, { Name: "Acme" })
      assert.strictEqual(second?.LastName, "Zwei")
    }),
  )

  it.live("reads more than one page", () =>
    Effect.gen(function* () {
      const { connection, sandbox } = yield* org
      for (let at = 0; at < 2_300; at++) sandbox.control.salesforce.create("Contact", { LastName: `${at}` })
      const query = connection.query("SELECT Id FROM Contact", { autoFetch: true, maxFetch: 5_000 })
      assert.strictEqual((yield* Effect.promise(() => query)).records.length, 2_300)
    }),
  )

  it.live("runs a Bulk 2.0 job and reads all three of its files", () =>
    Effect.gen(function* () {
      const { connection, sandbox } = yield* org
      sandbox.control.salesforce.jobsTake(0)
      const input = [
        { Auth0_Id__c: "auth0|1", LastName: 'says "hi", twice', Logins_Count__c: 3 },
        { Auth0_Id__c: "auth0|2", LastName: "Two\nlines", Logins_Count__c: 4 },
        { Auth0_Id__c: "auth0|3", LastName: "x".repeat(81), Logins_Count__c: 5 },
      ]
      const { successfulResults, failedResults, unprocessedRecords } = yield* Effect.promise(() =>
        connection.bulk2.loadAndWaitForResults({
          object: "Contact",
          operation: "upsert",
          externalIdFieldName: "Auth0_Id__c",
          input,
          pollInterval: 10,
          pollTimeout: 10_000,
        }),
      )
      assert.sameMembers(
        successfulResults.map((row) => Object.values(row).find((value) => /^auth0/.test(String(value)))),
        ["auth0|1", "auth0|2"],
      )
      assert.match(failedResults[0]?.sf__Error ?? "", /^STRING_TOO_LONG:/)
      assert.isEmpty(unprocessedRecords)
      const stored = (id: string) => sandbox.control.salesforce.record("Contact", "Auth0_Id__c", id)
      for (const row of input.slice(0, 2)) assert.deepInclude(stored(row.Auth0_Id__c), row)
    }),
  )
})
