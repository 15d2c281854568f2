/** Plans one `to:` entry: the object of a sink, its options, the mapping and what happens to deleted records. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import type { Checker } from "../../config/checker.ts"
import { type Path, quote } from "../../config/problem.ts"
import { MapEntry, RouteShell } from "../../config/schema.ts"
import { nearest } from "../../config/suggest.ts"
import { canonicalJson } from "../../mapping/canonical.ts"
import { compileMapping } from "../../mapping/compile.ts"
import type { Mapping } from "../../mapping/mapping.ts"
import type { Field, ObjectSpec, Sink } from "../../plugin/sink.ts"
import { isIrreversible, type Route } from "../pipeline.ts"
import type { Planned, PlannedEntries } from "./planEntries.ts"

/** Undefined where a problem stands in the way, which is reported. */
export function planRoute(
  name: string,
  raw: Json | undefined,
  path: Path,
  sinks: PlannedEntries<Sink>,
  checker: Checker,
): Route | undefined {
  const target = findObject(name, path, sinks, checker)
  const shell = Option.getOrUndefined(checker.decode(RouteShell, raw, path))
  if (shell === undefined) return undefined
  const key = shell.key ?? target?.spec.key
  const mapping = planMapping(shell, key, path, target?.spec, checker)
  if (target === undefined) return undefined
  const { sink, object, spec } = target
  if (key !== undefined) checkFields(Object.keys(shell.map), key, spec.fields ?? [], path, checker)
  const onDelete = planDelete(shell.on_delete, spec, name, path, checker)
  if (shell.on_leave === "on_delete" && isIrreversible({ spec, onDelete })) {
    const message = `${quote(onDelete)} cannot be undone, so it is not for records that \`where\` excludes; leave on_leave out`
    checker.report({ code: "on_delete.irreversible", path: [...path, "on_leave"], message })
  }
  const written = shell.with === undefined ? {} : writtenOptions(raw)
  const options = checker.decode(spec.options, written, [...path, "with"])
  if (mapping === undefined || Option.isNone(options)) return undefined
  return {
    name,
    sink,
    object,
    spec,
    options: options.value,
    written,
    optionsFingerprint: canonicalJson(written),
    mapping,
    maxRejected: { percent: shell.max_rejected?.percent, count: shell.max_rejected?.count },
    onKeyConflict: shell.on_key_conflict ?? "reject",
    onDelete,
    onLeave: shell.on_leave ?? "keep",
  }
}

interface Target {
  readonly sink: Planned<Sink>
  readonly object: string
  readonly spec: ObjectSpec
}

function findObject(name: string, path: Path, sinks: PlannedEntries<Sink>, checker: Checker): Target | undefined {
  const dot = name.indexOf(".")
  if (dot <= 0 || dot === name.length - 1) {
    checker.report({ code: "route.name", path, place: "key", message: "a route is named <sink>.<object>" })
    return undefined
  }
  const [sinkName, object] = [name.slice(0, dot), name.slice(dot + 1)]
  const sink = sinks.get(sinkName)
  if (sink === undefined) {
    const suggestion = nearest(sinkName, sinks.keys())
    const message = `there is no sink ${quote(sinkName)} in this file`
    checker.report({
      code: "sink.unknown",
      path,
      place: "key",
      message,
      suggestion: suggestion && `${suggestion}.${object}`,
    })
  }
  if (sink === undefined || Option.isNone(sink)) return undefined
  const { objects, name: plugin } = sink.value.plugin
  const names = typeof objects === "function" ? [] : Object.keys(objects)
  const spec = typeof objects === "function" ? objects(object) : names.includes(object) ? objects[object] : undefined
  if (spec !== undefined) return { sink: sink.value, object, spec }
  const suggestion = nearest(object, names)
  const known = names.length > 0 ? `; it has ${names.join(", ")}` : ""
  const message = `${plugin} has no object ${quote(object)}${known}`
  checker.report({
    code: "object.unknown",
    path,
    place: "key",
    message,
    suggestion: suggestion && `${sinkName}.${suggestion}`,
  })
  return undefined
}

function planMapping(
  shell: typeof RouteShell.Type,
  key: string | undefined,
  path: Path,
  spec: ObjectSpec | undefined,
  checker: Checker,
): Mapping | undefined {
  const fields = Object.keys(shell.map)
  if (fields.length === 0) checker.report({ code: "map.empty", path: [...path, "map"], message: "no field is mapped" })
  const missing = key === undefined && spec !== undefined
  if (missing)
    checker.report({ code: "key.missing", path: [...path, "key"], place: "key", message: "the key `key` is missing" })
  const unmapped = key !== undefined && !fields.includes(key)
  if (unmapped && fields.length > 0) {
    const at = [...path, ...(shell.key === undefined ? ["map"] : ["key"])]
    const message = `the key field ${quote(key)} is not in \`map\``
    checker.report({ code: "key.not-mapped", path: at, message, suggestion: nearest(key, fields) })
  }
  const map = new Map<string, MapEntry>()
  const recovered = new Set<string>()
  for (const field of fields) {
    const entry = checker.decode(MapEntry, shell.map[field], [...path, "map", field])
    if (Option.isSome(entry)) map.set(field, entry.value)
    if (Option.isSome(entry) && size(entry.value) < size(shell.map[field])) recovered.add(field)
  }
  if (map.size === 0) return undefined
  const route = { key: key ?? "", map: Object.fromEntries(map) }
  const compiled = compileMapping(shell.where === undefined ? route : { ...route, where: shell.where })
  if (Result.isSuccess(compiled)) return compiled.success
  for (const problem of compiled.failure) {
    // What is wrong about the key is already said above, with the object's own key in view.
    if (problem.path[0] === "key" && (unmapped || key === undefined || !map.has(key))) continue
    // An entry that lost a key to an earlier problem is not judged as a whole.
    if (problem.path.length === 2 && recovered.has(problem.path[1] ?? "")) continue
    const code = `mapping.${problem.code.replaceAll("_", "-")}`
    checker.report({ ...problem, code, path: [...path, ...problem.path] })
  }
  return undefined
}

const size = (entry: unknown): number => (typeof entry === "object" && entry !== null ? Object.keys(entry).length : 0)

/** Against the fields known without asking the vendor; `check --connect` compares with the live ones. */
function checkFields(
  mapped: ReadonlyArray<string>,
  key: string,
  fields: ReadonlyArray<Field>,
  path: Path,
  checker: Checker,
) {
  const known = new Map(fields.map((field) => [field.name, field]))
  for (const name of mapped) {
    const at = [...path, "map", name]
    const field = known.get(name)
    const otherCase = fields.find((other) => other.name.toLowerCase() === name.toLowerCase())
    if (field?.writable === false && name !== key)
      checker.report({ code: "field.read-only", path: at, place: "key", message: `${quote(name)} cannot be written` })
    if (field === undefined && otherCase !== undefined) {
      const message = `there is no field ${quote(name)}: upper and lower case differ`
      checker.report({ code: "field.case", path: at, place: "key", message, suggestion: otherCase.name })
    }
  }
  for (const field of fields) {
    if (field.required !== true || mapped.includes(field.name)) continue
    const message = `the field ${quote(field.name)} is required by the destination`
    checker.report({ code: "field.missing", path: [...path, "map"], place: "key", message })
  }
  const keys = fields.filter((field) => field.key === true).map((field) => field.name)
  if (known.get(key)?.key !== true && known.has(key) && keys.length > 0) {
    const message = `rows cannot be matched by ${quote(key)}; they can by ${keys.join(", ")}`
    checker.report({ code: "key.unsupported", path: [...path, "key"], message })
  }
}

function planDelete(wanted: string | undefined, spec: ObjectSpec, name: string, path: Path, checker: Checker): string {
  const offered = ["keep", ...spec.deletes]
  if (wanted === undefined || offered.includes(wanted)) return wanted ?? "keep"
  const message = `${quote(name)} takes ${offered.join(", ")}`
  checker.report({
    code: "on_delete.unsupported",
    path: [...path, "on_delete"],
    message,
    suggestion: nearest(wanted, offered),
  })
  return "keep"
}

/** As the file has them, variables filled in: what a fingerprint covers. */
export function writtenOptions(raw: Json | undefined): Json {
  return isJsonObject(raw) && Object.hasOwn(raw, "with") ? (raw.with ?? {}) : {}
}

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
