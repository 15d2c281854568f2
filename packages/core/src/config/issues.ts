/** Schema issues in the words of the file: a code, a path, what was expected, and a likely name. Never a value. */
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { type Path, quote } from "./problem.ts"
import { nearest } from "./suggest.ts"
import type { Place } from "./yaml.ts"

export interface Finding {
  readonly code: string
  readonly path: Path
  readonly message: string
  readonly place: Place
  readonly suggestion?: string | undefined
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** `siblings` are keys that are decoded elsewhere and stand beside those of the schema. */
export function findings(
  issue: SchemaIssue.Issue,
  path: Path = [],
  siblings: ReadonlyArray<string> = [],
): ReadonlyArray<Finding> {
  switch (issue._tag) {
    case "Pointer":
      return findings(issue.issue, [...path, ...issue.path.map(stepOf)], siblings)
    case "Composite":
      return issue.issues.flatMap((inner) => findings(inner, path, siblings))
    case "Encoding":
      return findings(issue.issue, path, siblings)
    case "AnyOf":
      return anyOf(issue, path)
    case "MissingKey":
      return [{ code: "key.missing", path, message: `the key ${lastOf(path)} is missing`, place: "key" }]
    case "UnexpectedKey":
      return [unknownKey(issue.ast, path, path.length === 1 ? siblings : [])]
    case "Filter":
      return formatted(issue, path, "value.invalid")
    case "InvalidType":
      return formatted(issue, path, "value.type")
    case "InvalidValue":
    case "Forbidden":
    case "OneOf":
      return formatted(issue, path, "value.invalid")
  }
}

/** Of a union, only what its fitting members say; where none fits, what all of them take. */
function anyOf(issue: SchemaIssue.AnyOf, path: Path): ReadonlyArray<Finding> {
  if (issue.issues.length > 0) return issue.issues.flatMap((inner) => findings(inner, path))
  return formatted(issue, path, isChoice(issue.ast) ? "value.invalid" : "value.type")
}

const isChoice = (ast: SchemaAST.AST): boolean => SchemaAST.isUnion(ast) && ast.types.every(SchemaAST.isLiteral)

/** The formatter adds the path of what is inside; a check of a whole struct can point at one of its keys. */
function formatted(issue: SchemaIssue.Issue, path: Path, code: string): ReadonlyArray<Finding> {
  return format(issue).issues.map((inner) => {
    const below = (inner.path ?? []).map((step) => stepOf(typeof step === "object" ? step.key : step))
    const expected = inner.message.replace(/^Expected /, "expected ")
    const message = code === "value.type" ? inYaml(expected) : expected
    return { code, path: [...path, ...below], message, place: "value" }
  })
}

const stepOf = (step: PropertyKey) => (typeof step === "number" ? step : String(step))

/** The types by the names of the guide. */
const inYaml = (text: string): string =>
  text
    .replaceAll(/\bobject\b/g, "a map")
    .replaceAll(/\barray\b/g, "a list")
    .replaceAll(/\bstring\b/g, "text")

function unknownKey(ast: SchemaAST.AST, path: Path, siblings: ReadonlyArray<string>): Finding {
  const own = SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []
  const known = [...own, ...siblings]
  const suggestion = nearest(String(path.at(-1) ?? ""), known)
  const message = `unknown key ${lastOf(path)}; the keys here are ${known.join(", ")}`
  return { code: "key.unknown", path, message, place: "key", suggestion }
}

const lastOf = (path: Path): string => quote(String(path.at(-1) ?? ""))
