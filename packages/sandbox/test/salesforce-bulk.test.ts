/** Bulk API 2.0 of the fake Salesforce org: states, files, and what a file may hold. */
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { sandboxOf } from "./ask.ts"
import { force } from "./force.ts"
import { closeJob, jobInfo, linesOf, openJob, rowsCsv, runJob, uploadCsv, upsertJob } from "./ingest.ts"

const prepare = Effect.map(sandboxOf(), (sandbox) => ({
  sandbox,
  client: force(sandbox),
  salesforce: sandbox.control.salesforce,
}))

describe("a job", () => {
  it.effect("goes from Open over UploadComplete and InProgress to JobComplete, by the clock", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const id = openJob(client)
      assert.deepInclude(jobInfo(client, id), { state: "Open", jobType: "V2Ingest", columnDelimiter: "COMMA" })
      assert.strictEqual(closeJob(client, id).status, 400)
      const { status, body } = uploadCsv(client, id, rowsCsv(3))
      assert.deepStrictEqual([status, body], [201, undefined])
      assert.strictEqual(uploadCsv(client, id, rowsCsv(3)).status, 400)
      assert.strictEqual(closeJob(client, id).body.state, "UploadComplete")
      assert.strictEqual(client.call("GET", `/jobs/ingest/${id}/successfulResults`).status, 400)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(jobInfo(client, id).state, "InProgress")
      assert.strictEqual(salesforce.count("Contact"), 0)
      yield* TestClock.adjust("1 second")
      const done = { state: "JobComplete", numberRecordsProcessed: 3, numberRecordsFailed: 0 }
      assert.deepInclude(jobInfo(client, id), done)
      assert.strictEqual(salesforce.count("Contact"), 3)
      assert.strictEqual(closeJob(client, id).body[0].errorCode, "INVALIDJOBSTATE")
      assert.strictEqual(client.call("GET", "/jobs/ingest").body.records.length, 1)
      assert.strictEqual(client.call("DELETE", `/jobs/ingest/${id}`).status, 204)
      assert.strictEqual(client.call("GET", `/jobs/ingest/${id}`).status, 404)
    }),
  )

  it.effect("salesforce trap 3, 5: complete is not written: failed rows are in a file of their own", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const csv = "Auth0_Id__c,LastName,Email\na,A,a@example.com\nb,B,badone\nc,,\n"
      const { info, succeeded, failed, unprocessed } = yield* runJob(client, csv)
      assert.deepInclude(info, { state: "JobComplete", numberRecordsProcessed: 3, numberRecordsFailed: 2 })
      const { Id } = salesforce.records("Contact")[0] ?? {}
      assert.deepStrictEqual(succeeded, [`"${Id}","true","a","A","a@example.com"`])
      assert.deepStrictEqual(failed, [
        '"","INVALID_EMAIL_ADDRESS:Email: invalid email address: badone:Email --","b","B","badone"',
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","c","",""',
      ])
      assert.isEmpty(unprocessed)
    }),
  )

  it.effect("salesforce trap 10: its results are in another order, with values as Salesforce writes them", () =>
    Effect.gen(function* () {
      const { client } = yield* prepare
      const header = "Auth0_Id__c,LastName,Logins_Count__c,Blocked__c,Last_Login__c,Title"
      const csv = `${header}\na,A,3,TRUE,2026-01-01T01:00:00+01:00,#N/A\n`
      const { succeeded } = yield* runJob(client, csv)
      assert.match(succeeded[0] ?? "", /,"true","a","A","3.0","true","2026-01-01T00:00:00.000Z",""$/)
      const { id } = yield* runJob(client, rowsCsv(50))
      const sent = rowsCsv(50).split("\n").slice(1, -1)
      const echoed = String(client.call("GET", `/jobs/ingest/${id}/successfulResults`).body)
        .split("\n")
        .slice(1, -1)
      const keys = echoed.map((line) => line.split('","')[2])
      assert.notDeepEqual(
        keys,
        sent.map((line) => line.split(",")[0]),
      )
      assert.strictEqual(new Set(keys).size, 50)
    }),
  )

  it.effect("salesforce trap 8, 9: an empty cell leaves a field alone, #N/A empties it, whoever wrote that", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      salesforce.create("Contact", { Auth0_Id__c: "a", LastName: "A", Title: "kept", Phone: "gone" })
      yield* runJob(client, "Auth0_Id__c,Title,Phone\na,,#N/A\n")
      const stored = salesforce.record("Contact", "Auth0_Id__c", "a")
      assert.strictEqual(stored?.Title, "kept")
      assert.notProperty(stored, "Phone")
    }),
  )

  it.effect("links by external ids in its header, and takes delimiters, line endings, quotes and gzip", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const account = salesforce.create("Account", { Name: "Acme", Auth0_Org_Id__c: "org_1" })
      const settings = { ...upsertJob, columnDelimiter: "SEMICOLON", lineEnding: "CRLF" }
      const csv = 'Auth0_Id__c;LastName;Account.Auth0_Org_Id__c\r\na;"say ""hi"";\r\nthere";org_1\r\n\r\nb;B;nobody\r\n'
      const id = openJob(client, settings)
      const packed = { text: gzipSync(csv).toString("latin1"), headers: { "content-encoding": "gzip" } }
      const headers = { ...packed.headers, "content-type": "text/csv" }
      assert.strictEqual(client.call("PUT", `/jobs/ingest/${id}/batches`, { ...packed, headers }).status, 201)
      closeJob(client, id)
      yield* TestClock.adjust("10 seconds")
      const stored = salesforce.record("Contact", "Auth0_Id__c", "a")
      assert.deepInclude(stored, { LastName: 'say "hi";\r\nthere', AccountId: account })
      assert.match(linesOf(client, id, "failedResults")[0] ?? "", /Foreign key external ID: nobody not found/)
      const task = { object: "Task", operation: "upsert", externalIdFieldName: "Auth0_Log_Id__c" }
      yield* runJob(client, "Auth0_Log_Id__c,Subject,Contact:Who.Auth0_Id__c\n1,x,a\n", task)
      assert.strictEqual(salesforce.record("Task", "Auth0_Log_Id__c", "1")?.WhoId, stored?.Id)
    }),
  )

  it.effect("fails as a whole for a file or a header that it cannot read, and hands every row back", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const cases: ReadonlyArray<readonly [csv: string, message: string]> = [
        ["Auth0_Id__c,Nothing__c\na,b\n", "InvalidBatch : Field name not found : Nothing__c"],
        ["Auth0_Id__c,LastName,lastname\na,b,c\n", "InvalidBatch : Duplicate field name in header : lastname"],
        ["LastName\na\n", "InvalidBatch : Field name not found : Auth0_Id__c"],
        ["Auth0_Id__c,LastName\r\na,b\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"],
        ['Auth0_Id__c,LastName\na, "b"\n', "Found unescaped quote"],
      ]
      for (const [csv, message] of cases) {
        const { info, id } = yield* runJob(client, csv)
        assert.strictEqual(info.state, "Failed")
        assert.include(info.errorMessage, message)
        assert.include(client.call("GET", `/jobs/ingest/${id}/unprocessedrecords`).body, csv.trim().at(-1))
      }
      const { info } = yield* runJob(client, "Id\na\n", { object: "Nothing__c", operation: "insert" })
      assert.strictEqual(info.errorMessage, "InvalidBatch : Object Nothing__c not found")
      assert.strictEqual(salesforce.count("Contact"), 0)
    }),
  )

  it.effect("salesforce trap 12, 14: one key twice is refused in one call of 200 rows, and wins at random beyond", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const close = `${rowsCsv(10)}r3,again\n`
      assert.strictEqual((yield* runJob(client, close)).info.numberRecordsFailed, 2)
      const far = `${rowsCsv(10_000, "x")}x3,again\n`
      assert.strictEqual((yield* runJob(client, far)).info.numberRecordsFailed, 0)
      assert.include(["again", "n3"], salesforce.record("Contact", "Auth0_Id__c", "x3")?.LastName)
      const insert = { object: "Contact", operation: "insert" }
      yield* runJob(client, "LastName\nTwice\n", insert)
      yield* runJob(client, "LastName\nTwice\n", insert)
      assert.strictEqual(salesforce.records("Contact").filter(({ LastName }) => LastName === "Twice").length, 2)
    }),
  )

  it.effect("may be one multipart request, updates and deletes by id, assigns only by a rule's id", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const part = (name: string, type: string, content: string) =>
        `--x\r\nContent-Type: ${type}\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n${content}\r\n`
      const text = `${part("job", "application/json", JSON.stringify(upsertJob))}${part("content", "text/csv", rowsCsv(2))}--x--`
      const headers = { "content-type": "multipart/form-data; boundary=x" }
      const { body } = client.call("POST", "/jobs/ingest", { text, headers })
      assert.strictEqual(body.state, "UploadComplete")
      yield* TestClock.adjust("10 seconds")
      const [first, second] = salesforce.records("Contact")
      yield* runJob(client, `Id,Title\n${first?.Id},x\n`, { object: "Contact", operation: "update" })
      yield* runJob(client, `Id\n${second?.Id}\n`, { object: "Contact", operation: "delete" })
      assert.deepStrictEqual(
        salesforce.records("Contact").map(({ Title }) => Title),
        ["x"],
      )
      const lead = { object: "Lead", operation: "insert" }
      yield* runJob(client, "LastName,Company\nx,y\n", lead)
      yield* runJob(client, "LastName,Company\nx,y\n", { ...lead, assignmentRuleId: "01Q5g0000000001AAA" })
      const [kept, given] = salesforce.records("Lead")
      assert.notStrictEqual(kept?.OwnerId, given?.OwnerId)
    }),
  )

  it.effect("locks parents that another of its batches holds; rows sorted by parent meet fewer", () =>
    Effect.gen(function* () {
      const { client, salesforce } = yield* prepare
      const accounts = Array.from({ length: 40 }, (_, at) => salesforce.create("Account", { Name: `${at}` }))
      salesforce.set({ locks: { probability: 0.5, millis: 60_000 } })
      const failures = Effect.fnUntraced(function* (accountOf: (row: number) => string | undefined, name: string) {
        yield* TestClock.adjust("2 minutes")
        const lines = Array.from({ length: 10_400 }, (_, at) => `${name}${at},x,${accountOf(at)}\n`)
        const { info } = yield* runJob(client, `Auth0_Id__c,LastName,AccountId\n${lines.join("")}`)
        return info.numberRecordsFailed
      })
      const mixed = yield* failures((row) => accounts[row % 40], "m")
      const sorted = yield* failures((row) => accounts[Math.floor(row / 260)], "s")
      assert.isAbove(mixed, 150)
      assert.isBelow(sorted, mixed / 2)
    }),
  )

  it.effect("keeps its files for seven days, and uses up batches of the day", () =>
    Effect.gen(function* () {
      const { client, sandbox } = yield* prepare
      const { id } = yield* runJob(client, rowsCsv(10_001))
      const { Max, Remaining } = client.call("GET", "/limits").body.DailyBulkApiBatches
      assert.strictEqual(Max - Remaining, 2)
      yield* TestClock.adjust("7 days")
      assert.strictEqual(force(sandbox).call("GET", `/jobs/ingest/${id}/failedResults`).status, 404)
    }),
  )
})
