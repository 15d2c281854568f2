/** The types of `as`, defaults, required, literals. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import fc from "fast-check"
import { compileMapping } from "../src/mapping/compile.ts"
import type { As, LongEntry } from "../src/mapping/entry.ts"

const absent = "(absent)"

/** The value of a field mapped from `v` of one record, `(absent)`, or the codes of its issues. */
function mapped(
  entry: LongEntry,
  data: { readonly [key: string]: Json },
): Json | { readonly codes: ReadonlyArray<string> } {
  const mapping = Result.getOrThrow(compileMapping({ key: "id", map: { id: "id", F: entry } }))
  const [answer] = Effect.runSync(mapping.map([{ key: "k", change: "upsert", data: { id: "1", ...data } }], 0))
  if (answer?._tag === "Row") return Object.hasOwn(answer.row.fields, "F") ? (answer.row.fields.F ?? null) : absent
  if (answer?._tag === "Invalid") return { codes: answer.issues.map((issue) => `${issue.field} ${issue.code}`) }
  throw new Error("filtered")
}

const as = (type: As, v: Json) => mapped({ from: "v", as: type }, { v })
const refused = (code: string) => ({ codes: [`F ${code}`] })

describe("as", () => {
  it.each<[As, Json, Json]>([
    ["text", "x", "x"],
    ["text", "", ""],
    ["text", 12, "12"],
    ["text", 1.5, "1.5"],
    ["text", -0, "0"],
    ["text", true, "true"],
    ["number", 1.5, 1.5],
    ["number", "12", 12],
    ["number", "-1.5e3", -1500],
    ["integer", 12, 12],
    ["integer", "12", 12],
    ["integer", 9007199254740991, 9007199254740991],
    ["boolean", false, false],
    ["boolean", "TRUE", true],
    ["json", { a: [1, null] }, { a: [1, null] }],
    ["json", "text", "text"],
    ["list", "x", ["x"]],
    ["list", [], []],
    ["list", ["x", 1], ["x", 1]],
    ["date", "2024-02-29", "2024-02-29"],
    ["date", "2024-03-01T00:30:00+01:00", "2024-02-29"],
    ["datetime", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"],
    ["datetime", "2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["datetime", "2024-02-29t12:00:00.123456789z", "2024-02-29T12:00:00.123Z"],
    ["datetime", "2024-02-29 12:00-0330", "2024-02-29T15:30:00.000Z"],
    ["datetime", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["datetime", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["datetime", 1700000000, "2023-11-14T22:13:20.000Z"],
    ["datetime", 1700000000123, "2023-11-14T22:13:20.123Z"],
    ["date", 1700000000.5, "2023-11-14"],
  ])("as: %s takes %j as %j", (type, value, expected) => {
    assert.deepStrictEqual(as(type, value), expected)
  })

  it.each<[As, Json, string]>([
    ["text", ["x"], "wrong_type"],
    ["text", { a: 1 }, "wrong_type"],
    ["text", 1e19, "unsafe_integer"],
    ["number", "007", "not_a_number"],
    ["number", "", "not_a_number"],
    ["number", "1e999", "not_a_number"],
    ["number", "12345678901234567890", "unsafe_integer"],
    ["number", true, "wrong_type"],
    ["integer", 1.5, "not_an_integer"],
    ["integer", 2 ** 53, "unsafe_integer"],
    ["integer", ["1"], "wrong_type"],
    ["boolean", "yes", "not_a_boolean"],
    ["boolean", 1, "wrong_type"],
    ["date", true, "wrong_type"],
  ])("E02: as: %s refuses %j with %s", (type, value, code) => {
    assert.deepStrictEqual(as(type, value), refused(code))
  })

  it.each<[Json, string]>([
    ["2024-02-29T12:00:00", "no_time_zone"],
    ["2023-02-29", "no_such_date"],
    ["2024-02-30T00:00:00Z", "no_such_date"],
    ["1900-02-29", "no_such_date"],
    ["2016-12-31T23:59:60Z", "no_such_date"],
    ["2024-01-01T24:00:00Z", "no_such_date"],
    ["2024-01-01T00:00:00+24:00", "no_such_date"],
    ["0000-01-01", "no_such_date"],
    ["0001-01-01T00:00:00+01:00", "no_such_date"],
    ["9999-12-31T23:59:59-01:00", "no_such_date"],
    ["+012024-01-01", "not_a_date"],
    ["2024-1-1", "not_a_date"],
    ["01/02/2024", "not_a_date"],
    ["Feb 1 2024", "not_a_date"],
    ["1700000000", "not_a_date"],
    ["", "not_a_date"],
    [20240131, "not_a_date"],
    [0, "not_a_date"],
    [-1700000000, "not_a_date"],
    [1e15, "no_such_date"],
  ])("E06: %j is refused with %s", (value, code) => {
    assert.deepStrictEqual(as("datetime", value), refused(code))
    assert.deepStrictEqual(as("date", value), refused(code))
  })

  it("E06: every moment comes back from its own ISO text, with any offset", () => {
    const moments = fc.date({
      min: new Date("0001-01-02T00:00:00Z"),
      max: new Date("9999-12-30T00:00:00Z"),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(moments, fc.integer({ min: -14 * 60, max: 14 * 60 }), (moment, offset) => {
        const local = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, -1)
        const two = (value: number) => String(value).padStart(2, "0")
        const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
        assert.strictEqual(as("datetime", local + zone), moment.toISOString())
      }),
      { numRuns: 300, seed: 3 },
    )
  })

  it("E06: a time as it is printed here, which is not parsed, means what it means with another zone, which is", () => {
    const upTo = (max: number, length: number) =>
      fc.integer({ min: 0, max }).map((number) => String(number).padStart(length, "0"))
    const days = fc.tuple(upTo(9999, 4), upTo(13, 2), upTo(32, 2)).map((parts) => parts.join("-"))
    const times = fc.tuple(upTo(25, 2), upTo(61, 2), upTo(61, 2)).map((parts) => parts.join(":"))
    fc.assert(
      fc.property(days, times, upTo(999, 3), fc.constantFrom<As>("date", "datetime"), (day, time, millis, type) => {
        const text = `${day}T${time}.${millis}`
        assert.deepStrictEqual(as(type, `${text}Z`), as(type, `${text}+00:00`))
      }),
      { numRuns: 2_000, seed: 4 },
    )
  })

  it.each<As>(["text", "number", "integer", "boolean", "date", "datetime", "json", "list"])(
    "as: %s keeps null and absent apart",
    (type) => {
      assert.strictEqual(as(type, null), null)
      assert.strictEqual(mapped({ from: "v", as: type }, {}), absent)
    },
  )

  it("without `as` a value passes as it is", () => {
    for (const v of ["x", 2 ** 53 + 2, true, [], ["x"], { a: { b: [] } }]) {
      assert.deepStrictEqual(mapped({ from: "v" }, { v }), v)
    }
  })
})

describe("join", () => {
  it("makes text of a list, of a single value too, without nulls", () => {
    const entry: LongEntry = { from: "roles.name", as: "list", join: ", " }
    assert.strictEqual(mapped(entry, { roles: [{ name: "a" }, { name: null }, { name: 2 }] }), "a, 2")
    assert.strictEqual(mapped(entry, { roles: [{ name: "a" }] }), "a")
    assert.strictEqual(mapped(entry, { roles: [] }), absent)
    assert.strictEqual(mapped({ ...entry, default: [] }, { roles: [] }), "")
    assert.deepStrictEqual(mapped(entry, { roles: [{ name: {} }, { name: "b" }] }), refused("wrong_type"))
  })
})

describe("default and required", () => {
  it("a default stands for absent and for null, and for nothing else", () => {
    const entry: LongEntry = { from: "v", default: "(unknown)" }
    assert.strictEqual(mapped(entry, {}), "(unknown)")
    assert.strictEqual(mapped(entry, { v: null }), "(unknown)")
    for (const v of ["", 0, false, []]) assert.deepStrictEqual(mapped(entry, { v }), v)
  })

  it("a default of null clears what is absent", () => {
    assert.strictEqual(mapped({ from: "v", default: null }, {}), null)
  })

  it("a default has the type of `as`", () => {
    assert.deepStrictEqual(mapped({ from: "v", as: "list", default: "x" }, {}), ["x"])
  })

  it("required refuses absent and null, and takes a default", () => {
    assert.deepStrictEqual(mapped({ from: "v", required: true }, {}), refused("required"))
    assert.deepStrictEqual(mapped({ from: "v", required: true }, { v: null }), refused("required"))
    assert.deepStrictEqual(mapped({ from: "v", required: true, default: null }, {}), refused("required"))
    assert.strictEqual(mapped({ from: "v", required: true, default: 1 }, {}), 1)
  })
})

describe("texts", () => {
  it.each(["\ud800", "a\udc00b", "\udfff\ud800"])("E04: half a surrogate pair is refused", (v) => {
    assert.deepStrictEqual(mapped({ from: "v" }, { v }), refused("not_well_formed"))
    assert.deepStrictEqual(mapped({ from: "v" }, { v: [{ a: v }] }), refused("not_well_formed"))
    assert.deepStrictEqual(mapped({ from: "v" }, { v: { [v]: 1 } }), refused("not_well_formed"))
  })

  it.each(["a\u0000b", "\u202eabc", "👩‍👩‍👧 𝒳", "e\u0301", "a\r\nb", "\ufeff"])(
    "E04: %j is delivered unchanged",
    (v) => {
      assert.strictEqual(mapped({ from: "v", as: "text" }, { v }), v)
    },
  )

  it("E03: depth 1,000 passes, deeper is refused, neither overflows", () => {
    const nested = (depth: number): Json => JSON.parse("[".repeat(depth) + "]".repeat(depth))
    assert.strictEqual(JSON.stringify(mapped({ from: "v" }, { v: nested(1000) })).length, 2000)
    assert.deepStrictEqual(mapped({ from: "v" }, { v: nested(1001) }), refused("too_deep"))
    assert.deepStrictEqual(mapped({ from: "v" }, { v: nested(100_000) }), refused("too_deep"))
    assert.deepStrictEqual(mapped({ from: "v.a" }, { v: nested(100_000) }), { codes: ["id too_deep"] })
  })

  it("E03: 10,000 keys and 1 MB of text map in a moment", () => {
    const large = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`key${at}`, { n: at }]))
    assert.deepStrictEqual(mapped({ from: "v" }, { v: large }), large)
    assert.strictEqual(mapped({ from: "v" }, { v: "x".repeat(1_000_000) }), "x".repeat(1_000_000))
  })
})
