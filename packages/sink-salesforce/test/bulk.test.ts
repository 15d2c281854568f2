/** Bulk API 2.0: exact requests, files and results. */
import { assert, describe, it } from "@effect/vitest"
import type { Row } from "@sluice/core"
import * as Effect from "effect/Effect"
import { close, create, ID, JOB, lane, limits, of, refOf, results, rows, state, stored, upload } from "./bulkJob.ts"
import { describes, open, opening, row, type Script, type Setup, salesforce, services, tags, when } from "./vendor.ts"

describe("a job", () => {
  it.effect("is made, known, filled and closed in that order, and takes ten calls", () =>
    Effect.gen(function* () {
      const success = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(2)}","false","auth0|2","Name 2"\n"${ID(1)}","true","auth0|1","Name 1"\n`
      const sent = salesforce(
        ...opening("Contact"),
        limits,
        create,
        upload,
        close,
        state("InProgress"),
        state("JobComplete"),
        ...results(success),
      )
      const { job } = yield* lane()
      const outcomes = yield* job(rows)
      assert.deepStrictEqual(of(outcomes, 1), { _tag: "Delivered", id: "auth0|1", effect: "created", remoteId: ID(1) })
      assert.deepStrictEqual(of(outcomes, 2), { _tag: "Delivered", id: "auth0|2", effect: "updated", remoteId: ID(2) })
      assert.deepStrictEqual(sent[4]?.body, {
        object: "Contact",
        operation: "upsert",
        externalIdFieldName: "Auth0_Id__c",
        contentType: "CSV",
        columnDelimiter: "COMMA",
        lineEnding: "LF",
      })
      assert.strictEqual(sent[5]?.headers["content-type"], "text/csv")
      assert.strictEqual(sent[5]?.text, "Auth0_Id__c,LastName\nauth0|1,Name 1\nauth0|2,Name 2\n")
      assert.deepStrictEqual(sent[6]?.body, { state: "UploadComplete" })
      assert.isAtMost(sent.length - 3, 12)
    }).pipe(services),
  )

  it.effect("salesforce trap 40: is made, filled and closed under our name, by which a loop is ended", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), limits, create, upload, close)
      yield* (yield* lane({ config: { client: "ours" } })).submit(rows)
      const names = sent.slice(-3).map(({ headers }) => headers["sforce-call-options"])
      assert.deepStrictEqual(names, ["client=ours", "client=ours", "client=ours"])
    }).pipe(services),
  )

  it.effect("salesforce trap 12: its id is kept before any row is in it", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), limits, create, upload, close)
      const writer = yield* open({ fields: ["Auth0_Id__c", "LastName"], options: { path: "bulk" } })
      const before: Array<number> = []
      yield* writer.jobs?.submit(stored(rows), () => Effect.sync(() => void before.push(sent.length))) ?? Effect.void
      assert.strictEqual(sent[before[0] ?? -1]?.call, upload.call)
    }).pipe(services),
  )

  it.effect("takes records that are known by their id, and others by key: two jobs, both known first", () =>
    Effect.gen(function* () {
      const other = "750000000000002AAA"
      const sent = salesforce(
        ...opening("Contact"),
        limits,
        create,
        when("POST /jobs/ingest", 200, { id: other, state: "Open" }),
        upload,
        close,
        when(`PUT /jobs/ingest/${other}/batches`, 201),
        when(`PATCH /jobs/ingest/${other}`, 200, {}),
      )
      const { submit } = yield* lane()
      const [ref = ""] = yield* submit([row(1), row(2, {}, { remoteId: ID(2) })])
      assert.deepStrictEqual(JSON.parse(ref), {
        jobs: [
          { id: JOB, rows: 1 },
          { id: other, rows: 1 },
        ],
      })
      assert.deepInclude(sent[5]?.body, { operation: "update" })
      assert.notProperty(sent[5]?.body, "externalIdFieldName")
      assert.strictEqual(sent[8]?.text, `Id,Auth0_Id__c,LastName\n${ID(2)},auth0|2,Name 2\n`)
    }).pipe(services),
  )
})

describe("a file", () => {
  const uploaded = (given: ReadonlyArray<Row>, setup: Setup = {}, described: ReadonlyArray<Script> = []) =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), ...described, limits, create, upload, close)
      const { submit } = yield* lane(setup)
      yield* submit(given)
      return sent.at(-2)?.text.split("\n")
    })

  it.effect("salesforce trap 6, 7: has the mapping's columns; a row that lacks one leaves it as it is", () =>
    Effect.gen(function* () {
      const fields = ["Auth0_Id__c", "LastName", "FirstName", "Email"]
      const lines = yield* uploaded([row(1, { FirstName: "Ada" }), row(2, { Email: "b@example.com" })], { fields })
      assert.deepStrictEqual(lines, [
        "Auth0_Id__c,LastName,FirstName,Email",
        "auth0|1,Name 1,Ada,",
        "auth0|2,Name 2,,b@example.com",
        "",
      ])
    }).pipe(services),
  )

  it.effect("salesforce trap 8: clears by #N/A, for null and for the empty text", () =>
    Effect.gen(function* () {
      const fields = ["Auth0_Id__c", "LastName", "FirstName", "Topics__c", "HasOptedOutOfEmail"]
      const lines = yield* uploaded(
        [
          row(1, { FirstName: null, Topics__c: [] }),
          row(2, { FirstName: "", Topics__c: ["news", "offers"], HasOptedOutOfEmail: false }),
        ],
        { fields },
      )
      assert.deepStrictEqual(lines?.slice(1, 3), ["auth0|1,Name 1,#N/A,#N/A,", "auth0|2,Name 2,#N/A,news;offers,false"])
    }).pipe(services),
  )

  it.effect("stays below 100 MB, however few of its cells have values", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 300 }, (_, n) => `Field_${n}__c`)
      const more = Object.fromEntries(names.map((name) => [name, { length: 10 }]))
      const sent = salesforce(...opening("Contact", more), limits, create, upload, close)
      const { submit, limits: most } = yield* lane({ fields: ["Auth0_Id__c", "LastName", ...names] })
      const sparse = row(1, {}, { remoteId: ID(1) })
      yield* submit([sparse])
      const [, line = ""] = sent.at(-2)?.text.split("\n") ?? []
      const larger = line.length + 1 - JSON.stringify(sparse.fields).length
      assert.isAbove(larger, 0)
      assert.isAtMost(most.rows, 100_000)
      assert.isAtMost((most.bytes ?? Number.POSITIVE_INFINITY) + most.rows * larger, 100_000_000)
    }).pipe(services),
  )

  it.effect("quotes what needs it, and keeps the rest as it is", () =>
    Effect.gen(function* () {
      const lines = yield* uploaded([row(1, { LastName: ' say "hi", \nAda ' })])
      assert.strictEqual(lines?.slice(1).join("\n"), 'auth0|1," say ""hi"", \nAda "\n')
    }).pipe(services),
  )

  it.effect("salesforce trap 9: cannot say the text #N/A: such a row goes by Collections", () =>
    Effect.gen(function* () {
      const text = [row(1), row(2, { LastName: "#N/A" }), row(3, { LastName: "nul \0" })]
      const success = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(1)}","true","auth0|1","Name 1"\n`
      const sent = salesforce(
        ...opening("Contact"),
        limits,
        create,
        upload,
        close,
        state("JobComplete"),
        ...results(success),
      )
      const outcomes = yield* (yield* lane()).job(text)
      assert.strictEqual(sent[5]?.text, "Auth0_Id__c,LastName\nauth0|1,Name 1\n")
      assert.deepStrictEqual(
        [1, 2, 3].map((n) => of(outcomes, n)?._tag),
        ["Delivered", "Deferred", "Deferred"],
      )
    }).pipe(services),
  )

  it.effect("names parents by their key; a parent that is cleared goes by Collections", () =>
    Effect.gen(function* () {
      const fields = ["Auth0_Id__c", "LastName", "Account.Auth0_Org_Id__c"]
      const given = [row(1, { "Account.Auth0_Org_Id__c": "org_1" }), row(2, { "Account.Auth0_Org_Id__c": null })]
      assert.deepStrictEqual(yield* uploaded(given, { fields }, [describes("Account")]), [
        "Auth0_Id__c,LastName,Account.Auth0_Org_Id__c",
        "auth0|1,Name 1,org_1",
        "",
      ])
    }).pipe(services),
  )
})

describe("results", () => {
  const success = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(1)}","true","auth0|1","Name 1"\n`
  const settled = (...scripts: ReadonlyArray<Script>) =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), ...scripts)
      return yield* (yield* lane()).settle(refOf(JOB), [row(1), row(2), row(3)])
    })

  it.effect("salesforce trap 3, 5: all three files are read: complete is not delivered", () =>
    Effect.gen(function* () {
      const failure = `"sf__Id","sf__Error","Auth0_Id__c","LastName"\n"","STRING_TOO_LONG:Last Name: data value too large: X:LastName --","auth0|2","X"\n`
      const outcomes = yield* settled(
        state("JobComplete", { numberRecordsProcessed: 2, numberRecordsFailed: 1 }),
        ...results(success, failure, "Auth0_Id__c,LastName\nauth0|3,Name 3\n"),
      )
      assert.deepStrictEqual(
        [1, 2, 3].map((n) => of(outcomes, n)?._tag),
        ["Delivered", "Rejected", "Deferred"],
      )
      assert.deepInclude(of(outcomes, 2), { code: "STRING_TOO_LONG", fields: ["LastName"] })
      assert.notInclude(JSON.stringify(outcomes), "too large: X")
    }).pipe(services),
  )

  it.effect("name the record that has a value which must be unique", () =>
    Effect.gen(function* () {
      const says = `DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: 003000000000009:Code__c --`
      const failure = `"sf__Id","sf__Error","Auth0_Id__c","LastName"\n"","${says}","auth0|2","X"\n`
      const outcomes = yield* settled(state("JobComplete", { numberRecordsProcessed: 1 }), ...results(success, failure))
      const outcome = of(outcomes, 2)
      assert.include(outcome?._tag === "Rejected" ? outcome.message : "", "003000000000009")
    }).pipe(services),
  )

  it.effect("salesforce trap 4: of a failed job are read as well, whatever its counts say", () =>
    Effect.gen(function* () {
      const outcomes = yield* settled(
        state("Failed", { numberRecordsProcessed: 3, numberRecordsFailed: 0, errorMessage: "TooManyLockFailure : x" }),
        ...results(success, undefined, "Auth0_Id__c,LastName\nauth0|2,Name 2\nauth0|3,Name 3\n"),
      )
      assert.deepStrictEqual(
        [1, 2, 3].map((n) => of(outcomes, n)?._tag),
        ["Delivered", "Deferred", "Deferred"],
      )
    }).pipe(services),
  )

  it.effect("salesforce trap 10: are told by key alone: order, spelling and other columns may change", () =>
    Effect.gen(function* () {
      const odd = `"LastName","sf__Created","Auth0_Id__c","sf__Id"\n"NAME 3","false","auth0|3","${ID(3)}"\n"3.0","TRUE","auth0|1","${ID(1)}"\n"?","true","auth0|99","${ID(9)}"\n`
      const outcomes = yield* settled(
        state("JobComplete"),
        ...results(odd, undefined, "LastName,Auth0_Id__c\nName 2,auth0|2\n"),
      )
      assert.deepStrictEqual(
        [1, 2, 3].map((n) => of(outcomes, n)?._tag),
        ["Delivered", "Deferred", "Delivered"],
      )
      assert.strictEqual(outcomes.length, 3)
    }).pipe(services),
  )

  it.effect("that name a row nowhere leave it to a write: nothing is called done that was not said", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(tags(yield* settled(state("JobComplete"), ...results(success))), [
        "Delivered",
        "Deferred",
        "Deferred",
      ])
    }).pipe(services),
  )

  it.effect("with NUL in them are read", () =>
    Effect.gen(function* () {
      const outcomes = yield* settled(state("JobComplete"), ...results(success.replace("Name 1", "Na\0me 1")))
      assert.strictEqual(of(outcomes, 1)?._tag, "Delivered")
    }).pipe(services),
  )

  it.effect(
    "locks, duplicates, conversions and missing parents are written by themselves, which says what is wrong",
    () =>
      Effect.gen(function* () {
        const failure = [
          '"sf__Id","sf__Error","Auth0_Id__c","LastName"',
          '"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--","auth0|1","x"',
          '"","DUPLICATES_DETECTED:Use one of these records?:--","auth0|2","x"',
          '"","INVALID_FIELD:Foreign key external ID: org_1 not found for field:Auth0_Org_Id__c --","auth0|3","x"',
        ].join("\n")
        assert.deepStrictEqual(
          tags(
            yield* settled(
              state("JobComplete"),
              ...results('"sf__Id","sf__Created","Auth0_Id__c","LastName"\n', failure),
            ),
          ),
          ["Deferred", "Deferred", "Deferred"],
        )
      }).pipe(services),
  )
})
