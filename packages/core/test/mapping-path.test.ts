/** Plain paths against JSONata itself, and canonical JSON. */
import { assert, describe, it } from "@effect/vitest"
import type { Json } from "effect/Schema"
import fc from "fast-check"
import jsonata from "jsonata"
import { canonicalJson } from "../src/mapping/canonical.ts"
import { compileExpression } from "../src/mapping/expression.ts"
import { Fault } from "../src/mapping/fault.ts"
import { isList } from "../src/mapping/path.ts"
import { plain } from "../src/mapping/plain.ts"

/** Few names, so that paths meet data; the hostile ones among them. */
const names = [
  "a",
  "b",
  "name",
  "and",
  "in",
  "true",
  "12",
  "__proto__",
  "constructor",
  "length",
  "x y",
  "0",
  "sequence",
]
const quoted = (name: string) => `\`${name}\``
const nameArb = fc.oneof({ weight: 2, arbitrary: fc.constantFrom("a", "b") }, fc.constantFrom(...names))

const { value: valueArb } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<unknown>(null, "", "text", 0, 1.5, -1, true, false),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(nameArb, tie("value")), { maxLength: 4 }).map(fromEntries),
  ),
}))

/** As JSON.parse makes it: `__proto__` is an own key. */
function fromEntries(entries: ReadonlyArray<readonly [string, unknown]>): unknown {
  const members = new Map(entries.map(([name, value]) => [name, JSON.stringify(value)]))
  return JSON.parse(`{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`)
}

const recordArb = fc.array(fc.tuple(nameArb, valueArb), { minLength: 1, maxLength: 6 }).map(fromEntries)
const pathArb = fc.array(nameArb, { minLength: 1, maxLength: 4 })

const isRecord = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !isList(value)

function read(path: string, record: unknown): unknown {
  const { evaluator, problems } = compileExpression(path)
  assert.deepStrictEqual(problems, [])
  if (evaluator._tag !== "Path" || !isRecord(record)) throw new Error(`${path} did not take the fast path`)
  const value = plain(evaluator.read(record))
  return value instanceof Fault ? value.code : value
}

/** Without the marks JSONata leaves on its lists. */
const asPlain = (value: unknown) => plain(value)

describe("plain paths", () => {
  it("rule (DESIGN §2): the fast path equals JSONata on plain paths", async () => {
    let met = 0
    await fc.assert(
      fc.asyncProperty(recordArb, pathArb, async (record, path) => {
        const source = path.map(quoted).join(".")
        const expected = asPlain(await jsonata(source).evaluate(record))
        if (expected !== undefined) met++
        assert.deepStrictEqual(read(source, record), expected)
      }),
      { numRuns: 3000, seed: 20261 },
    )
    assert.isAbove(met, 300, "too few paths met data for the property to say anything")
  })

  it("rule (DESIGN §2): a path without quotes is what JSONata takes it for, its own words included", () => {
    const words = [
      "a",
      "_b1",
      "and",
      "or",
      "in",
      "true",
      "false",
      "null",
      "function",
      "Infinity",
      "constructor",
      "__proto__",
    ]
    const paths = words.flatMap((word) => [word, ...words.map((next) => `${word}.${next}`)])
    const isPath = (source: string): boolean => {
      try {
        const { type, steps = [] }: { type: string; steps?: ReadonlyArray<{ type: string }> } = jsonata(source).ast()
        return type === "path" && steps.every((step) => step.type === "name")
      } catch {
        return false
      }
    }
    for (const source of paths) {
      const { evaluator, reads, problems } = compileExpression(source)
      assert.strictEqual(evaluator._tag === "Path" && problems.length === 0, isPath(source), source)
      if (isPath(source)) assert.deepStrictEqual(reads, new Set(source.split(".").slice(0, 1)), source)
    }
  })

  it("the fast path equals JSONata on lists of lists", async () => {
    const leaf = fc.constantFrom<unknown>(1, null, [], [1], [[2]], [[1, 2], [3]])
    const nested = fc.letrec<{ list: unknown }>((tie) => ({
      list: fc.oneof(
        { maxDepth: 5, depthSize: "medium" },
        leaf.map((a) => ({ a })),
        fc.array(tie("list"), { maxLength: 3 }),
        fc.record({ a: tie("list") }),
      ),
    })).list
    await fc.assert(
      fc.asyncProperty(nested, fc.integer({ min: 1, max: 4 }), async (value, steps) => {
        const source = Array.from({ length: steps }, () => "a").join(".")
        const record = { a: value }
        assert.deepStrictEqual(read(source, record), asPlain(await jsonata(source).evaluate(record)))
      }),
      { numRuns: 3000, seed: 20262 },
    )
  })

  it.each([
    ["roles.name", { roles: [{ name: "admin" }] }, "admin"],
    ["roles", { roles: ["admin"] }, ["admin"]],
    ["roles", { roles: [] }, []],
    ["roles.name", { roles: [] }, undefined],
    ["roles.name", { roles: [{ name: "a" }, {}, { name: "b" }] }, ["a", "b"]],
    ["a.b", { a: null }, undefined],
    ["a", { a: null }, null],
    ["a.length", { a: "text" }, undefined],
    ["constructor", {}, undefined],
    ["toString.name", {}, undefined],
    ["user_metadata.`first name`", { user_metadata: { "first name": "Ada" } }, "Ada"],
    ["user_metadata.`0`", { user_metadata: { 0: "zero" } }, "zero"],
    ["and.or", { and: { or: 1 } }, 1],
    ['"a".b', { a: { b: 1 } }, 1],
  ])("%s of %j is %j", (path, record, expected) => {
    assert.deepStrictEqual(read(path, record), expected)
  })

  it("S25: `__proto__` of a record is data, and is absent where the record has none", () => {
    assert.deepStrictEqual(read("__proto__.admin", JSON.parse('{"__proto__":{"admin":true}}')), true)
    assert.deepStrictEqual(read("__proto__.toString", {}), undefined)
    const copied = plain(JSON.parse('{"a":{"__proto__":{"admin":true}}}'))
    assert.deepStrictEqual(JSON.stringify(copied), '{"a":{"__proto__":{"admin":true}}}')
  })

  it.each(["email", "a.b.c", "`a b`.c", "and"])("%s needs no JSONata", (source) => {
    assert.strictEqual(compileExpression(source).evaluator._tag, "Path")
  })

  it.each(["a[0]", "a[]", "a.*", "$.a", "a.b^(c)", "a{b: c}", "a.(b)", "a#$i", "(a)"])("%s needs JSONata", (source) => {
    assert.strictEqual(compileExpression(source).evaluator._tag, "Computed")
  })
})

describe("canonical JSON", () => {
  const shuffled = (value: Json): Json => {
    if (typeof value !== "object" || value === null) return value
    if (isList(value)) return value.map(shuffled)
    const entries = Object.entries(value).reverse()
    return JSON.parse(
      `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(shuffled(item))}`).join(",")}}`,
    )
  }

  it("is one text for one value, whatever the order of keys, and reads back", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json: Json = JSON.parse(JSON.stringify(value))
        assert.strictEqual(canonicalJson(shuffled(json)), canonicalJson(json))
        assert.deepStrictEqual(JSON.parse(canonicalJson(json)), json)
      }),
      { numRuns: 500, seed: 7 },
    )
  })

  it("sorts keys at every depth by code unit", () => {
    assert.strictEqual(
      canonicalJson({ b: { z: 1, a: [{ y: 1, x: null }] }, "10": 1, "9": 2, B: -0 }),
      '{"10":1,"9":2,"B":0,"b":{"a":[{"x":null,"y":1}],"z":1}}',
    )
  })
})
