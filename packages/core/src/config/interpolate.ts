/** Fills in variables and secret files after the YAML is parsed, so that no value can change the structure. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isMap, isScalar, isSeq, type ParsedNode, Schema as YamlSchema } from "yaml"
import { type Path, type Problem, printPath } from "./problem.ts"
import { nearest } from "./suggest.ts"
import { type Part, parseTemplate, showBraces } from "./template.ts"
import type { YamlDocument } from "./yaml.ts"

/** What a file may be filled in from. Core reads neither the environment nor a disk. */
export interface Variables {
  readonly env: { readonly [name: string]: string | undefined }
  /** A file named by `${file:…}`, read under a size bound. */
  readonly readSecretFile: (path: string) => Effect.Effect<SecretFile, SecretFileError>
  /** What to say of a variable or file without a value at `path`; undefined: it stays as it is written. */
  readonly unset?: (finding: VariableFinding, path: Path) => VariableFinding | undefined
}

/** What is wrong about one variable or secret file. */
export interface VariableFinding {
  readonly code: string
  readonly message: string
  readonly suggestion?: string
  /** The name of one that has no value. */
  readonly variable?: string
}

export interface SecretFile {
  /** All of it: a newline at its end is dropped here. */
  readonly text: string
  /** What should be mended about the file, such as who may read it: a warning where the file is named. */
  readonly concern?: string | undefined
}

/** `message` says why, and holds nothing of the file. */
export class SecretFileError extends Schema.TaggedError<SecretFileError>()("SecretFileError", {
  message: Schema.String,
}) {}

/** The values of a file, filled in. Paths are keys made by `pathKey`. */
export interface Reading {
  readonly value: Schema.Json
  /** Scalars that were one interpolation and read as something else than text: the text, for a schema that wants it. */
  readonly texts: ReadonlyMap<string, string>
  readonly interpolated: ReadonlySet<string>
  /** Scalars without a value: the problem is reported, what follows from it is not. */
  readonly unresolved: ReadonlySet<string>
  readonly problems: ReadonlyArray<Problem>
}

export const pathKey = (path: Path): string => JSON.stringify(path)

type Files = ReadonlyMap<string, Result.Result<SecretFile, SecretFileError>>

export const interpolate = Effect.fnUntraced(function* (document: YamlDocument, variables: Variables) {
  const files = new Map<string, Result.Result<SecretFile, SecretFileError>>()
  for (const path of secretFiles(document.root)) {
    files.set(path, yield* Effect.result(variables.readSecretFile(path)))
  }
  return fill(document, variables, files)
})

/** The values as they are written: nothing is filled in. */
export const literalValue = ({ root }: YamlDocument): Schema.Json => build(root, [], (written) => written)

function secretFiles(node: ParsedNode | null, found = new Set<string>()): ReadonlySet<string> {
  if (isSeq<ParsedNode>(node)) for (const item of node.items) secretFiles(item, found)
  if (isMap<ParsedNode, ParsedNode | null>(node)) for (const { value } of node.items) secretFiles(value, found)
  const template = isScalar(node) && typeof node.value === "string" ? parseTemplate(showBraces(node.value)) : undefined
  if (template === undefined || Result.isFailure(template)) return found
  for (const part of template.success) if (part._tag === "File") found.add(part.path)
  return found
}

function fill(document: YamlDocument, { env, unset = (finding) => finding }: Variables, files: Files): Reading {
  const texts = new Map<string, string>()
  const interpolated = new Set<string>()
  const unresolved = new Set<string>()
  const problems: Array<Problem> = []

  const scalar = (written: string, path: Path): Schema.Json => {
    const template = parseTemplate(written)
    if (template === undefined) return written
    interpolated.add(pathKey(path))
    const report = (severity: Problem["severity"], finding: VariableFinding) =>
      problems.push({
        severity,
        path: printPath(path),
        file: document.file,
        ...document.position(path, "value"),
        ...finding,
      })
    const parts = Result.isFailure(template)
      ? [Result.fail({ code: "variable.syntax", message: template.failure })]
      : template.success.map((part) => resolve(part, env, files))
    const said = parts.flatMap((part) => (Result.isFailure(part) ? (unset(part.failure, path) ?? []) : []))
    for (const finding of said) report("error", finding)
    for (const message of concerns(template, files)) report("warning", { code: "variable.file", message })
    if (parts.some(Result.isFailure)) {
      unresolved.add(pathKey(path))
      return said.length === 0 ? written : null
    }
    const values = parts.map((part) => Result.getOrElse(part, () => ""))
    const text = values.join("")
    const only = Result.isSuccess(template) && template.success.length === 1 ? template.success[0] : undefined
    if (only?._tag === "Variable" && only.fallback === undefined && text === "")
      report("warning", { code: "variable.empty", message: `the variable ${only.name} is set and empty` })
    if (only === undefined || only._tag === "Text") return text
    const typed = readScalar(text)
    if (typed !== text) texts.set(pathKey(path), text)
    return typed
  }

  return { value: build(document.root, [], scalar), texts, interpolated, unresolved, problems }
}

const concerns = (template: Result.Result<ReadonlyArray<Part>, string>, files: Files): ReadonlyArray<string> =>
  Result.getOrElse(template, () => []).flatMap((part) => {
    const read = part._tag === "File" ? files.get(part.path) : undefined
    return read !== undefined && Result.isSuccess(read) ? (read.success.concern ?? []) : []
  })

function build(node: ParsedNode | null, path: Path, scalar: (written: string, path: Path) => Schema.Json): Schema.Json {
  if (isSeq<ParsedNode>(node)) return node.items.map((item, index) => build(item, [...path, index], scalar))
  if (isMap<ParsedNode, ParsedNode | null>(node)) {
    const entries = node.items.map(({ key, value }): [string, Schema.Json] => {
      const name = isScalar(key) ? String(key.value) : ""
      return [name, build(value, [...path, name], scalar)]
    })
    return Object.fromEntries(entries)
  }
  const value: unknown = isScalar(node) ? node.value : null
  if (typeof value === "string") return scalar(showBraces(value), path)
  return typeof value === "number" || typeof value === "boolean" ? value : null
}

function resolve(part: Part, env: Variables["env"], files: Files): Result.Result<string, VariableFinding> {
  if (part._tag === "Text") return Result.succeed(part.text)
  if (part._tag === "File") {
    const read = files.get(part.path)
    if (read !== undefined && Result.isSuccess(read)) return Result.succeed(read.success.text.replace(/\r?\n$/, ""))
    return Result.fail({ code: "variable.file", message: read?.failure.message ?? `${part.path} was not read` })
  }
  const { name, fallback } = part
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (fallback !== undefined) return Result.succeed(value === undefined || value === "" ? fallback : value)
  if (value !== undefined) return Result.succeed(value)
  const suggestion = nearest(name, Object.keys(env))
  const message = `the variable ${name} is not set; set it, or write \${${name}:-default}`
  const hint = suggestion === undefined ? {} : { suggestion }
  return Result.fail({ code: "variable.missing", message, variable: name, ...hint })
}

const core = new YamlSchema({ schema: "core" })

/** A value as YAML reads a plain scalar. Only a number, boolean or null comes of it: never a list or map. */
function readScalar(text: string): Schema.Json {
  for (const tag of core.tags) {
    if (tag.collection !== undefined || tag.default !== true || tag.test?.test(text) !== true) continue
    const resolved: unknown = tag.resolve(text, () => {}, {})
    const value = isScalar(resolved) ? resolved.value : resolved
    if (value === null || typeof value === "boolean") return value
    const exact = typeof value === "number" && Number.isFinite(value)
    if (exact && (Number.isSafeInteger(value) || !Number.isInteger(value))) return value
  }
  return text
}
