/** What Brevo says of an import, request by request: its process, its reports, the contacts as they are now. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome, Row } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Json, JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import nock from "nock"
import { stored, user } from "./importing.ts"
import { attributes, brevo, contact, onMovingClock, open, type Setup, services, unfinished, when } from "./vendor.ts"

const page = (...contacts: ReadonlyArray<JsonObject>) =>
  when("GET /contacts?limit=1000&offset=0&sort=asc", 200, { contacts, count: contacts.length })

const process = (info: Json) => when("GET /processes/5", 200, { id: 5, name: "IMPORTUSER", status: "completed", info })

const REF = JSON.stringify({ modifiedSince: 0, newest: 100, processes: [5], unseen: false })

const settle = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>, setup: Setup = {}, ref = REF) {
  const writer = yield* open({ fields: ["ext_id", "email", "FIRSTNAME"], options: { lists: [20] }, ...setup })
  if (writer.jobs === undefined) return yield* Effect.die(new Error("the writer has no jobs"))
  const chunks = yield* onMovingClock(Stream.runCollect(writer.jobs.settle(ref, stored(rows))))
  return chunks.flat()
})

const held = (n: number, id: number, given: JsonObject = {}) =>
  contact(id, {
    email: `user${n}@example.com`,
    listIds: [20],
    attributes: { EXT_ID: `auth0|${n}`, FIRSTNAME: `Name ${n}` },
    ...given,
  })

const named = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes.map((each) => {
    if (each._tag === "Delivered") return each.effect
    return each._tag === "Rejected" ? each.code : each._tag
  })

/** A file at one of Brevo's own hosts, asked without credentials. */
const file = (path: string, text = "EMAIL\nuser1@example.com\n", host = "https://files.brevo.com") =>
  nock(host, { badheaders: ["api-key", "authorization"] })
    .get(path)
    .reply(200, text, { "content-type": "text/csv" })

/** Not nock: what it intercepts cannot be cut off in the middle without an error that nobody catches. */
const trickling = (others: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.make((request) => {
    if (!request.url.endsWith("/slow")) return others.execute(request)
    const drip = async (body: ReadableStreamDefaultController<Uint8Array>) => {
      await new Promise((resolve) => setImmediate(resolve))
      body.enqueue(new TextEncoder().encode("x"))
    }
    return Effect.succeed(HttpClientResponse.fromWeb(request, new Response(new ReadableStream({ pull: drip }))))
  })

describe("settling an import", () => {
  it.effect("reads back what changed: ids above the last one before are new, the others were updated", () =>
    Effect.gen(function* () {
      brevo(process(null), attributes, page(held(1, 7), held(2, 101), held(3, 102, { listIds: [] })))
      const outcomes = yield* settle([1, 2, 3, 4].map((n) => user(n)))
      assert.deepStrictEqual(named(outcomes), ["updated", "created", "Deferred", "Deferred"])
      assert.deepInclude(outcomes[1], { remoteId: "101" })
    }).pipe(services),
  )

  it.effect(
    "brevo trap 14: a row in the report of bad e-mails is refused; one in another report is written by itself",
    () =>
      Effect.gen(function* () {
        const url = "https://files.brevo.com"
        brevo(
          process({
            import: {
              invalid_emails: `${url}/a.csv?sig=1`,
              duplicate_contact_id: null,
              duplicate_ext_id: `${url}/b.csv`,
              duplicate_email_id: "",
            },
          }),
          attributes,
          page(held(4, 104)),
        )
        file("/a.csv?sig=1", 'EMAIL;FIRSTNAME;EXT_ID\n"USER1@example.com";"a;b\nc";auth0|1\n')
        file("/b.csv", "FIRSTNAME,EXT_ID\r\nAda,auth0|2\r\n")
        const outcomes = yield* settle([1, 2, 3, 4].map((n) => user(n)))
        assert.deepStrictEqual(named(outcomes), ["invalid_email", "Deferred", "Deferred", "created"])
        assert.include(JSON.stringify(outcomes[1]), "duplicate_ext_id")
        assert.notInclude(
          JSON.stringify(outcomes.map((each) => ("message" in each ? each.message : ""))),
          "example.com",
        )
      }).pipe(services),
  )

  it.effect("what a report says of a contact that is there as sent does not count", () =>
    Effect.gen(function* () {
      brevo(process({ import: { invalid_emails: "https://files.brevo.com/a.csv" } }), attributes, page(held(1, 101)))
      file("/a.csv", "user1@example.com\n")
      assert.deepStrictEqual(named(yield* settle([user(1)])), ["created"])
    }).pipe(services),
  )

  const unread: ReadonlyArray<readonly [what: string, url: string, answer: () => void]> = [
    [
      "at a host that is not Brevo's",
      "https://evil.example.com/a.csv",
      () => file("/a.csv", undefined, "https://evil.example.com"),
    ],
    [
      "at a host that only looks like Brevo's",
      "https://brevo.com.example.com/a.csv",
      () => file("/a.csv", undefined, "https://brevo.com.example.com"),
    ],
    ["at another that does", "https://evilbrevo.com/a.csv", () => file("/a.csv", undefined, "https://evilbrevo.com")],
    ["without https", "http://files.brevo.com/a.csv", () => file("/a.csv", undefined, "http://files.brevo.com")],
    [
      "that is gone",
      "https://files.brevo.com/a.csv",
      () => nock("https://files.brevo.com").get("/a.csv").reply(403, "expired"),
    ],
    [
      "that redirects",
      "https://files.brevo.com/a.csv",
      () => nock("https://files.brevo.com").get("/a.csv").reply(302, "", { location: "https://evil.example.com/" }),
    ],
    ["that is no CSV", "https://files.brevo.com/a.csv", () => file("/a.csv", 'EMAIL\n"user1@example.com')],
    [
      "that breaks off",
      "https://files.brevo.com/a.csv",
      () => nock("https://files.brevo.com").get("/a.csv").replyWithError("reset"),
    ],
  ]
  for (const [what, url, answer] of unread) {
    it.effect(`D06: a report ${what} is passed over: its rows are written by themselves`, () =>
      Effect.gen(function* () {
        brevo(process({ import: { invalid_emails: url } }), attributes, page())
        answer()
        assert.deepStrictEqual(named(yield* settle([user(1)])), ["Deferred"])
      }).pipe(unfinished),
    )
  }

  it.effect("C07: a report that trickles without an end is given up, and its rows are written by themselves", () =>
    Effect.gen(function* () {
      brevo(process({ import: { invalid_emails: "https://files.brevo.com/slow" } }), attributes, page())
      assert.deepStrictEqual(named(yield* settle([user(1)])), ["Deferred"])
    }).pipe(Effect.updateService(HttpClient.HttpClient, trickling), services),
  )

  it.effect("brevo trap 17: a lost import that the list of processes shows late is waited for", () =>
    Effect.gen(function* () {
      const list = (...statuses: ReadonlyArray<string>) =>
        when("GET /processes?limit=50&sort=desc", 200, {
          processes: statuses.map((status) => ({ id: 5, name: "IMPORTUSER", status })),
        })
      const shown = [list(), list("queued"), list("in_process"), list("in_process"), list("in_process")]
      brevo(...shown, list("completed"), attributes, page(held(1, 101)))
      const lost = JSON.stringify({ modifiedSince: 0, newest: 100, processes: [], unseen: true })
      assert.deepStrictEqual(named(yield* settle([user(1)], {}, lost)), ["created"])
    }).pipe(services),
  )

  it.effect("a process with a status that is not described is waited for", () =>
    Effect.gen(function* () {
      const odd = when("GET /processes/5", 200, { id: 5, status: "some_new_word" })
      brevo(odd, odd, process(null), attributes, page(held(1, 101)))
      assert.deepStrictEqual(named(yield* settle([user(1)])), ["created"])
    }).pipe(services),
  )

  it.effect("rows that are no longer fit for the route are left to the write, which says why", () =>
    Effect.gen(function* () {
      brevo(process(null), attributes, page(held(1, 101)))
      assert.deepStrictEqual(named(yield* settle([user(1, { GONE: "x" })])), ["Deferred"])
    }).pipe(services),
  )
})
