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

export function findings(issue: SchemaIssue.Issue, path: Path = []): ReadonlyArray<Finding> {
  switch (issue._tag) {
    case "Pointer":
      return findings(issue.issue, [
        ...path,
        ...issue.path.map((step) => (typeof step === "number" ? step : String(step))),
      ])
    case "Composite":
      return issue.issues.flatMap((inner) => findings(inner, path))
    case "Encoding":
      return findings(issue.issue, path)
    case "AnyOf":
      return anyOf(issue, path)
    case "MissingKey":
      return [{ code: "key.missing", path, message: `the key ${lastOf(path)} is missing`, place: "key" }]
    case "UnexpectedKey":
      return [unknownKey(issue.ast, path)]
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
    const below = (inner.path ?? []).map((step) => (typeof step === "number" ? step : String(step)))
    const message = inner.message.replace(/^Expected /, "expected ")
    return { code, path: [...path, ...below], message, place: "value" }
  })
}

function unknownKey(ast: SchemaAST.AST, path: Path): Finding {
  const known = SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []
  const suggestion = nearest(String(path.at(-1) ?? ""), known)
  const message = `unknown key ${lastOf(path)}; the keys here are ${known.join(", ")}`
  return { code: "key.unknown", path, message, place: "key", suggestion }
}

const lastOf = (path: Path): string => quote(String(path.at(-1) ?? ""))
