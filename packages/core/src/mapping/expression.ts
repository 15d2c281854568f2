/** One expression of a mapping: a constant, a plain path, or JSONata within bounds. */
import type { Json, JsonObject } from "effect/Schema"
import jsonata from "jsonata"
import { Fault } from "./fault.ts"
import { type Finding, type Inspection, inspect, isBare } from "./inspect.ts"
import { compilePath, isList, isObject } from "./path.ts"
import { judgePattern } from "./pattern.ts"

/** What `$now` and `$millis` yield during a page: the run's start. */
export interface Bindings {
  readonly now: (picture?: unknown, zone?: unknown) => unknown
  readonly millis: () => number
}

export type Evaluator =
  | { readonly _tag: "Constant"; readonly value: Json }
  | { readonly _tag: "Path"; readonly read: (data: JsonObject) => unknown }
  /** Yields any value or a fault; never rejects. */
  | { readonly _tag: "Computed"; readonly evaluate: (data: JsonObject, bindings: Bindings) => Promise<unknown> }

export type Expression = { readonly source: string; readonly evaluator: Evaluator } & Inspection

/** What one expression may take, in milliseconds; a record that has taken this long is not evaluated further. */
export const timeLimit = 1000

/** JSONata nests a few JavaScript frames for each level: 1,000 is far from the end of the stack. */
const limits = { timeout: timeLimit, stack: 1000, sequence: 1_000_000 }

/** Compiles an expression; the problems of one that does not parse are its only finding. */
export function compileExpression(source: string): Expression {
  const names = plainNames(source)
  if (names !== undefined) {
    const evaluator: Evaluator = { _tag: "Path", read: compilePath(names) }
    return { source, evaluator, reads: new Set(names.slice(0, 1)), tellsTime: false, problems: [] }
  }
  const parsed = parse(source)
  if ("problem" in parsed) {
    return {
      source,
      evaluator: { _tag: "Constant", value: null },
      reads: new Set(),
      tellsTime: false,
      problems: [parsed.problem],
    }
  }
  const tree: unknown = parsed.program.ast()
  return { source, evaluator: constant(tree) ?? path(tree) ?? computed(parsed.program), ...inspect(tree) }
}

/** What most mappings are, read without JSONata, so that a file of such paths never has to load it. */
function plainNames(source: string): ReadonlyArray<string> | undefined {
  const names = source.split(".")
  return names.every((name) => /^[A-Za-z_]\w*$/.test(name) && !/^(true|false|null)$/.test(name)) ? names : undefined
}

type Parsed = { readonly program: jsonata.Expression } | { readonly problem: Finding }

function parse(source: string): Parsed {
  try {
    return { program: jsonata(source, { ...limits, RegexEngine: BoundedRegExp }) }
  } catch (cause) {
    const position = isObject(cause) && typeof cause.position === "number" ? ` at character ${cause.position}` : ""
    const text = isObject(cause) && typeof cause.message === "string" ? cause.message : "cannot be read"
    return { problem: { code: "bad_expression", message: `is no JSONata expression${position}: ${text}` } }
  }
}

function constant(tree: unknown): Evaluator | undefined {
  if (!isObject(tree) || !isBare(tree)) return undefined
  const { type, value } = tree
  const literal = type === "string" || type === "number" || type === "value"
  if (!literal || (typeof value === "string" && !value.isWellFormed())) return undefined
  return isScalar(value) ? { _tag: "Constant", value } : undefined
}

const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"

/** Names and dots only, quoted or not; everything else is for JSONata. */
function path(tree: unknown): Evaluator | undefined {
  if (!isObject(tree) || tree.type !== "path" || !isList(tree.steps)) return undefined
  if (!Object.keys(tree).every((key) => key === "type" || key === "steps")) return undefined
  const names: Array<string> = []
  for (const step of tree.steps) {
    if (!isObject(step) || step.type !== "name" || !isBare(step)) return undefined
    names.push(String(step.value))
  }
  return { _tag: "Path", read: compilePath(names) }
}

function computed(program: jsonata.Expression): Evaluator {
  const evaluate = (data: JsonObject, bindings: Bindings) =>
    program.evaluate(data, { now: bindings.now, millis: bindings.millis }).catch(faultOf)
  return { _tag: "Computed", evaluate }
}

let formatTime: jsonata.Expression | undefined

export const bindingsAt = (start: number): Bindings => ({
  now: (picture, zone) => {
    formatTime ??= jsonata("$fromMillis($start, $picture, $zone)", { timeout: timeLimit })
    return formatTime.evaluate({}, { start, picture, zone })
  },
  millis: () => start,
})

const textTooLong = "sluice_text_too_long"

/** Checked before each use, because no timeout can stop a regular expression once it runs. */
const BoundedRegExp = new Proxy(RegExp, {
  construct(target, args) {
    const [source, flags] = args
    const pattern = new target(source, flags)
    const verdict = judgements.get(String(pattern)) ?? judgePattern(pattern)
    if (judgements.size < 1000) judgements.set(String(pattern), verdict)
    const maxLength = verdict._tag === "Safe" ? verdict.maxLength : 0
    const exec = (text: string) => {
      if (text.length > maxLength) throw { code: textTooLong }
      return RegExp.prototype.exec.call(pattern, text)
    }
    return Object.defineProperty(pattern, "exec", { value: exec })
  },
})

const judgements = new Map<string, ReturnType<typeof judgePattern>>()

/** JSONata's own messages hold values of the record, so only its code and position are used. */
function faultOf(cause: unknown): Fault {
  const code = isObject(cause) && typeof cause.code === "string" ? cause.code : ""
  const at = isObject(cause) && typeof cause.position === "number" ? ` at character ${cause.position}` : ""
  if (code === "D1012") return tooSlow
  if (code === "D1011" || cause instanceof RangeError) return new Fault("too_deep", "nests too deeply when evaluated")
  if (code === "D2014" || code === "D2015") return new Fault("too_large", "makes a list that is too large")
  if (code === textTooLong) return new Fault("text_too_long", "matches a pattern against text that is too long for it")
  const name = /^[A-Z][0-9]{4}$/.test(code) ? ` (JSONata ${code})` : ""
  return new Fault("expression_failed", `failed${at}${name}${meaning(code)}`)
}

export const tooSlow = new Fault("too_slow", `took longer than ${timeLimit} ms`)

function meaning(code: string): string {
  if (code === "D3030") return ": a value is no number"
  if (code === "D3110") return ": a value is no ISO 8601 time"
  if (code === "D3137") return ": $error was called"
  if (code === "D3141") return ": $assert failed"
  return code.startsWith("T") ? ": a value does not have the type that is needed" : ""
}
