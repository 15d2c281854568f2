/** Reads YAML with positions and within bounds: size, tokens and depth are checked before anything is built. */
import * as Result from "effect/Result"
import {
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
} from "yaml"
import { type Path, type Problem, printPath } from "./problem.ts"
import { hideBraces } from "./template.ts"
import { refusals } from "./yamlRefusals.ts"

/** The parser's time grows faster than its input, so these stand before it. */
export const MAX_FILE_BYTES = 256 * 1024
const MAX_TOKENS = 40_000
const MAX_DEPTH = 64
const MAX_SYNTAX_PROBLEMS = 20

/** What a position is asked for: the key of a map's entry, or what stands behind it. */
export type Place = "key" | "value"

export interface YamlDocument {
  readonly file: string
  readonly root: ParsedNode
  /** The place of a path, or of the nearest part of it that is in the file. */
  readonly position: (path: Path, place: Place) => { readonly line: number; readonly column: number }
}

type Finding = { readonly code: string; readonly message: string; readonly offset: number; readonly path?: Path }

export function parseYaml(file: string, text: string): Result.Result<YamlDocument, ReadonlyArray<Problem>> {
  const lines = new LineCounter()
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const fail = (findings: ReadonlyArray<Finding>) =>
    Result.fail(
      findings.slice(0, MAX_SYNTAX_PROBLEMS).map(({ code, message, offset, path }): Problem => {
        return { code, severity: "error", path: printPath(path ?? []), message, file, ...at(offset) }
      }),
    )
  const large = tooLarge(text)
  if (large !== undefined) return fail([large])
  for (let start = 0; start >= 0; start = text.indexOf("\n", start) + 1 || -1) lines.addNewLine(start)
  const bad = badCharacter(text)
  if (bad !== undefined) return fail([bad])
  const composed = compose(hideBraces(text))
  if (Result.isFailure(composed)) return fail([composed.failure])
  const document = composed.success
  const syntax = [...document.errors, ...document.warnings].map(syntaxFinding)
  const root = document.contents
  if (syntax.length > 0 || root === null) return fail(syntax.length > 0 ? syntax : [EMPTY])
  const refused = refusals(root)
  if (refused.length > 0) return fail(refused)
  return Result.succeed({ file, root, position: (path, place) => at(offsetOf(root, path, place)) })
}

const EMPTY: Finding = { code: "yaml.empty", message: "the file is empty", offset: 0 }

function tooLarge(text: string): Finding | undefined {
  const bytes = text.length > MAX_FILE_BYTES ? text.length : new TextEncoder().encode(text).length
  if (bytes <= MAX_FILE_BYTES) return undefined
  return { code: "yaml.too-large", message: `the file is larger than ${MAX_FILE_BYTES / 1024} KiB`, offset: 0 }
}

/** Control characters are no YAML; the two noncharacters are ours, see `hideBraces`. */
function badCharacter(text: string): Finding | undefined {
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset)
    const control = code < 0x20 ? code !== 0x09 && code !== 0x0a && code !== 0x0d : code === 0x7f
    if (!control && code !== 0xfdd0 && code !== 0xfdd1) continue
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
    return { code: "yaml.character", message: `the character ${name} is not allowed`, offset }
  }
  if (text.isWellFormed()) return undefined
  return { code: "yaml.character", message: "the text is not well-formed Unicode", offset: 0 }
}

/** The steps of `yaml`'s own `parseDocument`, one token at a time, so that a hostile text is left early. */
function compose(text: string): Result.Result<Document.Parsed, Finding> {
  const parser = new Parser()
  const composer = new Composer({ version: "1.2", schema: "core", stringKeys: true, uniqueKeys: false })
  const documents: Array<Document.Parsed> = []
  let tokens = 0
  let errors = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS)
      return failAt("yaml.too-large", `the file has more than ${MAX_TOKENS} tokens`, parser.offset)
    for (const token of parser.next(lexeme)) {
      if (token.type === "directive")
        return failAt("yaml.directive", "directives (lines that start with %) are not allowed", token.offset)
      // An error costs the composer a stack trace; enough of them are reported.
      if (token.type !== "error" || ++errors <= MAX_SYNTAX_PROBLEMS) documents.push(...composer.next(token))
    }
    if (documents.length > 0) return failAt("yaml.multiple-documents", "only one document is allowed", parser.offset)
    if (parser.stack.length > MAX_DEPTH + 2)
      return failAt("yaml.too-deep", `nested more than ${MAX_DEPTH} levels deep`, parser.offset)
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end(true, text.length))
  const [document, second] = documents
  if (second !== undefined) return failAt("yaml.multiple-documents", "only one document is allowed", second.range[0])
  return document === undefined ? Result.fail(EMPTY) : Result.succeed(document)
}

const failAt = (code: string, message: string, offset: number) => Result.fail({ code, message, offset })

/** Without what follows a colon: there the parser quotes the text, which may be a secret. */
function syntaxFinding(error: YAMLError): Finding {
  if (error.code === "TAG_RESOLVE_FAILED")
    return { code: "yaml.tag", message: "tags are not allowed", offset: error.pos[0] }
  if (error.code === "NON_STRING_KEY") return { code: "yaml.key", message: "a key must be text", offset: error.pos[0] }
  const message = error.message.replace(/(: |").*$/s, "").trim()
  return { code: "yaml.syntax", message: message.length < 8 ? "invalid YAML" : message, offset: error.pos[0] }
}

function offsetOf(root: ParsedNode, path: Path, place: Place): number {
  let node: ParsedNode | null = root
  let offset = root.range[0]
  for (const [depth, step] of path.entries()) {
    const found = entryOf(node, step)
    if (found === undefined) return offset
    const wantsKey = place === "key" || depth < path.length - 1
    offset = (wantsKey ? found.key : undefined) ?? found.value?.range[0] ?? offset
    node = found.value
  }
  return offset
}

function entryOf(node: ParsedNode | null, step: string | number) {
  if (isSeq<ParsedNode>(node) && typeof step === "number") {
    const value = node.items[step]
    return value === undefined ? undefined : { key: undefined, value }
  }
  if (!isMap<ParsedNode, ParsedNode | null>(node)) return undefined
  const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step)
  return pair === undefined ? undefined : { key: pair.key.range[0], value: pair.value }
}
