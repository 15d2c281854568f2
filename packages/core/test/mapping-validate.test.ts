/** Rows and mappings against the fields of a destination. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import fc from "fast-check"
import { compileMapping } from "../src/mapping/compile.ts"
import { checkMapping, validateRow } from "../src/mapping/validate.ts"
import type { Field } from "../src/plugin/sink.ts"

const field = (name: string, type: Field["type"], more: Partial<Field> = {}): Field => ({
  name,
  type,
  writable: true,
  ...more,
})

const fields: ReadonlyArray<Field> = [
  field("EXT_ID", "text", { key: true, required: true }),
  field("EMAIL", "text", { key: true }),
  field("COMPANY", "text", { max: 5 }),
  field("PLAN", "text", { options: ["free", "pro"] }),
  field("STATUS", "text", { options: ["Active", "On Hold"], loose: true }),
  field("TAGS", "list", { options: ["a", "b"] }),
  field("COUNT", "integer"),
  field("SCORE", "number"),
  field("ACTIVE", "boolean"),
  field("DAY", "date"),
  field("AT", "datetime"),
  field("ANY", "json"),
  field("MAIL", "text", { format: "email" }),
  field("REF", "text", { format: "a name of the sink's own" }),
  field("AMOUNT", "number", { digits: 3, nullable: false }),
  field("NONE", "number", { digits: 0 }),
  field("CREATED", "datetime", { writable: false }),
]

const codes = (row: { readonly [name: string]: Json }, key?: string) =>
  validateRow(fields, { EXT_ID: "1", ...row }, key).map((issue) => `${issue.field} ${issue.code}`)

describe("validateRow", () => {
  it.each<[string, Json]>([
    ["COMPANY", "12345"],
    ["COMPANY", "👩👩👩👩👩"],
    ["COMPANY", null],
    ["PLAN", "pro"],
    ["STATUS", "Active"],
    ["STATUS", "on hold"],
    ["STATUS", ""],
    ["TAGS", ["a", "b"]],
    ["TAGS", []],
    ["COUNT", 3],
    ["SCORE", 1.5],
    ["ACTIVE", false],
    ["DAY", "2024-02-29"],
    ["AT", "2024-02-29T12:00:00.000Z"],
    ["ANY", { a: [1] }],
    ["MAIL", "o'brien+x@mail.example.com"],
    ["MAIL", "Ada+x@sub.example.co.uk"],
    ["MAIL", "ada@exämple.com"],
    ["MAIL", "用户@例子.广告"],
    ["MAIL", "ada@example.photography"],
    ["MAIL", `${"a".repeat(70)}@example.com`],
    ["MAIL", '"Lovelace, Ada; \\"x\\""@example.com'],
    ["MAIL", ""],
    ["MAIL", null],
    ["REF", "anything"],
    ["AMOUNT", -999.999],
    ["NONE", 0.5],
  ])("%s takes %j", (name, value) => {
    assert.deepStrictEqual(codes({ [name]: value }), [])
  })

  it.each<[string, Json, string]>([
    ["COMPNY", "x", "unknown_field"],
    ["constructor", "x", "unknown_field"],
    ["CREATED", "2024-02-29T12:00:00.000Z", "read_only_field"],
    ["COMPANY", 5, "wrong_type"],
    ["COMPANY", ["x"], "wrong_type"],
    ["COMPANY", "123456", "too_long"],
    ["PLAN", "gold", "not_an_option"],
    ["PLAN", "Pro", "not_an_option"],
    ["PLAN", "", "not_an_option"],
    ["STATUS", "gone", "not_an_option"],
    ["TAGS", ["a", "z"], "not_an_option"],
    ["TAGS", "a", "wrong_type"],
    ["COUNT", 1.5, "wrong_type"],
    ["COUNT", 2 ** 53, "wrong_type"],
    ["SCORE", "1", "wrong_type"],
    ["ACTIVE", "true", "wrong_type"],
    ["DAY", "2023-02-29", "wrong_type"],
    ["DAY", "2024-02-29T12:00:00Z", "wrong_type"],
    ["MAIL", "nobody", "bad_email"],
    ["MAIL", "ada@", "bad_email"],
    ["MAIL", "@example.com", "bad_email"],
    ["MAIL", "a@b", "bad_email"],
    ["MAIL", "a b@example.com", "bad_email"],
    ["MAIL", "a@example.com,b@example.com", "bad_email"],
    ["MAIL", "a@example..com", "bad_email"],
    ["MAIL", '"Ada" <ada@example.com>', "bad_email"],
    ["AMOUNT", 1000, "out_of_range"],
    ["AMOUNT", -1000, "out_of_range"],
    ["AMOUNT", null, "not_clearable"],
    ["NONE", 1, "out_of_range"],
    ["AT", "2024-02-29", "wrong_type"],
    ["AT", "2024-02-29T12:00:00", "wrong_type"],
  ])("%s refuses %j: %s", (name, value, code) => {
    assert.deepStrictEqual(codes({ [name]: value }), [`${name} ${code}`])
  })

  it("a date is a day of the calendar from year 1 on", () => {
    const upTo = (max: number, length: number) =>
      fc.integer({ min: 0, max }).map((number) => String(number).padStart(length, "0"))
    const day = fc.tuple(upTo(9999, 4), upTo(13, 2), upTo(32, 2)).map((parts) => parts.join("-"))
    const exists = (text: string) => {
      const date = new Date(text)
      return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && !text.startsWith("0000")
    }
    fc.assert(
      fc.property(day, (text) => assert.strictEqual(codes({ DAY: text }).length === 0, exists(text), text)),
      { numRuns: 3_000, seed: 6, examples: [["1900-02-29"], ["2000-02-29"], ["0999-12-31"], ["0000-01-01"]] },
    )
  })

  it("required: absent and null are refused", () => {
    assert.deepStrictEqual(codes({ EXT_ID: null }), ["EXT_ID required_field"])
    assert.deepStrictEqual(
      validateRow(fields, {}).map(({ code }) => code),
      ["required_field"],
    )
  })

  it("the key may be there although it cannot be written", () => {
    assert.deepStrictEqual(codes({ CREATED: "2024-02-29T12:00:00Z" }, "CREATED"), [])
  })

  it("no message carries a value", () => {
    const messages = validateRow(fields, {
      EXT_ID: ["ada"],
      PLAN: "ada@example.com",
      COMPANY: "ada lovelace",
      COUNT: "ada",
    })
    assert.strictEqual(messages.length, 4)
    assert.notInclude(JSON.stringify(messages), "ada")
  })
})

describe("checkMapping", () => {
  const check = (key: string, ...names: ReadonlyArray<string>) => {
    const map = Object.fromEntries([key, ...names].map((name) => [name, "x"]))
    return checkMapping(fields, Result.getOrThrow(compileMapping({ key, map }))).map(
      ({ path, code, suggestion }) => `${path.join(".")} ${code}${suggestion === undefined ? "" : ` ${suggestion}`}`,
    )
  }

  it("a mapping that fits has no problem", () => {
    assert.deepStrictEqual(check("EXT_ID", "COMPANY", "TAGS"), [])
  })

  it("E08, E09: unknown, wrong case, read-only and missing fields, each with what was meant", () => {
    assert.deepStrictEqual(check("EMAIL", "COMPNY", "Plan", "zzzzzz", "CREATED"), [
      "map.COMPNY unknown_field COMPANY",
      "map.Plan wrong_case PLAN",
      "map.zzzzzz unknown_field",
      "map.CREATED read_only_field",
      "map required_field",
    ])
  })

  it("a key that rows cannot be matched by", () => {
    assert.deepStrictEqual(check("COMPANY", "EXT_ID"), ["key not_a_key EXT_ID"])
  })
})
