/** Gathers the problems of one file: schema issues and what the planner finds, each with its place. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { pathKey, type Reading } from "./interpolate.ts"
import { type Finding, findings } from "./issues.ts"
import { type Path, type Problem, printPath } from "./problem.ts"
import type { Place, YamlDocument } from "./yaml.ts"

export interface Checker {
  readonly file: string
  /** True where the scalar holds a variable or a secret file. */
  readonly isInterpolated: (path: Path) => boolean
  readonly report: (finding: {
    readonly code: string
    readonly path: Path
    readonly message: string
    readonly place?: Place
    readonly severity?: Problem["severity"]
    readonly suggestion?: string | undefined
  }) => void
  /**
   * Decodes what stands at `path`, reporting every issue there. A value is returned also when it decodes without the
   * keys that are wrong, so that the rest of the file is checked in the same go; the plan fails all the same.
   */
  readonly decode: <T>(
    schema: Schema.Codec<T, unknown>,
    value: unknown,
    path: Path,
    /** Keys that are decoded elsewhere, for suggestions. */
    siblings?: ReadonlyArray<string>,
  ) => Option.Option<T>
  readonly problems: () => ReadonlyArray<Problem>
}

const STRICT = { errors: "all", onExcessProperty: "error" } as const

export function makeChecker(document: YamlDocument, reading: Reading): Checker {
  const problems = [...reading.problems]
  const report: Checker["report"] = ({ path, code, message, place = "value", severity = "error", suggestion }) => {
    // Below a scalar whose variable is missing nothing else is known.
    if (path.some((_, depth) => reading.unresolved.has(pathKey(path.slice(0, depth + 1))))) return
    const where = { path: printPath(path), file: document.file, ...document.position(path, place) }
    problems.push({ code, severity, message, ...where, ...(suggestion === undefined ? {} : { suggestion }) })
  }
  const decode: Checker["decode"] = (schema, value, path, siblings) => {
    const first = Schema.decodeUnknownResult(schema, STRICT)(value)
    const asText = Result.isSuccess(first) ? value : textsWhereWanted(value, path, first.failure.issue, reading)
    const strict = asText === value ? first : Schema.decodeUnknownResult(schema, STRICT)(asText)
    const issues = Result.isSuccess(strict) ? undeclared(schema, asText) : findings(strict.failure.issue, [], siblings)
    for (const issue of issues) report({ ...issue, path: [...path, ...issue.path] })
    if (Result.isSuccess(strict)) return Option.some(strict.success)
    return Result.getSuccess(Schema.decodeUnknownResult(schema)(withoutKeys(asText, issues)))
  }
  const isInterpolated = (path: Path) => reading.interpolated.has(pathKey(path))
  return { file: document.file, isInterpolated, report, decode, problems: () => problems.toSorted(byPlace) }
}

const byPlace = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column

/** An API key of digits only reads as a number: where the schema refuses that, it gets the text. */
function textsWhereWanted(value: unknown, at: Path, issue: SchemaIssue.Issue, reading: Reading): unknown {
  let changed = value
  for (const { path } of findings(issue)) {
    const text = reading.texts.get(pathKey([...at, ...path]))
    if (text !== undefined) changed = replaceAt(changed, path, text)
  }
  return changed
}

function withoutKeys(value: unknown, wrong: ReadonlyArray<Finding>): unknown {
  if (!Predicate.isObject(value)) return value
  const keys = new Set(wrong.map(({ path }) => path[0]))
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.has(key)))
}

function replaceAt(value: unknown, path: Path, text: string): unknown {
  const [step, ...rest] = path
  if (step === undefined) return text
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? replaceAt(item, rest, text) : item))
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === step ? replaceAt(item, rest, text) : item]),
  )
}

/** A struct without fields lets every key pass, so its keys are refused here. */
function undeclared(schema: Schema.Top, value: unknown): ReadonlyArray<Finding> {
  const ast = SchemaAST.toEncoded(schema.ast)
  const empty = SchemaAST.isObjects(ast) && ast.propertySignatures.length + ast.indexSignatures.length === 0
  if (!empty || !Predicate.isObject(value)) return []
  return Object.keys(value).map((key) => {
    return { code: "key.unknown", message: "no keys are taken here", path: [key], place: "key" }
  })
}
