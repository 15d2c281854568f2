/** A route's mapping as a whole: rows, filters, issues, deletions, problems found without a record. */
import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import fc from "fast-check"
import { canonicalJson } from "../src/mapping/canonical.ts"
import { compileMapping } from "../src/mapping/compile.ts"
import type { MapEntry, RouteMapping } from "../src/mapping/entry.ts"
import type { Mapped } from "../src/mapping/mapping.ts"
import type { SourceRecord } from "../src/plugin/record.ts"

const start = Date.parse("2024-05-06T07:08:09.010Z")

const record = (data: JsonObject, change: SourceRecord["change"] = "upsert"): SourceRecord => ({
  key: "rec-1",
  change,
  data,
})

const compile = (route: RouteMapping) => Result.getOrThrow(compileMapping(route))

const problems = (route: RouteMapping) =>
  Result.match(compileMapping(route), {
    onFailure: (found) => found.map((each) => `${each.path.join(".")}: ${each.code}`),
    onSuccess: () => [],
  })

const withField = (entry: MapEntry): RouteMapping => ({ key: "id", map: { id: "id", F: entry } })

const one = (route: RouteMapping, data: JsonObject, change?: SourceRecord["change"]) =>
  compile(route)
    .map([record(data, change)], start)
    .pipe(Effect.map(([answer]) => answer ?? assert.fail("no answer")))

const value = (from: string, data: JsonObject) =>
  one(withField({ from, diff: false }), { id: "1", ...data }).pipe(Effect.map((answer) => rowOf(answer).fields.F))

const rowOf = (mapped: Mapped) =>
  mapped._tag === "Row" ? mapped.row : assert.fail(`${mapped._tag}: ${JSON.stringify(mapped)}`)

const codes = (mapped: Mapped) =>
  mapped._tag === "Invalid" ? mapped.issues.map(({ field, code }) => `${field} ${code}`) : [mapped._tag]

describe("rows", () => {
  it.effect("keep absent, null and value apart, and carry id and key", () =>
    Effect.gen(function* () {
      const map = {
        ext_id: "user_id",
        A: "a",
        B: "b",
        C: "c.d",
        D: "$uppercase(c.d)",
        E: 1,
        G: false,
        H: { value: { x: [1] } },
      }
      const answer = yield* one({ key: "ext_id", map }, { user_id: "auth0|1", a: null, c: { d: "x" } })
      assert.deepStrictEqual(rowOf(answer), {
        id: "rec-1",
        key: "auth0|1",
        change: "upsert",
        fields: { ext_id: "auth0|1", A: null, C: "x", D: "X", E: 1, G: false, H: { x: [1] } },
      })
    }),
  )

  it.effect("answer for each record, in order, with and without JSONata", () =>
    Effect.gen(function* () {
      const records = Array.from({ length: 300 }, (_, n) => ({ ...record({ id: n, n: n % 3 }), key: `rec-${n}` }))
      const plain = yield* compile({ where: "n", key: "id", map: { id: "id" } }).map(records, start)
      const computed = yield* compile({ where: "n > 0", key: "id", map: { id: "id + 0" } }).map(records, start)
      assert.deepStrictEqual(computed, plain)
      assert.deepStrictEqual(
        plain.map((each) => each.record.key),
        records.map(({ key }) => key),
      )
      assert.strictEqual(plain.filter(({ _tag }) => _tag === "Filtered").length, 100)
    }),
  )

  it.effect("fields named as an object's own machinery are plain fields", () =>
    Effect.gen(function* () {
      const answer = yield* one({ key: "constructor", map: { constructor: "id", toString: "gone" } }, { id: "1" })
      assert.deepStrictEqual(Object.entries(rowOf(answer).fields), [["constructor", "1"]])
    }),
  )

  it.effect("trap 18: lists that JSONata makes are plain arrays, and the record is left alone", () =>
    Effect.gen(function* () {
      const data = { id: "1", roles: [{ name: "a" }, { name: "b" }], tags: ["t"] }
      const before = JSON.stringify(data)
      const answer = yield* one({ key: "id", map: { id: "id", A: "roles[true].name", B: "tags[]", C: "tags" } }, data)
      const { A, B, C } = rowOf(answer).fields
      assert.deepStrictEqual(
        [A, B, C].map((list) => Object.keys(list ?? {})),
        [["0", "1"], ["0"], ["0"]],
      )
      assert.strictEqual(JSON.stringify(data), before)
    }),
  )

  it.effect("canonical is the canonical JSON of the compared fields", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), fc.constantFrom("10", "b"), async (a, b, name) => {
          const data: JsonObject = JSON.parse(JSON.stringify({ id: "1", a, b, c: [a, b] }))
          const more = { toString: "gone", C: "c", D: "a.b", now: { from: "b", diff: false } }
          const map: RouteMapping["map"] = { z: "a", [name]: "b", "9": "a", é: "a", id: "id", ...more }
          const answer = await Effect.runPromise(one({ key: "id", map }, data))
          if (answer._tag !== "Row") return
          const { now: _, ...compared } = answer.row.fields
          assert.strictEqual(answer.canonical, canonicalJson(compared))
        }),
        { numRuns: 400, seed: 5 },
      ),
    ),
  )
})

describe("where", () => {
  it.effect.each([
    [true, true],
    [false, false],
    [undefined, true],
  ] as const)("%j keeps a record: %j", ([where, kept]) =>
    Effect.gen(function* () {
      const route = { key: "id", map: { id: "id" }, ...(where === undefined ? {} : { where }) }
      assert.strictEqual((yield* one(route, { id: "1" }))._tag, kept ? "Row" : "Filtered")
    }),
  )

  it.effect.each<Json>([
    null,
    0,
    1,
    -1,
    "",
    "x",
    "false",
    [],
    [0],
    [0, 0],
    [0, 1],
    [[]],
    [[1]],
    {},
    { a: null },
    true,
    false,
  ])("holds for %j as JSONata's $boolean does, plain or computed", (v) =>
    Effect.gen(function* () {
      const expected = yield* value("$boolean(v)", { v })
      for (const where of ["v", "v ~> function($x){ $x }", "(v)"]) {
        const answer = yield* one({ where, key: "id", map: { id: "id" } }, { id: "1", v })
        assert.strictEqual(answer._tag === "Row", expected, where)
      }
    }),
  )

  it.effect("an absent value excludes, and an expression that fails makes the record invalid", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* one({ where: "gone", key: "id", map: { id: "id" } }, { id: "1" }))._tag, "Filtered")
      const answer = yield* one({ where: "$number(v) > 1", key: "id", map: { id: "id" } }, { id: "1", v: "secret" })
      assert.deepStrictEqual(codes(answer), ["where expression_failed"])
    }),
  )
})

describe("the row key", () => {
  it.effect.each([
    ["a", "a"],
    [12, "12"],
    [1.5, "1.5"],
    [-0, "0"],
    [true, "true"],
  ] as const)("%j is the key %j", ([id, key]) =>
    Effect.gen(function* () {
      assert.strictEqual(rowOf(yield* one({ key: "id", map: { id: "id" } }, { id })).key, key)
    }),
  )

  it.effect.each<Json>(["", null, [], ["a"], {}, 1e19])("%j is missing_key", (id) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(codes(yield* one({ key: "id", map: { id: "id" } }, { id })), ["id missing_key"])
    }),
  )

  it.effect("absent is missing_key, said once beside other issues", () =>
    Effect.gen(function* () {
      const map: RouteMapping["map"] = { id: "id", F: { from: "f", required: true }, G: { from: "g", as: "integer" } }
      assert.deepStrictEqual(codes(yield* one({ key: "id", map }, { g: 1.5 })), [
        "F required",
        "G not_an_integer",
        "id missing_key",
      ])
      const typed: RouteMapping["map"] = { id: { from: "id", as: "integer" } }
      assert.deepStrictEqual(codes(yield* one({ key: "id", map: typed }, { id: "x" })), ["id not_a_number"])
    }),
  )
})

describe("deletions", () => {
  const key = "$uppercase(id)"
  it.effect("always become a row without fields; the key is computed where it can be", () =>
    Effect.gen(function* () {
      const route = { where: "false", key: "id", map: { id: key, F: { from: "f", required: true } } }
      const expected = (text: string) => ({ id: "rec-1", key: text, change: "delete", fields: {} })
      assert.deepStrictEqual(rowOf(yield* one(route, { id: "a" }, "delete")), expected("A"))
      for (const data of [{}, { id: null }, { id: 5 }, { id: "" }, { id: ["x"] }, { id: "\ud800" }]) {
        assert.deepStrictEqual(rowOf(yield* one(route, data, "delete")), expected("rec-1"))
      }
    }),
  )
})

describe("expressions", () => {
  it.effect("E07: one that throws names expression, field and code, never the value", () =>
    Effect.gen(function* () {
      const secret = "ada@example.com"
      for (const from of [
        "$number(v)",
        "v + 1",
        "$error(v)",
        "$assert(false, v)",
        "$toMillis(v)",
        "$fromMillis(v)",
        "v ~> $sum",
        "v()",
      ]) {
        const answer = yield* one(withField(from), { id: "1", v: secret })
        assert.deepStrictEqual(codes(answer), ["F expression_failed"], from)
        if (answer._tag === "Invalid") {
          assert.strictEqual(answer.issues[0]?.source, from)
          assert.notInclude(JSON.stringify(answer.issues), "ada")
        }
      }
    }),
  )

  it.live("E07, trap 18: an endless tail call, endless recursion and huge lists end as issues; the page goes on", () =>
    Effect.gen(function* () {
      const from =
        '(v = "loop" ? ($f := function($n){ $f($n + 1) }; $f(0)) : v = "nest" ? ($g := function($n){ 1 + $g($n) }; $g(0)) : v = "large" ? [1..9999999] : v)'
      const records = ["loop", "nest", "large", "fine"].map((v) => record({ id: v, v }))
      const answers = yield* compile(withField(from)).map(records, start)
      assert.deepStrictEqual(answers.map(codes), [["F too_slow"], ["F too_deep"], ["F too_large"], ["Row"]])
    }),
  )

  it.live("E07: a record has one second for all its expressions, not one for each", () =>
    Effect.gen(function* () {
      const loop = "($f := function($n){ $f($n + 1) }; $f(0))"
      const map = { id: "id", ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`F${at}`, loop])) }
      const began = performance.now()
      const answer = yield* one({ key: "id", map }, { id: "1" })
      assert.strictEqual(codes(answer).filter((code) => code.endsWith("too_slow")).length, 20)
      assert.isBelow(performance.now() - began, 10_000)
    }),
  )

  it.live("E07: a process that was kept waiting does not make a record slow", () =>
    Effect.gen(function* () {
      const real = yield* Clock.Clock
      let looks = 0
      /** A minute passes between the beginning of the record and its expression. */
      const currentTimeMillisUnsafe = () => real.currentTimeMillisUnsafe() + (++looks > 2 ? 60_000 : 0)
      const paused: Clock.Clock = Object.assign(Object.create(real), { currentTimeMillisUnsafe })
      const answer = yield* one(withField("v & '!'"), { id: "1", v: "a" }).pipe(
        Effect.provideService(Clock.Clock, paused),
      )
      assert.isAbove(looks, 2)
      assert.deepStrictEqual(codes(answer), ["Row"])
    }),
  )

  it.effect.each(["$sum", "function($x){ $x }", "/a/", "{ 'a': $sum }", "[$string]", "1/0", "-1/0"])(
    "%s yields no JSON value: an issue",
    (from) =>
      Effect.gen(function* () {
        const [code] = codes(yield* one(withField(from), { id: "1", a: 1 }))
        assert.include(["F not_json", "F expression_failed"], code)
      }),
  )

  it.effect("$now and $millis are the run's start, with and without a picture", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* value("$now()", {}), "2024-05-06T07:08:09.010Z")
      assert.strictEqual(yield* value("$millis()", {}), start)
      assert.strictEqual(yield* value('$now("[Y0001]/[M01] [H01][Z]", "+0200")', {}), "2024/05 09+02:00")
      assert.strictEqual(yield* value("$fromMillis($millis() + 1)", {}), "2024-05-06T07:08:09.011Z")
    }),
  )

  it.effect("a pattern that is quadratic takes short texts and refuses long ones instead of blocking", () =>
    Effect.gen(function* () {
      const route = withField('$replace(v, /\\s+$/, "")')
      assert.strictEqual(rowOf(yield* one(route, { id: "1", v: "a  " })).fields.F, "a")
      assert.deepStrictEqual(codes(yield* one(route, { id: "1", v: " ".repeat(1_000_000) })), ["F text_too_long"])
    }),
  )

  it.effect("the example of DESIGN §2 maps", () =>
    Effect.gen(function* () {
      const route: RouteMapping = {
        where: "email_verified",
        key: "ext_id",
        map: {
          ext_id: "user_id",
          COMPANY: "user_metadata.company",
          SIGNUP_DATE: { from: "created_at", as: "date" },
          USER_ROLE: { from: "roles.name", as: "list", join: ", " },
          IS_ADMIN: '"admin" in roles.name',
          listIds: { from: "[20, email_verified ? 21]", as: "list" },
        },
      }
      const data = {
        user_id: "auth0|1",
        email_verified: true,
        created_at: "2024-02-29T23:00:00.000Z",
        roles: [{ name: "admin" }],
        user_metadata: { company: "ACME" },
      }
      assert.deepStrictEqual(rowOf(yield* one(route, data)).fields, {
        ext_id: "auth0|1",
        COMPANY: "ACME",
        SIGNUP_DATE: "2024-02-29",
        USER_ROLE: "admin",
        IS_ADMIN: true,
        listIds: [20, 21],
      })
    }),
  )
})

describe("problems found without a record", () => {
  it("all are found at once, each at its place", () => {
    const map: RouteMapping["map"] = {
      id: "id",
      A: "a.",
      B: { from: "$eval(b)" },
      C: "$random()",
      D: { from: "/(a+)+$/" },
      E: "$now()",
      G: { from: "$millis()", diff: false },
      H: { from: "h", value: 1 },
      I: {},
      J: { from: "j", as: "text", join: "," },
      K: { from: "k", as: "integer", default: "x" },
      L: { value: "x", as: "date" },
    }
    assert.deepStrictEqual(problems({ where: "(", key: "id", map }), [
      "where: bad_expression",
      "map.A: bad_expression",
      "map.B.from: forbidden_function",
      "map.C: forbidden_function",
      "map.D.from: unsafe_pattern",
      "map.E: unstable_field",
      "map.H.value: two_sources",
      "map.I: no_source",
      "map.J.join: join_without_list",
      "map.K.default: not_a_number",
      "map.L.value: not_a_date",
    ])
  })

  it.each(["$eval('1')", "$map(a, $eval)", "a ~> $eval", "($e := $eval; $e('1'))", "$shuffle(a)", "$random()"])(
    "%s is refused",
    (from) => {
      assert.deepStrictEqual(problems(withField(from)), ["map.F: forbidden_function"])
    },
  )

  it.each(['$toMillis(a, "[H01]:[m01]")', "$toMillis(a, b)", 'a ~> $toMillis("[D]/[M]")', "$map(a, $toMillis)"])(
    "%s would take today's date: refused",
    (from) => {
      assert.deepStrictEqual(problems(withField(from)), ["map.F: not_repeatable"])
    },
  )

  it.each(["$toMillis(a)", 'a ~> $toMillis("[D]/[M]/[Y]")', '$toMillis(a, "[Y0001]-[M01]-[D01]")'])(
    "%s is accepted",
    (from) => {
      assert.deepStrictEqual(problems(withField(from)), [])
    },
  )

  it("time in `where` and in the key is refused, `diff: false` or not", () => {
    assert.deepStrictEqual(
      problems({ where: "a < $now()", key: "id", map: { id: { from: "$millis()", diff: false } } }),
      ["where: unstable_where", "map.id.from: unstable_key"],
    )
  })

  it("the key must be mapped, from the record", () => {
    const wrong = compileMapping({ key: "extid", map: { ext_id: "id" } })
    const [problem] = Result.isFailure(wrong) ? wrong.failure : []
    assert.deepInclude(problem, { path: ["key"], code: "unmapped_key", suggestion: "ext_id" })
    assert.deepStrictEqual(problems({ key: "id", map: { id: { from: "a", default: "x" } } }), ["map.id: constant_key"])
    assert.deepStrictEqual(problems({ key: "id", map: { id: 1 } }), ["map.id: constant_key"])
  })

  it("a parse error says where", () => {
    const [problem] = Result.match(compileMapping(withField("a + ")), {
      onFailure: (found) => found,
      onSuccess: () => [],
    })
    assert.match(problem?.message ?? "", /at character 4/)
  })

  it("a field `__proto__` is refused", () => {
    assert.include(problems(JSON.parse('{"key":"id","map":{"id":"id","__proto__":"a"}}')), "map.__proto__: bad_field")
  })

  it("text that nests without end is a problem, not a crash", () => {
    assert.deepStrictEqual(problems(withField("(".repeat(50_000))), ["map.F: bad_expression"])
  })
})

describe("fingerprint", () => {
  const of = (route: RouteMapping) => compile(route).fingerprint
  it("changes with the mapping, and not with how it is written", () => {
    const base = of({ key: "id", map: { id: "id", A: "a", B: 1 } })
    assert.strictEqual(of({ where: true, key: "id", map: { B: { value: 1 }, A: { from: "a" }, id: "id" } }), base)
    assert.notStrictEqual(of({ where: "a", key: "id", map: { id: "id", A: "a", B: 1 } }), base)
    assert.notStrictEqual(of({ key: "A", map: { id: "id", A: "a", B: 1 } }), base)
    assert.notStrictEqual(of({ key: "id", map: { id: "id", A: { from: "a", as: "text" }, B: 1 } }), base)
  })
})

it("trap 10: no value becomes code: mapping works under --disallow-code-generation-from-strings", () => {
  const module = new URL("../src/mapping/compile.ts", import.meta.url).href
  const effect = import.meta.resolve("effect/Effect")
  const script = `
    import { compileMapping } from ${JSON.stringify(module)}
    import * as Effect from ${JSON.stringify(effect)}
    const map = { id: "id", A: "a.b", B: '$replace(a.b, /x+/, "y") & $now()' }
    const { success } = compileMapping({ key: "id", map: { ...map, B: { from: map.B, diff: false } } })
    const [answer] = await Effect.runPromise(success.map([{ key: "k", change: "upsert", data: { id: 1, a: { b: "xx" } } }], 0))
    process.stdout.write(JSON.stringify(answer.row.fields))`
  const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", script]
  const fields = execFileSync(process.execPath, flags, { encoding: "utf8" })
  assert.strictEqual(fields, '{"id":1,"A":"xx","B":"y1970-01-01T00:00:00.000Z"}')
})
