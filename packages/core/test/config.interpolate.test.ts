/** Variables and secret files in a pipeline file. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { interpolate, SecretFileError } from "../src/config/interpolate.ts"
import { parseYaml } from "../src/config/yaml.ts"

const files: { readonly [path: string]: string } = {
  "/run/secrets/key": "test-secret\n",
  "/run/secrets/port": "8080\n",
  "/open/key": "test-secret",
}
const readSecretFile = (path: string) => {
  const text = files[path]
  return text === undefined
    ? Effect.fail(new SecretFileError({ message: `${path} cannot be read` }))
    : Effect.succeed(path.startsWith("/open") ? { text, concern: `everyone can read ${path}` } : { text })
}
const read = Effect.fnUntraced(function* (text: string, env: { readonly [name: string]: string } = {}) {
  const document = yield* Effect.fromResult(parseYaml("f.yaml", text)).pipe(Effect.orDie)
  return yield* interpolate(document, { env, readSecretFile })
})
// The dollar apart, so that nobody takes these for template strings.
const ref = (inner: string) => `$${"{"}${inner}}`

describe("S26: interpolation", () => {
  const cases: ReadonlyArray<readonly [string, string, { readonly [name: string]: string }, Schema.Json]> = [
    ["a variable inside text", `v: x-${ref("A")}-y`, { A: "1" }, "x-1-y"],
    ["two variables", `v: ${ref("A")}/${ref("B")}`, { A: "1", B: "2" }, "1/2"],
    ["a number", `v: ${ref("A")}`, { A: "42" }, 42],
    ["a number in a flow list, unquoted", `v: [${ref("A")}, ${ref("B:-7")}]`, { A: "42" }, [42, 7]],
    ["a number in a flow map, quoted", `v: {x: "${ref("A")}"}`, { A: "42" }, { x: 42 }],
    ["a boolean", `v: ${ref("A")}`, { A: "true" }, true],
    ["a null", `v: ${ref("A")}`, { A: "~" }, null],
    ["an integer no double can hold", `v: ${ref("A")}`, { A: "12345678901234567890" }, "12345678901234567890"],
    ["infinity", `v: ${ref("A")}`, { A: ".inf" }, ".inf"],
    ["a map in a variable stays text", `v: ${ref("A")}`, { A: "a: b\n  c" }, "a: b\n  c"],
    ["a list in a variable stays text", `v: ${ref("A")}`, { A: "[1, 2]" }, "[1, 2]"],
    ["quotes in a variable stay", `v: ${ref("A")}`, { A: "'x' # y" }, "'x' # y"],
    ["a reference in a variable is not followed", `v: ${ref("A")}`, { A: ref("B"), B: "1" }, ref("B")],
    ["a default for an unset variable", `v: ${ref("A:-b c")}`, {}, "b c"],
    ["a default for an empty variable", `v: ${ref("A:-b")}`, { A: "" }, "b"],
    ["an empty default is null", `v: ${ref("A:-")}`, {}, null],
    ["an empty default inside text", `v: x${ref("A:-")}`, {}, "x"],
    ["a set variable before its default", `v: ${ref("A:-b")}`, { A: "c" }, "c"],
    ["a file, without its last newline", `v: ${ref("file:/run/secrets/key")}`, {}, "test-secret"],
    ["a file inside text", `v: p=${ref("file:/run/secrets/port")}`, {}, "p=8080"],
    ["two dollars escape", `v: $${ref("A")}`, { A: "1" }, ref("A")],
    ["a block scalar", `v: |-\n  ${ref("A")}!`, { A: "1" }, "1!"],
    ["a comment is no value", `v: 1 # ${ref("MISSING")}`, {}, 1],
  ]
  for (const [name, text, env, expected] of cases) {
    it.effect(`S26: ${name}`, () =>
      Effect.gen(function* () {
        const reading = yield* read(text, env)
        assert.deepStrictEqual(reading.problems, [])
        assert.deepStrictEqual(reading.value, { v: expected })
      }),
    )
  }

  const broken: ReadonlyArray<readonly [string, string, string]> = [
    ["a missing variable", `a: 1\nv:\n  - ${ref("BREVO_KEY")}`, "error variable.missing v[0] 3:5 BREVO_API_KEY"],
    ["a missing variable in text", `v: x${ref("NOPE")}`, "error variable.missing v 1:4 "],
    ["an empty variable", `v: ${ref("EMPTY")}`, "warning variable.empty v 1:4 "],
    ["a name that is none", `v: ${ref("a b")}`, "error variable.syntax v 1:4 "],
    ["no name", `v: ${ref("")}`, "error variable.syntax v 1:4 "],
    ["one inside another", `v: "${ref(`A:-${ref("B")}`)}"`, "error variable.syntax v 1:4 "],
    ["one that does not end", `v: "$${"{"}A"`, "error variable.syntax v 1:4 "],
    ["a file that everyone can read", `a: 1\nv: x${ref("file:/open/key")}`, "warning variable.file v 2:4 "],
    ["a file that is not there", `v: ${ref("file:/nope")}`, "error variable.file v 1:4 "],
  ]
  for (const [name, text, expected] of broken) {
    it.effect(`S26: ${name} is reported with its place`, () =>
      Effect.gen(function* () {
        const { problems } = yield* read(text, { BREVO_API_KEY: "test-secret", EMPTY: "" })
        const [problem] = problems
        assert.strictEqual(problems.length, 1)
        assert.strictEqual(
          `${problem?.severity} ${problem?.code} ${problem?.path} ${problem?.line}:${problem?.column} ${problem?.suggestion ?? ""}`,
          expected,
        )
        assert.notInclude(problem?.message, "test-secret")
      }),
    )
  }

  it.effect("a name of Object's own is no variable", () =>
    Effect.gen(function* () {
      const { problems } = yield* read(`v: ${ref("constructor")}`)
      assert.deepStrictEqual(
        problems.map(({ code }) => code),
        ["variable.missing"],
      )
    }),
  )

  it("S05: ten thousand references in one scalar are read at once", () => {
    const parsed = parseYaml("f.yaml", `v: "${ref("A:-b").repeat(10_000)}"`)
    assert.isTrue(Result.isSuccess(parsed))
  })
})
