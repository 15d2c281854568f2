/** From the text of a test file to tests of a pipeline file's routes, or every problem it has. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import { type Checker, makeChecker } from "../../config/checker.ts"
import { literalValue, type Reading, SecretFileError } from "../../config/interpolate.ts"
import { findings } from "../../config/issues.ts"
import { ConfigError, type Path, type Problem, quote } from "../../config/problem.ts"
import { nearest } from "../../config/suggest.ts"
import { Expected, TestCaseShell, TestFileShell, USUAL_NOW } from "../../config/testSchema.ts"
import { parseYaml, type YamlDocument } from "../../config/yaml.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { plan } from "../plan/plan.ts"

/** What is expected of one route, by record. */
export interface RouteExpectation {
  readonly route: Route
  readonly expected: ReadonlyArray<Expected>
}

export interface MappingTest {
  readonly name: string
  /** Where it stands among the file's tests. */
  readonly index: number
  readonly line: number
  readonly column: number
  readonly pipeline: Pipeline
  readonly records: ReadonlyArray<JsonObject>
  readonly change: "upsert" | "delete"
  readonly delivered: boolean
  /** None: nothing is expected yet, and `--update` writes what every route makes of the records. */
  readonly expect: ReadonlyArray<RouteExpectation> | undefined
}

export interface TestPlan {
  readonly file: string
  readonly nowMillis: number
  readonly tests: ReadonlyArray<MappingTest>
  readonly warnings: ReadonlyArray<Problem>
}

export interface TestInput {
  readonly file: string
  readonly text: string
  readonly pipelineFile: string
  readonly pipelineText: string
}

/** Reads no environment and asks no vendor. Fails with every problem of either file. */
export const planTests = Effect.fnUntraced(function* (input: TestInput) {
  const document = parseYaml(input.file, input.text)
  if (Result.isFailure(document)) return yield* new ConfigError({ problems: document.failure })
  const value = literalValue(document.success)
  const checker = makeChecker(document.success, asWritten(value))
  const shell = Option.getOrUndefined(checker.decode(TestFileShell, value, []))
  const planning = yield* Effect.result(planWithout(input, shell?.variables ?? {}))
  if (Result.isFailure(planning)) {
    return yield* new ConfigError({ problems: [...checker.problems(), ...planning.failure.problems] })
  }
  const { pipelines } = planning.success
  const places: Places = { document: document.success, checker, pipelines }
  const tests = (shell?.tests ?? []).flatMap((raw, index) => planTest(raw, index, places) ?? [])
  sameNames(tests, checker)
  const problems = checker.problems()
  if (problems.some(({ severity }) => severity === "error")) return yield* new ConfigError({ problems })
  const nowMillis = Date.parse(shell?.now ?? USUAL_NOW)
  const testPlan: TestPlan = { file: input.file, nowMillis, tests, warnings: problems }
  return testPlan
})

/** Nothing of a test file is filled in. */
const asWritten = (value: Json): Reading => ({
  value,
  texts: new Map(),
  interpolated: new Set(),
  unresolved: new Set(),
  problems: [],
})

/**
 * Connections keep `${VAR}` as it is written, since nobody is called. A mapping that holds one would yield rows of no
 * real run, so those are named in the test file.
 */
const planWithout = (input: TestInput, variables: { readonly [name: string]: string | number | boolean }) =>
  plan({
    file: input.pipelineFile,
    text: input.pipelineText,
    env: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])),
    readSecretFile: (path) => new SecretFileError({ message: `${path} is not read by tests` }),
    unset: (finding, [section]) => {
      if ((section === "sources" || section === "sinks") && finding.code !== "variable.syntax") return undefined
      const said = `${finding.message}. Tests take it from \`variables:\` in ${input.file}, not from the environment`
      return finding.code === "variable.missing" ? { ...finding, code: "test.variable", message: said } : finding
    },
  })

interface Places {
  readonly document: YamlDocument
  readonly checker: Checker
  readonly pipelines: ReadonlyArray<Pipeline>
}

function planTest(raw: unknown, index: number, places: Places): MappingTest | undefined {
  const { checker, document } = places
  const path = ["tests", index]
  const shell = Option.getOrUndefined(checker.decode(TestCaseShell, raw, path))
  if (shell === undefined) return undefined
  const pipeline = findPipeline(shell.pipeline, path, places)
  if (pipeline === undefined) return undefined
  const records = shell.records ?? (shell.record === undefined ? [] : [shell.record])
  for (const [at, record] of records.entries()) {
    const where = shell.records === undefined ? [...path, "record"] : [...path, "records", at]
    checkRecord(record, where, pipeline, checker)
  }
  const expect =
    shell.expect === undefined
      ? undefined
      : Object.entries(shell.expect).flatMap(
          ([name, written]) =>
            planExpectation(name, written, [...path, "expect", name], pipeline, records.length, checker) ?? [],
        )
  const change = shell.change ?? "upsert"
  const delivered = shell.delivered ?? change === "delete"
  const { line, column } = document.position([...path, "name"], "key")
  return { name: shell.name, index, line, column, pipeline, records, change, delivered, expect }
}

function findPipeline(wanted: string | undefined, path: Path, { pipelines, checker }: Places): Pipeline | undefined {
  const names = pipelines.map(({ name }) => name)
  const only = pipelines.length === 1 ? pipelines[0] : undefined
  const found = wanted === undefined ? only : pipelines.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  if (wanted === undefined) {
    const message = `say which \`pipeline\` is tested: the file has ${names.join(", ")}`
    checker.report({ code: "test.pipeline", path, message })
  } else {
    const message = `the file has no pipeline ${quote(wanted)}; it has ${names.join(", ")}`
    checker.report({
      code: "test.pipeline",
      path: [...path, "pipeline"],
      message,
      suggestion: nearest(wanted, names),
    })
  }
  return undefined
}

/** Fields may be missing, since a test needs few; a type that the source never gives would test nothing. */
function checkRecord(record: JsonObject, path: Path, { stream, source }: Pipeline, checker: Checker): void {
  const decoded = Schema.decodeUnknownResult(stream.spec.record, { errors: "all" })(record)
  if (Result.isSuccess(decoded)) return
  for (const issue of findings(decoded.failure.issue)) {
    if (issue.code === "key.missing") continue
    const message = `${source.plugin.name} gives no such record: ${issue.message}`
    checker.report({ code: "test.record", path: [...path, ...issue.path], message })
  }
}

function planExpectation(
  name: string,
  written: unknown,
  path: Path,
  pipeline: Pipeline,
  count: number,
  checker: Checker,
): RouteExpectation | undefined {
  const names = pipeline.routes.map((route) => route.name)
  const route = pipeline.routes.find((each) => each.name === name)
  if (route === undefined) {
    const message = `the pipeline ${pipeline.name} has no route ${quote(name)}; it has ${names.join(", ")}`
    checker.report({ code: "test.route", path, place: "key", message, suggestion: nearest(name, names) })
    return undefined
  }
  const isList = Array.isArray(written)
  const items: ReadonlyArray<unknown> = isList ? written : [written]
  if (items.length !== count) {
    const message = isList
      ? `expects ${items.length} records, and the test has ${count}`
      : `the test has ${count} records: expect a list, in their order`
    checker.report({ code: "test.count", path, message })
    return undefined
  }
  const expected = items.flatMap((item, at) => {
    const own = isList ? [...path, at] : path
    const found = Option.getOrUndefined(checker.decode(Expected, item, own))
    if (found === undefined) return []
    checkFields(found, own, route, checker)
    return [found]
  })
  return expected.length === count ? { route, expected } : undefined
}

/** A field that the mapping does not write can be in no row. */
function checkFields(expected: Expected, path: Path, { mapping, name }: Route, checker: Checker): void {
  const known = mapping.fields.map(({ field }) => field)
  const named: ReadonlyArray<readonly [field: string, at: Path]> = [
    ...(["row", "has"] as const).flatMap((kind) =>
      Object.keys(expected[kind] ?? {}).map((field) => [field, [...path, kind, field]] as const),
    ),
    ...(expected.absent ?? []).map((field, at) => [field, [...path, "absent", at]] as const),
  ]
  for (const [field, at] of named) {
    if (known.includes(field)) continue
    const message = `the mapping of ${name} writes no field ${quote(field)}`
    checker.report({ code: "test.field", path: at, place: "key", message, suggestion: nearest(field, known) })
  }
}

function sameNames(tests: ReadonlyArray<MappingTest>, checker: Checker): void {
  const seen = new Set<string>()
  for (const { name, index } of tests) {
    if (seen.has(name)) {
      const message = `another test is called ${quote(name)} too`
      checker.report({ code: "test.name", path: ["tests", index, "name"], message })
    }
    seen.add(name)
  }
}
