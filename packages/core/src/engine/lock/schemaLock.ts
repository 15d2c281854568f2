/** The fields of destinations as they were at some time, saved beside a pipeline file: `users.lock.json`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ConfigError } from "../../config/problem.ts"
import type { Field } from "../../plugin/sink.ts"
import type { Route } from "../pipeline.ts"

const LockedField = Schema.Struct({
  type: Schema.Literals(["text", "number", "integer", "boolean", "date", "datetime", "list", "json"]),
  max: Schema.optionalKey(Schema.Int),
  format: Schema.optionalKey(Schema.String),
  digits: Schema.optionalKey(Schema.Int),
  options: Schema.optionalKey(Schema.Array(Schema.String)),
  loose: Schema.optionalKey(Schema.Literal(true)),
  required: Schema.optionalKey(Schema.Literal(true)),
  /** Absent: null takes its value away. */
  nullable: Schema.optionalKey(Schema.Literal(false)),
  key: Schema.optionalKey(Schema.Literal(true)),
  /** Absent: it can be written. */
  writable: Schema.optionalKey(Schema.Literal(false)),
})
export type LockedField = typeof LockedField.Type

const LockedSink = Schema.Struct({
  /** A fingerprint: tells accounts apart, and says nothing of them. */
  account: Schema.String,
  objects: Schema.Record(Schema.String, Schema.Record(Schema.String, LockedField)),
})
export type LockedSink = typeof LockedSink.Type

/** The first version kept less of a field: no format, no digits, and not whether it is loose or nullable. */
const VERSION = 2
export const NEWS = "e-mail and id formats, number ranges and whether null is taken"

const SchemaLock = Schema.Struct({
  sluice_lock: Schema.Literals([1, VERSION]),
  sinks: Schema.Record(Schema.String, LockedSink),
})
export type SchemaLock = typeof SchemaLock.Type

export const makeLock = (sinks: SchemaLock["sinks"]): SchemaLock => ({ sluice_lock: VERSION, sinks })

export const isOutdated = ({ sluice_lock }: SchemaLock): boolean => sluice_lock < VERSION

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(SchemaLock))

/** `pipelineFile`: whose lock it is. */
export const parseLock = (file: string, text: string, pipelineFile: string): Effect.Effect<SchemaLock, ConfigError> =>
  Effect.mapError(decode(text, { onExcessProperty: "error" }), () => {
    const message = `this is no lock of this version: \`sluice schema --connect ${pipelineFile} --lock\` writes it anew`
    const problem = { code: "lock.invalid", severity: "error" as const, path: "", message, file, line: 1, column: 1 }
    return new ConfigError({ problems: [problem] })
  })

/** Sorted and with a field to a line, so that it can be reviewed. */
export const printLock = ({ sluice_lock, sinks }: SchemaLock): string => {
  const map = (entries: ReadonlyArray<string>, indent: string) =>
    entries.length === 0 ? "{}" : `{\n${entries.join(",\n")}\n${indent}}`
  const blocks = sorted(sinks).map(([sink, { account, objects }]) => {
    const shown = sorted(objects).map(([object, fields]) => {
      const lines = sorted(fields).map(([name, field]) => `          ${JSON.stringify(name)}: ${oneLine(field)}`)
      return `        ${JSON.stringify(object)}: ${map(lines, "        ")}`
    })
    const inside = [`      "account": ${JSON.stringify(account)}`, `      "objects": ${map(shown, "      ")}`]
    return `    ${JSON.stringify(sink)}: ${map(inside, "    ")}`
  })
  return `${map([`  "sluice_lock": ${sluice_lock}`, `  "sinks": ${map(blocks, "  ")}`], "")}\n`
}

/** By code unit, so that every machine writes the same. */
export const sorted = <A>(entries: { readonly [name: string]: A }): ReadonlyArray<readonly [string, A]> =>
  Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))

const oneLine = (field: LockedField): string => {
  const shown = (value: LockedField[keyof LockedField]) =>
    Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(", ")}]` : JSON.stringify(value)
  const parts = Object.entries(field).map(([key, value]) => `${JSON.stringify(key)}: ${shown(value)}`)
  return `{ ${parts.join(", ")} }`
}

/** What of a field is kept, in one order whatever the plugin's. */
export const lockField = (field: Field): LockedField => {
  const { type, max, format, digits, options, loose, required, nullable, key, writable } = field
  return {
    type,
    ...(max === undefined ? {} : { max }),
    ...(format === undefined ? {} : { format }),
    ...(digits === undefined ? {} : { digits }),
    ...(options === undefined ? {} : { options: [...new Set(options)].sort() }),
    ...(loose === true ? { loose } : {}),
    ...(required === true ? { required } : {}),
    ...(nullable === false ? { nullable } : {}),
    ...(key === true ? { key } : {}),
    ...(writable ? {} : { writable }),
  }
}

export type LockedFields = { readonly [name: string]: LockedField }

export const lockFields = (fields: ReadonlyArray<Field>): LockedFields =>
  Object.fromEntries(fields.map((field) => [field.name, lockField(field)]))

const own = <A>(entries: { readonly [name: string]: A }, name: string): A | undefined =>
  Object.hasOwn(entries, name) ? entries[name] : undefined

export const lockedSink = (lock: SchemaLock, { sink }: Route): LockedSink | undefined =>
  own(lock.sinks, sink.endpoint.name)

/** Two pipelines may see one object otherwise, as one that makes no records: then the second has it by itself. */
export const ownPlace = (pipeline: string, { object }: Route): string => `${pipeline}/${object}`

export const lockedObject = (lock: SchemaLock, pipeline: string, route: Route): LockedFields | undefined => {
  const objects = lockedSink(lock, route)?.objects ?? {}
  return own(objects, ownPlace(pipeline, route)) ?? own(objects, route.object)
}

/** The saved fields of a route's object, as a sink would give them; none of a destination that describes none. */
export const lockedFields = (
  lock: SchemaLock | undefined,
  pipeline: string,
  route: Route,
): ReadonlyArray<Field> | undefined => {
  const fields = lock === undefined ? undefined : lockedObject(lock, pipeline, route)
  return fields && Object.entries(fields).map(([name, field]) => ({ name, writable: true, ...field }))
}
