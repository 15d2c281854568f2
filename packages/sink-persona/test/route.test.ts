/** Before anything is written: what a route may ask for, which rows are refused, and the fields of an account type. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { account, found, open, persona, row, type Setup, services, when } from "./vendor.ts"

const refusalOf = Effect.fnUntraced(function* (given: ReturnType<typeof row>, setup: Setup = {}) {
  const writer = yield* open(setup)
  return writer.refuse?.(given)?.code
})

describe("rows that are refused", () => {
  it.effect("persona trap 14: an e-mail address is no reference id, unless the route insists", () =>
    Effect.gen(function* () {
      persona()
      const byEmail = row({ reference_id: "ada@example.com" }, { key: "ada@example.com" })
      assert.strictEqual(yield* refusalOf(byEmail), "email_as_reference")
      assert.isUndefined(yield* refusalOf(byEmail, { options: { allow_email_reference: true } }))
      assert.isUndefined(yield* refusalOf(row({})))
    }).pipe(services),
  )

  it.effect("values that Persona would refuse cost no call", () =>
    Effect.gen(function* () {
      persona()
      assert.strictEqual(yield* refusalOf(row({ country_code: "de" })), "bad_country")
      assert.strictEqual(yield* refusalOf(row({ tags: ["", "vip"] })), "bad_tags")
      assert.strictEqual(yield* refusalOf(row({ name_first: "\ud83d" })), "bad_text")
      assert.strictEqual(yield* refusalOf(row({}, { key: "" })), "bad_key")
      assert.isUndefined(yield* refusalOf(row({ country_code: null, email_address: "", tags: ["vip"] })))
    }).pipe(services),
  )
})

describe("a route", () => {
  const mistake = (setup: Setup) => Effect.map(Effect.flip(open(setup)), ({ reason }) => reason)

  it.effect("persona trap 3: maps columns that there are: unknown keys may be dropped in silence", () =>
    Effect.gen(function* () {
      persona()
      assert.deepInclude(yield* mistake({ fields: ["reference_id", "company"] }), { path: ["map", "company"] })
      assert.deepInclude(yield* mistake({ fields: ["reference_id", "fields.company"] }), {
        path: ["with", "account_type"],
      })
      assert.deepInclude(yield* mistake({ key: "email_address" }), { path: ["key"] })
      const cases = { object: "cases", options: { template: "ctmpl_1" } } as const
      assert.deepInclude(yield* mistake({ ...cases, fields: ["case_key", "reason"] }), { path: ["map", "reason"] })
      assert.deepInclude(yield* mistake({ ...cases, key: "account_reference_id" }), { path: ["key"] })
    }).pipe(services),
  )

  it.effect(
    "persona trap 21: fields of the account type are known with type, length, options and whether they are gone",
    () =>
      Effect.gen(function* () {
        const schema = (
          key: string,
          type: string,
          config: { [name: string]: string | number | boolean | ReadonlyArray<string> } = {},
        ) => ({
          key,
          type,
          config,
        })
        persona(
          when("GET /account-types/acttp_1", 200, {
            data: {
              attributes: {
                "field-schemas": [
                  schema("company", "string"),
                  schema("notes", "string", { "max-char-length": 1024, required: true }),
                  schema("plan", "choices", { options: ["free", "pro"] }),
                  schema("old", "string", { "archived-at": "2026-01-01T00:00:00Z", required: true }),
                  schema("passport", "file"),
                ],
              },
            },
          }),
        )
        const writer = yield* open({ fields: ["reference_id", "fields.company"], options: { account_type: "acttp_1" } })
        const fields = new Map((yield* writer.fields ?? Effect.succeed([])).map((field) => [field.name, field]))
        assert.deepStrictEqual(fields.get("fields.company"), {
          name: "fields.company",
          type: "text",
          writable: true,
          max: 255,
        })
        assert.deepInclude(fields.get("fields.notes"), { max: 1024, required: true })
        assert.deepInclude(fields.get("fields.plan"), { options: ["free", "pro"] })
        assert.deepInclude(fields.get("fields.old"), { writable: false })
        assert.isUndefined(fields.get("fields.old")?.required)
        assert.deepInclude(fields.get("fields.passport"), { writable: false })
      }).pipe(services),
  )

  it.effect("rule 6: a lookup reads, and shows who would be left alone", () =>
    Effect.gen(function* () {
      persona(
        found(
          account("act_1", { "reference-id": "a", "name-first": "Ada" }),
          account("act_2", { "reference-id": "b", "redacted-at": "2026-01-01T00:00:00Z" }),
        ),
      )
      const writer = yield* open()
      const held = yield* writer.lookup?.(["a", "b", "c"]) ?? Effect.succeed(new Map())
      assert.deepStrictEqual(held.get("a"), { remoteId: "act_1", fields: { reference_id: "a", name_first: "Ada" } })
      assert.include(held.get("b")?.held, "redacted")
      assert.strictEqual(held.size, 2)
    }).pipe(services),
  )
})
