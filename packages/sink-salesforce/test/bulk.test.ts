/** Bulk API 2.0: exact requests and files, and what every way for a job to end leads to. */
import { assert, describe, it } from "@effect/vitest"
import { type Outcome, type Row, SinkError, type StoredBatch } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  describes,
  onMovingClock,
  open,
  opening,
  row,
  type Script,
  type Setup,
  salesforce,
  services,
  signIn,
  unfinished,
  when,
} from "./vendor.ts"

const JOB = "750000000000001AAA"
const AT = `/jobs/ingest/${JOB}`
const ID = (n: number) => `003${String(n).padStart(12, "0")}AAA`

const limits = when("GET /limits", 200, {
  DailyApiRequests: { Max: 15000, Remaining: 14000 },
  DailyBulkApiBatches: { Max: 15000, Remaining: 15000 },
})
const create = when("POST /jobs/ingest", 200, {
  id: JOB,
  state: "Open",
  contentUrl: `services/data/v67.0${AT}/batches`,
})
const upload = when(`PUT ${AT}/batches`, 201)
const close = when(`PATCH ${AT}`, 200, { id: JOB, state: "UploadComplete" })
const state = (name: string, given: JsonObject = {}) => when(`GET ${AT}`, 200, { id: JOB, state: name, ...given })
const csv = (name: string, text: string): Script =>
  when(`GET ${AT}/${name}`, 200, text, { headers: { "content-type": "text/csv" } })

const results = (
  success: string,
  failure = '"sf__Id","sf__Error","Auth0_Id__c","LastName"\n',
  rest = "Auth0_Id__c,LastName\n",
): ReadonlyArray<Script> => [
  csv("successfulResults", success),
  csv("failedResults", failure),
  csv("unprocessedrecords", rest),
]

const stored = (rows: ReadonlyArray<Row>): StoredBatch => ({
  id: "batch-1",
  count: rows.length,
  bytes: 1,
  rows: Stream.fromIterable(Arr.chunksOf(rows, 2)),
})

/** A route's job lane; `job` is both halves of one, as in a run without a crash. */
const lane = Effect.fnUntraced(function* (setup: Setup = {}) {
  const { jobs } = yield* open({
    fields: ["Auth0_Id__c", "LastName"],
    ...setup,
    options: { path: "bulk", ...setup.options },
  })
  if (jobs === undefined) return yield* Effect.die(new Error("the writer has no jobs"))
  const submit = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const refs: Array<string> = []
    yield* onMovingClock(jobs.submit(stored(rows), (ref) => Effect.sync(() => void refs.push(ref))))
    return refs
  })
  const settle = (ref: string, rows: ReadonlyArray<Row>) =>
    onMovingClock(Stream.runCollect(jobs.settle(ref, stored(rows)))).pipe(Effect.map((chunks) => chunks.flat()))
  const job = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    return yield* settle((yield* submit(rows)).at(-1) ?? "", rows)
  })
  return { submit, settle, job, limits: jobs.limits }
})

const refOf = (...jobs: ReadonlyArray<string>) => JSON.stringify({ jobs: jobs.map((id) => ({ id, rows: 2 })) })
const of = (outcomes: ReadonlyArray<Outcome>, n: number) => outcomes.find(({ id }) => id === `auth0|${n}`)
const tags = (outcomes: ReadonlyArray<Outcome>) => outcomes.map(({ _tag }) => _tag)
const rows = [row(1), row(2)]

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

describe("a job that does not go as it should", () => {
  const failing = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
    Effect.flip(effect).pipe(Effect.map((error) => (error instanceof SinkError ? error.reason : undefined)))

  it.effect("salesforce trap 12: is looked for after a crash, not sent again", () =>
    Effect.gen(function* () {
      const success = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(1)}","true","auth0|1","a"\n"${ID(2)}","true","auth0|2","b"\n`
      const sent = salesforce(...opening("Contact"), state("UploadComplete"), state("JobComplete"), ...results(success))
      assert.deepStrictEqual(tags(yield* (yield* lane()).settle(refOf(JOB), rows)), ["Delivered", "Delivered"])
      assert.isFalse(sent.some(({ call }) => call.startsWith("POST /services/data")))
    }).pipe(services),
  )

  it.effect("salesforce trap 12: that a crash left open took no row: it is ended, and submitted anew", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Contact"),
        state("Open"),
        when(`PATCH ${AT}`, 200, { id: JOB, state: "Aborted" }),
        state("Aborted", { numberRecordsProcessed: 0 }),
      )
      assert.strictEqual((yield* failing((yield* lane()).settle(refOf(JOB), rows)))?._tag, "JobLost")
      assert.deepStrictEqual(sent.at(-2)?.body, { state: "Aborted" })
    }).pipe(services),
  )

  it.effect("salesforce trap 12: whose closing arrives after all is followed: its rows are not sent beside it", () =>
    Effect.gen(function* () {
      const success = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(1)}","true","auth0|1","a"\n"${ID(2)}","true","auth0|2","b"\n`
      salesforce(
        ...opening("Contact"),
        state("Open"),
        when(`PATCH ${AT}`, 400, [{ errorCode: "INVALIDJOBSTATE", message: "" }]),
        state("InProgress"),
        state("InProgress"),
        state("JobComplete", { numberRecordsProcessed: 2 }),
        ...results(success),
      )
      assert.deepStrictEqual(tags(yield* (yield* lane()).settle(refOf(JOB), rows)), ["Delivered", "Delivered"])
    }).pipe(services),
  )

  it.effect("is lost where Salesforce does not know it, and only there", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), when(`GET ${AT}`, 404, [{ errorCode: "NOT_FOUND", message: "" }]))
      assert.strictEqual((yield* failing((yield* lane()).settle(refOf(JOB), rows)))?._tag, "JobLost")
      salesforce(...opening("Contact"), when(`GET ${AT}`, 400, [{ errorCode: "InvalidJob", message: "" }]))
      assert.strictEqual((yield* failing((yield* lane()).settle(refOf(JOB), rows)))?._tag, "Misconfigured")
    }).pipe(services),
  )

  it.effect("salesforce trap 11: that takes long is neither ended nor forgotten: the next run waits on", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), ...Array.from({ length: 30 }, () => state("InProgress")))
      const { settle } = yield* lane({ options: { bulk_wait_minutes: 10 } })
      const reason = yield* failing(settle(refOf(JOB), rows))
      assert.deepInclude(reason, { _tag: "Unavailable", inDoubt: true })
      const calls = sent.slice(3).map(({ call }) => call.split(" ")[0])
      assert.deepStrictEqual([...new Set(calls)], ["GET"])
      assert.isAtMost(calls.length, 20)
    }).pipe(unfinished),
  )

  for (const [what, code] of [
    ["a column that does not exist", "InvalidBatch"],
    ["an allowance that is used up", "ExceededQuota"],
  ] as const) {
    it.effect(
      `for ${what} leaves its rows to a write, or each run would stop for it again: without the row's data`,
      () =>
        Effect.gen(function* () {
          const said: Array<unknown> = []
          const logger = Logger.make(({ message }) => void said.push(message))
          const errorMessage = `${code} : Field name not found : LastName in ada@example.com`
          salesforce(...opening("Contact"), state("Failed", { numberRecordsProcessed: 0, errorMessage }))
          const outcomes = yield* (yield* lane())
            .settle(refOf(JOB), rows)
            .pipe(Effect.provide(Logger.layer([logger]), { local: true }))
          assert.deepStrictEqual(tags(outcomes), ["Deferred", "Deferred"])
          assert.include(JSON.stringify(said), `(${code}): LastName`)
          assert.notInclude(JSON.stringify(said), "ada@")
        }).pipe(services),
    )
  }

  it.effect("for which the day has no batches left is none: rows go by Collections", () =>
    Effect.gen(function* () {
      const few = when("GET /limits", 200, {
        DailyApiRequests: { Max: 15000, Remaining: 14000 },
        DailyBulkApiBatches: { Max: 15000, Remaining: 3000 },
      })
      salesforce(...opening("Contact"), few)
      assert.deepStrictEqual(tags(yield* (yield* lane()).job(rows)), ["Deferred", "Deferred"])
    }).pipe(services),
  )

  it.effect("whose closing was not answered is asked for its state", () =>
    Effect.gen(function* () {
      const twice = [{ errorCode: "INVALIDJOBSTATE", message: "Closing already closed job not allowed" }]
      salesforce(
        ...opening("Contact"),
        limits,
        create,
        upload,
        when(`PATCH ${AT}`, 504, "<html>"),
        when(`PATCH ${AT}`, 400, twice),
        state("UploadComplete"),
      )
      yield* (yield* lane()).submit(rows)
    }).pipe(services),
  )

  it.effect("whose file was not answered is not filled twice", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), limits, create, when(`PUT ${AT}/batches`, 504, "<html>"))
      const reason = yield* failing((yield* lane()).submit(rows))
      assert.strictEqual(reason?._tag, "Unavailable")
    }).pipe(services),
  )

  const named = `"sf__Id","sf__Created","Auth0_Id__c","LastName"\n"${ID(1)}","true","auth0|1","a"\n"${ID(2)}","true","auth0|2","b"\n`
  const usedUp = [{ errorCode: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded." }]

  it.effect("a session that ends while results are read is renewed, once", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Contact"),
        state("JobComplete"),
        when(`GET ${AT}/successfulResults`, 401, [{ errorCode: "INVALID_SESSION_ID" }]),
        signIn({ access_token: "another" }),
        ...results(named),
      )
      assert.deepStrictEqual(tags(yield* (yield* lane()).settle(refOf(JOB), rows)), ["Delivered", "Delivered"])
      assert.strictEqual(sent.at(-1)?.headers.authorization, "Bearer another")
    }).pipe(services),
  )

  it.effect("a new session that is not accepted for a result file either is no outage", () =>
    Effect.gen(function* () {
      const ended = () => when(`GET ${AT}/successfulResults`, 401, [{ errorCode: "INVALID_SESSION_ID" }])
      salesforce(...opening("Contact"), state("JobComplete"), ended(), signIn({ access_token: "another" }), ended())
      assert.strictEqual((yield* failing((yield* lane()).settle(refOf(JOB), rows)))?._tag, "Unauthorized")
    }).pipe(services),
  )

  it.effect(
    "result files are calls of the day: the reserve is left to others, and is waited for where the file says so",
    () =>
      Effect.gen(function* () {
        const nearly = { headers: { "Sforce-Limit-Info": "api-usage=800/1000" } }
        const sent = salesforce(...opening("Contact"), { ...state("JobComplete"), ...nearly })
        assert.strictEqual((yield* failing((yield* lane()).settle(refOf(JOB), rows)))?._tag, "QuotaExhausted")
        assert.strictEqual(sent.length, 4)

        salesforce(
          ...opening("Contact"),
          state("JobComplete"),
          when(`GET ${AT}/successfulResults`, 403, usedUp),
          when("GET /limits", 200, { DailyApiRequests: { Max: 1000, Remaining: 900 } }),
          ...results(named),
        )
        const waiting = yield* lane({ config: { on_quota: "wait" } })
        assert.deepStrictEqual(tags(yield* waiting.settle(refOf(JOB), rows)), ["Delivered", "Delivered"])
      }).pipe(services),
  )

  for (const [code, text, tag, said] of [
    ["REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", "QuotaExhausted", "the day's calls are used up"],
    ["REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.", "Unavailable", "too many calls run at once"],
    ["API_DISABLED_FOR_ORG", "The REST API is not enabled.", "Forbidden", "has no API"],
    ["NOT_FOUND", "The requested resource does not exist", "Unavailable", "is not there"],
  ] as const) {
    it.effect(`a result file that is refused says why: ${code}, ${tag}`, () =>
      Effect.gen(function* () {
        const status = code === "NOT_FOUND" ? 404 : 403
        const refused = [{ errorCode: code, message: text }]
        salesforce(...opening("Contact"), state("JobComplete"), when(`GET ${AT}/successfulResults`, status, refused))
        const reason = yield* failing((yield* lane()).settle(refOf(JOB), rows))
        assert.strictEqual(reason?._tag, tag)
        assert.include(reason?.message, said)
      }).pipe(services),
    )
  }
})
