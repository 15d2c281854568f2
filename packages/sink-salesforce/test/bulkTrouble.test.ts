/** Jobs of Bulk API 2.0 that do not go as they should: after a crash, an outage, a refusal. */
import { assert, describe, it } from "@effect/vitest"
import { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { AT, create, ID, JOB, lane, limits, refOf, results, rows, state, upload } from "./bulkJob.ts"
import { opening, salesforce, services, signIn, tags, unfinished, when } from "./vendor.ts"

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
