/** The root names a mapping reads: never one too few. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import fc from "fast-check"
import { compileMapping } from "../src/mapping/compile.ts"
import { compileExpression } from "../src/mapping/expression.ts"

const reads = (source: string) => {
  const { reads: found } = compileExpression(source)
  return found === "all" ? "all" : [...found].sort().join(" ")
}

const cases: ReadonlyArray<readonly [string, string]> = [
  ["email", "email"],
  ["user_metadata.company", "user_metadata"],
  ["`first name`.x", "first name"],
  ['"admin" in roles.name', "roles"],
  ["[20, email_verified ? 21]", "email_verified"],
  ['given_name & " " & family_name', "family_name given_name"],
  ["roles[name = 'admin'].id", "roles"],
  ["roles[$$.primary = id]", "primary roles"],
  ["(roles)[$$.primary = id]", "primary roles"],
  ["roles^(name).id", "roles"],
  ["roles{name: id}", "roles"],
  ["roles.{'n': name}", "roles"],
  ["{'n': name, 'e': email}", "email name"],
  ["$.email", "email"],
  ["$$.email", "email"],
  ["($x := user_metadata; $x.company)", "user_metadata"],
  ["($f := function($a){ $a & nickname }; $f(email))", "email nickname"],
  ["$map(roles, function($r){ $r.name & email })", "email roles"],
  ["$map(roles, $string)", "roles"],
  ["roles ~> $map($uppercase)", "roles"],
  ["email ~> $uppercase", "email"],
  ["email ~> $lookup('a')", "email"],
  ["$lookup(user_metadata, key)", "key user_metadata"],
  ["email ~> /x/ ? a : b", "a b email"],
  ["a ?: b", "a b"],
  ["a ?? b", "a b"],
  ["-a", "a"],
  ["roles.*", "roles"],
  ["roles.**.name", "roles"],
  ["roles.$keys()", "roles"],
  ["(a; b).c", "a b"],
  ["1", ""],
  ["$now()", ""],
  ["$", "all"],
  ["$$", "all"],
  ["$string($)", "all"],
  ["$keys()", "all"],
  ["$lookup('email')", "all"],
  ["($k := $keys; $k())", "all"],
  ["*", "all"],
  ["**.name", "all"],
  ["roles.%.email", "all"],
  ["roles[$string($$) = name]", "all"],
  ["roles@$r.email", "all"],
  ["$ ~> |user|{'a': 1}|", "all"],
  ["$[email]", "all"],
  ["$.*", "all"],
  ["function($x)<x-:x>{ $x }()", "all"],
]

describe("reads", () => {
  it.each(cases)("%s reads %s", (source, expected) => {
    assert.strictEqual(reads(source), expected)
  })

  it("a mapping reads what `where`, key and all fields read, once each", () => {
    const route = { where: "verified", key: "id", map: { id: "user_id", A: "a.b & verified", B: "a.c", C: 1 } }
    assert.deepStrictEqual(Result.getOrThrow(compileMapping(route)).reads, ["verified", "user_id", "a"])
    assert.strictEqual(Result.getOrThrow(compileMapping({ ...route, where: "$keys()" })).reads, "all")
  })

  it("P06: a record with only the names that are read maps as the whole record does", async () => {
    const names = ["email", "user_metadata", "roles", "name", "id", "key", "primary", "a", "b", "verified", "nickname"]
    const text = fc.constantFrom<Json>("x", "admin", "", null, true, 3)
    const inner = fc.dictionary(fc.constantFrom("name", "id", "email", "company", "key", "a"), text, {
      noNullPrototype: true,
    })
    const value = fc.oneof(text, inner, fc.array(inner, { maxLength: 3 }))
    const recordArb = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: names.length, noNullPrototype: true })
    const sources = cases
      .filter(([source, expected]) => expected !== "all" && !source.includes("$now"))
      .map(([source]) => source)
    let rows = 0
    await fc.assert(
      fc.asyncProperty(recordArb, fc.constantFrom(...sources), async (whole, source) => {
        const mapping = Result.getOrThrow(compileMapping({ key: "k", map: { k: "rec_id", F: source } }))
        const kept = new Set(mapping.reads)
        const read = Object.fromEntries(Object.entries(whole).filter(([name]) => kept.has(name)))
        const map = async (data: JsonObject) => {
          const page = [{ key: "k", change: "upsert" as const, data: { ...data, rec_id: "1" } }]
          const [answer] = await Effect.runPromise(mapping.map(page, 0))
          if (answer?._tag === "Row") rows++
          return answer?._tag === "Row" ? answer.row.fields : answer?._tag
        }
        assert.deepStrictEqual(await map(read), await map(whole))
      }),
      { numRuns: 1500, seed: 13 },
    )
    assert.isAbove(rows, 500)
  })
})
