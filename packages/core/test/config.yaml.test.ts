/** Hostile and ill-formed YAML: refused early, with a code and a place. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { MAX_FILE_BYTES, parseYaml } from "../src/config/yaml.ts"

const problems = (text: string) => {
  const parsed = parseYaml("f.yaml", text)
  return Result.isFailure(parsed) ? parsed.failure : []
}
const found = (text: string) =>
  problems(text).map(({ code, path, line, column }) => `${code} ${path} ${line}:${column}`)
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n")
const fill = (text: string) => text.repeat(Math.floor(MAX_FILE_BYTES / text.length))

describe("S05: documents that cost more than they hold", () => {
  const mergeKeys = `a: &a {${lines(3000, (i) => `k${i}: 1`).replaceAll("\n", ", ")}}\nb:\n${lines(20_000, () => "  - <<: *a")}`
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["a flat map of 1.5 MB", lines(100_000, (i) => `key${i}: value`), "yaml.too-large"],
    ["one byte too many, counted in UTF-8", `a: ${"é".repeat(MAX_FILE_BYTES / 2 - 1)}`, "yaml.too-large"],
    ["a flat map as large as allowed", lines(22_000, (i) => `k${i}: 1`), "yaml.too-large"],
    ["merge keys times keys", mergeKeys, "yaml.too-large"],
    ["a small merge key", "a: {<<: {b: 1}}", "yaml.merge-key"],
    ["a flow list 100,000 deep", "[".repeat(100_000), "yaml.too-deep"],
    ["a flow list 100,000 deep, closed", "[".repeat(100_000) + "]".repeat(100_000), "yaml.too-deep"],
    ["a flow map 60,000 deep", "{a: ".repeat(60_000), "yaml.too-deep"],
    ["a block list 100,000 deep", `${"- ".repeat(100_000)}a`, "yaml.too-deep"],
    ["explicit keys 100,000 deep", "? ".repeat(100_000), "yaml.too-deep"],
    ["block maps 66 deep", lines(66, (i) => `${" ".repeat(i)}a:`), "yaml.too-deep"],
    ["1,000 documents", "---\na: 1\n".repeat(1000), "yaml.multiple-documents"],
    ["two documents", "a: 1\n---\nb: 2\n", "yaml.multiple-documents"],
    ["an alias bomb", `a: &a [x, x]\n${lines(20, (i) => `b${i}: &b${i} [*a, *a]`)}`, "yaml.alias"],
    ["one alias", "a: &a 1\nb: *a", "yaml.alias"],
    ["a NUL", "a: \0b", "yaml.character"],
    ["a lone surrogate", "a: '\ud800'", "yaml.character"],
    ["the characters that hide braces", "a: \uFDD0", "yaml.character"],
    ["nothing but brackets", fill("[]"), "yaml.too-large"],
    ["nothing but closing braces", fill("}\n"), "yaml.too-large"],
    ["nothing but commas", `[${fill(",").slice(2)}]`, "yaml.too-large"],
    ["nothing but quotes", fill('"'), "yaml.too-large"],
    ["nothing but newlines", fill("\n"), "yaml.too-large"],
    ["nothing but colons", fill(": "), "yaml.too-deep"],
    ["directives", fill("%a\n"), "yaml.directive"],
    ["a quote that never ends", `"${"a\n".repeat(60_000)}`, "yaml.syntax"],
    ["nothing", "", "yaml.empty"],
  ]
  for (const [name, text, code] of cases) {
    it(`S05: ${name} is refused as ${code}`, () => {
      const codes = problems(text).map((problem) => problem.code)
      assert.include(codes, code)
      assert.isAtMost(codes.length, 60)
    })
  }

  it("S05: a file at the bounds is read", () => {
    assert.deepStrictEqual(found(`a: "${"x".repeat(MAX_FILE_BYTES - 5)}"`), [])
    assert.deepStrictEqual(found(`a: ${"[".repeat(63)}${"]".repeat(63)}`), [])
    assert.deepStrictEqual(found(lines(4000, (i) => `k${i}: v # comment`)), [])
  })
})

describe("S06: YAML that means something else than it says", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["a:\n  b: !!js/function 'x'", "yaml.tag  2:6"],
    ["a: !Foo b", "yaml.tag  1:4"],
    ["a: !!python/object b", "yaml.tag  1:4"],
    ["a: !!binary aGk=", "yaml.tag a 1:13"],
    ["a: !!str 1", "yaml.tag a 1:10"],
    ["? !!str a\n: 1", "yaml.tag a 1:9"],
    ["a: 1\nb:\n  c: 1\n  c: 2", "yaml.duplicate-key b.c 4:3"],
    ["a:\n\tb: 1", "yaml.syntax  2:1"],
    ["a: b: c", "yaml.syntax  1:4"],
    ["x:\n  __proto__: {a: 1}", "yaml.forbidden-key x.__proto__ 2:3"],
    ["{a: 1}: b", "yaml.key  1:1"],
    ["a: .inf", "yaml.number a 1:4"],
    ["a: 12345678901234567890", "yaml.number a 1:4"],
    ["a: &x 1", "yaml.alias a 1:7"],
    ["$" + "{NAME}: 1", `variable.in-key ["$${"{"}NAME}"] 1:1`],
    ["%YAML 1.1\n---\na: yes", "yaml.directive  1:1"],
  ]
  for (const [text, expected] of cases) {
    it(`S06: ${JSON.stringify(text)} is refused`, () => assert.include(found(text), expected))
  }

  it("S06: every refusal of a file is reported at once", () => {
    assert.deepStrictEqual(found("a: 1\na: 2\nb: {<<: 1}\nc: !!set {}"), [
      "yaml.duplicate-key a 2:1",
      'yaml.merge-key b["<<"] 3:5',
      "yaml.tag c 4:10",
    ])
  })

  it("S01: a syntax problem does not quote the text", () => {
    for (const text of ["a: |test-secret\n  x", 'a: "x" test-secret', "a: [x\nb: test-secret: x", "a: !test-secret x"])
      for (const { message } of problems(text)) assert.notInclude(message, "test-secret")
  })
})
