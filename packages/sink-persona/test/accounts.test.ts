/** Accounts: the calls a row takes, with their exact requests, and what each answer leads to. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { PersonaConfig } from "../src/index.ts"
import {
  account,
  connect,
  error,
  found,
  KEY,
  known,
  onMovingClock,
  open,
  persona,
  row,
  services,
  when,
  write,
} from "./vendor.ts"

const created = (id = "act_1") => when("POST /accounts", 201, { data: account(id, { "name-first": "Ada" }) })

const delivered = (effect: "created" | "updated" | "unchanged"): ReadonlyArray<Outcome> => [
  { _tag: "Delivered", id: "auth0|1", effect, remoteId: "act_1" },
]

const codes = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes.map((outcome) => (outcome._tag === "Rejected" ? outcome.code : outcome._tag))

describe("a new account", () => {
  it.effect("persona trap 2: is made by an upsert, so that who is there meanwhile is updated and not doubled", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(), created())
      assert.deepStrictEqual(yield* write([row({ name_first: "Ada", birthdate: null })]), delivered("created"))
      assert.deepStrictEqual(sent[2]?.body, {
        data: { attributes: { "reference-id": "auth0|1", "name-first": "Ada" } },
        meta: { "upsert-by": "reference-id" },
      })
    }).pipe(services),
  )

  it.effect("persona trap 2: somebody who was there after all counts as updated", () =>
    Effect.gen(function* () {
      persona(known, found(), when("POST /accounts", 200, { data: account("act_1", { "name-first": "Ada" }) }))
      assert.deepStrictEqual(yield* write([row({ name_first: "Ada" })]), delivered("updated"))
    }).pipe(services),
  )

  it.effect("what upsert-by is called is found out once a run, and without it the account is made or found", () =>
    Effect.gen(function* () {
      const no = when("POST /accounts", 400, error("Bad Request", "meta.upsert-by is not a unique field"))
      const sent = persona(known, found(), no, no, created(), created("act_2"))
      const writer = yield* open()
      const batch = (id: string) => ({ id, attempt: 1, rows: [row({ name_first: "Ada" }, { id, key: id })] })
      yield* writer.write(batch("a"))
      persona(found(), created("act_2"))
      yield* writer.write(batch("b"))
      const names = sent.filter(({ call }) => call === "POST /accounts").map(({ body }) => JSON.stringify(body))
      assert.deepStrictEqual(
        names.map((body) => /"upsert-by":"([^"]+)"/.exec(body)?.[1]),
        ["reference-id", "reference_id", undefined],
      )
      const keys = sent.flatMap(({ headers }) => headers["idempotency-key"] ?? [])
      assert.strictEqual(new Set(keys).size, 3)
    }).pipe(services),
  )

  it.effect("persona trap 6: one that turns out to be there is looked up and updated", () =>
    Effect.gen(function* () {
      const taken = when("POST /accounts", 409, error("Record not unique", "already exists"))
      const updated = when("PATCH /accounts/act_1", 200, { data: account("act_1", { "name-first": "Ada" }) })
      persona(known, found(), taken, found(account("act_1")), updated)
      assert.deepStrictEqual(yield* write([row({ name_first: "Ada" })]), delivered("updated"))
    }).pipe(services),
  )

  it.effect("persona trap 13: a reference id that only an archived account has is refused, not tried for ever", () =>
    Effect.gen(function* () {
      persona(known, found(), when("POST /accounts", 409, error("Record not unique")), found())
      assert.deepStrictEqual(codes(yield* write([row({ name_first: "Ada" })])), ["archived"])
    }).pipe(services),
  )

  it.effect("persona trap 15: counts when Persona has answered with it, never when a file was taken", () =>
    Effect.gen(function* () {
      const queued = when("POST /accounts", 201, { data: { queued: true } })
      persona(known, found(), queued, queued, queued, queued, queued)
      const failed = yield* Effect.flip(onMovingClock(write([row({ name_first: "Ada" })])))
      assert.strictEqual(failed.reason._tag, "Protocol")
    }).pipe(services),
  )
})

describe("an account that is there", () => {
  const schemas = when("GET /account-types/acttp_1", 200, {
    data: {
      attributes: {
        "field-schemas": [
          { key: "companyName", type: "string", config: {} },
          { key: "interests", type: "multi-choices", config: { options: ["a", "b"] } },
          { key: "seen_at", type: "datetime", config: null },
          { key: "address", type: "hash", config: {} },
        ],
      },
    },
  })
  const options = { account_type: "acttp_1" }

  it.effect("persona trap 9: gets only what differs, and the names of its own fields are never re-cased", () =>
    Effect.gen(function* () {
      const held = account("act_1", {
        "name-first": "Ada",
        fields: { companyName: { type: "string", value: "Old" } },
      })
      const after = account("act_1", { "name-first": "Ada", fields: { companyName: { type: "string", value: "New" } } })
      const sent = persona(known, found(held), schemas, when("PATCH /accounts/act_1", 200, { data: after }))
      const fields = { name_first: "Ada", "fields.companyName": "New" }
      assert.deepStrictEqual(yield* write([row(fields)], { options }), delivered("updated"))
      assert.deepStrictEqual(sent[3]?.body, { data: { attributes: { fields: { companyName: "New" } } } })
    }).pipe(services),
  )

  it.effect(
    "persona trap 10 and 19: values are compared without the types around them, so an equal account is not written",
    () =>
      Effect.gen(function* () {
        const typed = (type: string, value: string) => ({ type, value })
        const held = account("act_1", {
          "email-address": "Ada@Example.com",
          fields: {
            companyName: typed("string", "Example Ltd"),
            interests: { type: "multi_choices", value: [typed("string", "b"), typed("string", "a")] },
            seen_at: typed("datetime", "2026-01-02T03:04:05.000Z"),
            address: { type: "hash", value: { city: typed("string", "Exampleton") } },
          },
        })
        persona(known, found(held), schemas)
        const fields = {
          email_address: "ada@example.com",
          name_last: null,
          "fields.companyName": "Example Ltd",
          "fields.interests": ["a", "b"],
          "fields.seen_at": "2026-01-02T03:04:05Z",
          "fields.address": { city: "Exampleton" },
        }
        assert.deepStrictEqual(yield* write([row(fields)], { options }), delivered("unchanged"))
      }).pipe(services),
  )

  it.effect("null is sent as null, or as the route says; what does not land is reported", () =>
    Effect.gen(function* () {
      const held = account("act_1", { "name-first": "Ada" })
      const kept = when("PATCH /accounts/act_1", 200, { data: held })
      const sent = persona(known, found(held), kept)
      const [outcome] = yield* write([row({ name_first: null })])
      assert.deepStrictEqual(sent[2]?.body, { data: { attributes: { "name-first": null } } })
      assert.deepInclude(outcome, {
        dropped: [
          {
            field: "name_first",
            code: "not_stored",
            message: "Persona holds something else in name_first than was written",
          },
        ],
      })
      const empty = persona(known, found(held), when("PATCH /accounts/act_1", 200, { data: account("act_1") }))
      assert.deepStrictEqual(
        yield* write([row({ name_first: null })], { options: { clear: "empty" } }),
        delivered("updated"),
      )
      assert.deepStrictEqual(empty[2]?.body, { data: { attributes: { "name-first": "" } } })
    }).pipe(services),
  )

  it.effect("persona trap 11: one whose data was redacted is left alone and reported", () =>
    Effect.gen(function* () {
      persona(known, found(account("act_1", { "redacted-at": "2026-01-01T00:00:00.000Z" })))
      assert.deepStrictEqual(codes(yield* write([row({ name_first: "Ada" }, { remoteId: "act_1" })])), ["redacted"])
    }).pipe(services),
  )

  it.effect("persona trap 11: one that turns out to be redacted by the answer to the write is reported as such", () =>
    Effect.gen(function* () {
      const redacted = account("act_1", { "name-first": "Ada", "redacted-at": "2026-01-01T00:00:00.000Z" })
      persona(known, when("PATCH /accounts/act_1", 200, { data: redacted }))
      const unseen = row({ name_first: "Ada" }, { remoteId: "act_1" })
      const [outcome] = yield* write([unseen], { options: { look: "new" } })
      assert.deepInclude(outcome, { _tag: "Rejected", code: "redacted" })
      assert.include(outcome?._tag === "Rejected" ? outcome.message : "", "redact it again")
    }).pipe(services),
  )

  it.effect("what Persona writes in its own way, or does not tell, is not reported as lost", () =>
    Effect.gen(function* () {
      const after = account("act_1", { "phone-number": "+33612345678" })
      persona(known, found(account("act_1")), when("PATCH /accounts/act_1", 200, { data: after }))
      const told = row({ phone_number: "+33 6 12-34-56-78", name_first: "Ada" })
      assert.deepStrictEqual(yield* write([told]), delivered("updated"))
    }).pipe(services),
  )

  it.effect("persona trap 13: one that is archived is not made again", () =>
    Effect.gen(function* () {
      persona(known, found(), when("GET /accounts/act_1", 404, error("Record not found")))
      assert.deepStrictEqual(codes(yield* write([row({ name_first: "Ada" }, { remoteId: "act_1" })])), ["archived"])
    }).pipe(services),
  )

  it.effect("a record whose reference id changes keeps its account", () =>
    Effect.gen(function* () {
      const after = account("act_1", { "reference-id": "auth0|2", "name-first": "Ada" })
      const sent = persona(
        known,
        found(),
        when("GET /accounts/act_1", 200, { data: account("act_1", { "name-first": "Ada" }) }),
        when("PATCH /accounts/act_1", 200, { data: after }),
      )
      const renamed = row({ reference_id: "auth0|2", name_first: "Ada" }, { key: "auth0|2", remoteId: "act_1" })
      assert.deepStrictEqual(yield* write([renamed]), delivered("updated"))
      assert.deepStrictEqual(sent[3]?.body, { data: { attributes: { "reference-id": "auth0|2" } } })
    }).pipe(services),
  )

  it.effect("look: new writes what the ledger knows without a look, and looks where that account is gone", () =>
    Effect.gen(function* () {
      const after = account("act_2", { "name-first": "Ada" })
      persona(
        known,
        when("PATCH /accounts/act_1", 404, error("Record not found")),
        found(account("act_2")),
        when("PATCH /accounts/act_2", 200, { data: after }),
      )
      const [outcome] = yield* write([row({ name_first: "Ada" }, { remoteId: "act_1" })], { options: { look: "new" } })
      assert.deepInclude(outcome, { effect: "updated", remoteId: "act_2" })
    }).pipe(services),
  )

  it.effect("accounts of two types with one reference id are told apart, or the row is refused with both", () =>
    Effect.gen(function* () {
      const two = [account("act_1"), account("act_2", {}, "acttp_2")]
      persona(known, found(...two))
      const [outcome] = yield* write([row({ name_first: "Ada" })])
      assert.include(outcome?._tag === "Rejected" ? outcome.message : "", "act_1, act_2")
      persona(
        known,
        found(...two),
        schemas,
        when("PATCH /accounts/act_1", 200, { data: account("act_1", { "name-first": "Ada" }) }),
      )
      assert.deepStrictEqual(yield* write([row({ name_first: "Ada" })], { options }), delivered("updated"))
    }).pipe(services),
  )
})

describe("deletion", () => {
  const gone = row({}, { change: "delete", remoteId: "act_1" })

  it.effect("persona trap 12: redacts, and only where the route is for that; done already is done", () =>
    Effect.gen(function* () {
      const redact = (status: number, body: Parameters<typeof when>[2]) =>
        Effect.gen(function* () {
          persona(known, when("DELETE /accounts/act_1", status, body))
          return yield* write([gone], { on_delete: "redact" })
        })
      const deleted: ReadonlyArray<Outcome> = [{ _tag: "Delivered", id: "auth0|1", effect: "deleted" }]
      assert.deepStrictEqual(yield* redact(200, { data: account("act_1") }), deleted)
      assert.deepStrictEqual(yield* redact(404, error("Record not found")), deleted)
      assert.deepStrictEqual(yield* redact(409, error("Conflict", "already redacted")), deleted)
    }).pipe(services),
  )
})

describe("requests", () => {
  it.effect("persona trap 8: pin version and casing, whatever the key's dashboard says", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(), created())
      yield* write([row({ name_first: "Ada" })])
      assert.lengthOf(sent, 3)
      for (const { headers } of sent) {
        assert.strictEqual(headers["persona-version"], "2025-12-08")
        assert.strictEqual(headers["key-inflection"], "kebab")
        assert.strictEqual(headers.authorization, "Bearer persona_sandbox_test")
      }
    }).pipe(services),
  )

  it.effect("persona trap 17: ask for no more of a person than the mapping knows", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(), created())
      yield* write([row({ name_first: "Ada" })])
      const wanted = "reference-id,redacted-at,tags,name-first"
      assert.deepStrictEqual(
        sent.slice(1).map(({ query }) => query["fields[account]"]),
        [wanted, wanted],
      )
    }).pipe(services),
  )

  it.effect(
    "persona trap 7 and 20: look accounts up by the list, a hundred a call with the page size said, not by the search",
    () =>
      Effect.gen(function* () {
        const accounts = Array.from({ length: 100 }, (_, n) =>
          account(`act_${n}`, { "reference-id": `u${n}`, "name-first": "Ada" }),
        )
        const more = when("GET /accounts", 200, {
          data: accounts,
          links: { next: "/api/v1/accounts?page[after]=act_99" },
        })
        const sent = persona(known, more, found())
        const rows = accounts.map((_, n) => row({ name_first: "Ada" }, { id: `u${n}`, key: `u${n}` }))
        const outcomes = yield* write(rows)
        assert.strictEqual(
          outcomes.filter((each) => each._tag === "Delivered" && each.effect === "unchanged").length,
          100,
        )
        assert.strictEqual(sent[1]?.query["page[size]"], "100")
        assert.strictEqual(sent[1]?.query["filter[reference-id]"]?.split(",").length, 100)
        assert.strictEqual(sent[2]?.query["page[after]"], "act_99")
      }).pipe(services),
  )

  it.effect("an id with a comma is in no list; writing it finds its account", () =>
    Effect.gen(function* () {
      const there = account("act_1", { "reference-id": "a,b", "name-first": "Ada" })
      persona(known, when("POST /accounts", 200, { data: there }))
      const odd = row({ reference_id: "a,b", name_first: "Ada" }, { key: "a,b" })
      assert.deepStrictEqual(yield* write([odd]), delivered("updated"))
    }).pipe(services),
  )
})

describe("the environment", () => {
  it.effect("persona trap 16: is asserted before the first write", () =>
    Effect.gen(function* () {
      persona(known)
      const wrong = yield* Effect.flip(write([row({ name_first: "Ada" })], { config: { environment_id: "env_2" } }))
      assert.strictEqual(wrong.reason._tag, "Misconfigured")
      assert.include(wrong.message, "env_1")
      const key = Schema.decodeUnknownResult(PersonaConfig)({ api_key: KEY, environment: "production" })
      assert.isTrue(Result.isFailure(key) && key.failure.message.includes("is a key of the sandbox environment"))
    }).pipe(services),
  )

  it.effect("persona trap 16: one that changes between two calls ends the run", () =>
    Effect.gen(function* () {
      const elsewhere = when("GET /accounts", 200, { data: [] }, { "persona-environment-id": "env_9" })
      persona(known, elsewhere)
      const wrong = yield* Effect.flip(write([row({ name_first: "Ada" })]))
      assert.strictEqual(wrong.reason._tag, "Misconfigured")
    }).pipe(services),
  )

  it.effect("is the account of the state; an answer that does not say it is an error", () =>
    Effect.gen(function* () {
      persona(known)
      const { identify } = yield* connect({ environment: "sandbox" })
      assert.deepStrictEqual(yield* identify, { account: "env_1", label: "sandbox org_1" })
      persona(when("GET /rate-limits", 200, { data: [] }, { "persona-environment-id": "" }))
      const nameless = yield* connect()
      assert.strictEqual((yield* Effect.flip(nameless.identify)).reason._tag, "Protocol")
    }).pipe(services),
  )
})
