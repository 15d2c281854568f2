/** One destination field of a mapping: where its value comes from and what becomes of it. */
import type { Json, JsonObject } from "effect/Schema"
import { type Convert, converter } from "./convert.ts"
import type { LongEntry, MapEntry, MappingProblem } from "./entry.ts"
import { type Bindings, compileExpression, type Expression } from "./expression.ts"
import { Fault } from "./fault.ts"
import type { Makes } from "./mapping.ts"
import { plain } from "./plain.ts"

/** A source of values. `compute` where JSONata is needed; its answer goes to `finish` as that of `read` does. */
export interface Cell {
  readonly read: ((data: JsonObject) => unknown) | undefined
  readonly compute: ((data: JsonObject, bindings: Bindings) => Promise<unknown>) | undefined
}

export interface Column extends Cell {
  /** As printed: the expression, or the literal as JSON. */
  readonly source: string
  readonly field: string
  readonly diff: boolean
  readonly makes: Makes
  /** Makes the row's value of a raw one. Undefined: the field is absent. */
  readonly finish: (raw: unknown) => Json | undefined | Fault
}

export interface Compiled {
  readonly column: Column
  readonly reads: Expression["reads"]
  readonly problems: ReadonlyArray<MappingProblem>
}

const unset: LongEntry = {}
const missing = new Fault("required", "is required and has no value")

export function compileColumn(field: string, written: MapEntry, isKey: boolean): Compiled {
  const entry = longForm(written)
  const at = (code: string, message: string, ...path: ReadonlyArray<string>): MappingProblem => {
    const inside = typeof written === "object" ? path : []
    return { path: ["map", field, ...inside], code, message }
  }
  const problems = [...shape(field, entry, isKey, at)]
  const convert = converter(entry.as, entry.join)
  const fixed = (key: "value" | "default"): Json | undefined => {
    const made = finishing(unset, convert, undefined)(entry[key])
    if (made instanceof Fault) problems.push(at(made.code, `\`${key}\` ${made.message}`, key))
    return made instanceof Fault ? undefined : made
  }
  const value = fixed("value")
  const standard = fixed("default")
  const finish = finishing(entry, convert, standard)
  const makes: Makes = { as: entry.join === undefined ? entry.as : "text", value, default: standard }
  const diff = entry.diff !== false
  if (entry.from === undefined) {
    const source = JSON.stringify(entry.value ?? null)
    const column = { source, field, diff, makes, read: () => undefined, compute: undefined, finish: () => value }
    return { column, reads: new Set(), problems }
  }
  const expression = compileExpression(entry.from)
  problems.push(...expression.problems.map(({ code, message }) => at(code, message, "from")))
  if (expression.tellsTime && isKey) problems.push(at("unstable_key", "a key cannot use $now or $millis", "from"))
  else if (expression.tellsTime && diff) {
    problems.push(at("unstable_field", "$now and $millis differ in every run: add `diff: false`", "from"))
  }
  const column = { source: entry.from, field, diff, makes, ...cell(expression), finish }
  return { column, reads: expression.reads, problems }
}

export const longForm = (entry: MapEntry): LongEntry =>
  typeof entry === "string" ? { from: entry } : typeof entry === "object" ? entry : { value: entry }

export function cell({ evaluator }: Expression): Cell {
  switch (evaluator._tag) {
    case "Constant":
      return { read: () => evaluator.value, compute: undefined }
    case "Path":
      return { read: evaluator.read, compute: undefined }
    case "Computed":
      return { read: undefined, compute: evaluator.evaluate }
  }
}

/** A default stands for absent and for null: both mean that there is no value. Other nulls clear the field. */
function finishing(entry: LongEntry, convert: Convert, standard: Json | undefined): Column["finish"] {
  const required = entry.required === true
  return (raw) => {
    const value = plain(raw)
    if (value !== undefined && value !== null) return value instanceof Fault ? value : convert(value)
    if (standard !== undefined && standard !== null) return standard
    if (required) return missing
    return standard === undefined ? value : standard
  }
}

type At = (code: string, message: string, ...path: ReadonlyArray<string>) => MappingProblem

/** What can be said of an entry without its expression. */
function* shape(field: string, entry: LongEntry, isKey: boolean, at: At): Generator<MappingProblem> {
  if (field === "" || field === "__proto__") yield at("bad_field", "is no name for a field")
  if (entry.from === undefined && entry.value === undefined) yield at("no_source", "needs `from` or `value`")
  if (entry.from !== undefined && entry.value !== undefined) {
    yield at("two_sources", "has both `from` and `value`; keep one", "value")
  }
  if (entry.join !== undefined && entry.as !== undefined && entry.as !== "list") {
    yield at("join_without_list", "`join` goes with `as: list`", "join")
  }
  if (isKey && (entry.from === undefined || entry.default !== undefined)) {
    yield at("constant_key", "the key must come from each record: rows that share one overwrite each other")
  }
}
