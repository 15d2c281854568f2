/** The keys of a pipeline file (DESIGN §2). The property of a schema is the key in the YAML. */
import * as Schema from "effect/Schema"
import { describe } from "../plugin/describe.ts"

const text = Schema.String.check(Schema.isNonEmpty({ expected: "text that is not empty" }))
const anything = Schema.Record(Schema.String, Schema.Unknown)
const flag = (description: string) => Schema.optionalKey(Schema.Boolean.pipe(describe(description)))
const choice = <const L extends ReadonlyArray<string>>(choices: L, description: string) =>
  Schema.optionalKey(Schema.Literals(choices).pipe(describe(description)))

/** Names of sources, sinks and pipelines: no dot, because `from` and `to` join them with one. */
export const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** Every type a mapped value can be given. */
export const AS = ["text", "number", "integer", "boolean", "date", "datetime", "json", "list"] as const

/** One destination field of a `map`: an expression, a literal, or the long form of either. */
export const MapEntry = Schema.Union([
  Schema.String.annotate({ description: "A JSONata expression over the source record; a plain path is the simplest." }),
  Schema.Finite.annotate({ description: "A literal number." }),
  Schema.Boolean.annotate({ description: "A literal true or false." }),
  Schema.Struct({
    from: Schema.optionalKey(text.pipe(describe("A JSONata expression over the source record."))),
    as: choice(AS, "The type to convert to; a value that does not convert makes the record invalid."),
    default: Schema.optionalKey(Schema.Json.pipe(describe("Written where the expression yields nothing."))),
    required: flag("A record without a value is rejected."),
    value: Schema.optionalKey(Schema.Json.pipe(describe("A literal, instead of `from`."))),
    diff: flag("false: sent, and left out when rows are compared with what was last written."),
    join: Schema.optionalKey(Schema.String.pipe(describe("Joins a list to one text with this between its items."))),
  }),
]).annotate({ expected: "an expression, a number, true or false, or a map with from or value" })
export type MapEntry = typeof MapEntry.Type

/** The keys every source and sink takes beside its plugin's own. */
export const entryFields = {
  use: text.pipe(describe("The plugin: a short name, a package name, or a path that starts with ./ or ../")),
  base_url: Schema.optionalKey(
    Schema.NullOr(Schema.String).pipe(describe("Replaces the vendor's address: a proxy, a mock, the sandbox.")),
  ),
  share: Schema.optionalKey(
    Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).pipe(
      describe("The part of the vendor's rate limit to use, above 0 and up to 1."),
    ),
  ),
  insecure: flag("Allows http to a host that is not this machine."),
}
export const Entry = Schema.StructWithRest(Schema.Struct(entryFields), [Schema.Record(Schema.String, Schema.Unknown)])
export type Entry = typeof Entry.Type

const MaxRejected = Schema.Struct({
  percent: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 })).pipe(
      describe("Of the rows so far, in percent, from the 100th row on."),
    ),
  ),
  count: Schema.optionalKey(Schema.Natural.pipe(describe("Rejected rows of one run."))),
})

/** Everything of a route but its map entries, which are decoded one by one so that each reports its own issues. */
export const routeFields = {
  where: Schema.optionalKey(
    Schema.Union([text, Schema.Boolean]).pipe(
      describe("A JSONata condition; records it does not hold for are filtered."),
    ),
  ),
  key: Schema.optionalKey(text.pipe(describe("The mapped field by which the destination recognises a row."))),
  with: Schema.optionalKey(anything.pipe(describe("Options of the sink object."))),
  max_rejected: Schema.optionalKey(MaxRejected.pipe(describe("Stops the route when either bound is passed."))),
  on_key_conflict: choice(
    ["reject", "newest"],
    "Two records with the same key: reject the second, or keep the newest.",
  ),
  on_delete: Schema.optionalKey(
    text.pipe(describe("What to do about a deleted record: keep, or what the object offers.")),
  ),
  on_leave: choice(["keep", "on_delete"], "What to do about a delivered record that `where` now excludes."),
}
const mapDescription = "Destination field: expression over the source record."
export const RouteShell = Schema.Struct({ ...routeFields, map: anything.pipe(describe(mapDescription)) })
export const Route = Schema.Struct({
  ...routeFields,
  map: Schema.Record(Schema.String, MapEntry).pipe(describe(mapDescription)),
})

const pipelineFields = {
  from: text.pipe(describe("<source>.<stream>")),
  with: Schema.optionalKey(anything.pipe(describe("Options of the stream."))),
  sync: choice(["full", "incremental"], "Read everything, or what changed since the last run. Without it: full."),
}
const toDescription = "Where the records go, by <sink>.<object>: one read, many sinks."
export const PipelineShell = Schema.Struct({ ...pipelineFields, to: anything.pipe(describe(toDescription)) })
export const Pipeline = Schema.Struct({
  ...pipelineFields,
  to: Schema.Record(Schema.String, Route).pipe(describe(toDescription)),
})

const fileFields = {
  name: Schema.optionalKey(text.pipe(describe("The name of this file in reports; without it, the file's own name."))),
  dead_letters: Schema.optionalKey(
    Schema.Struct({
      payload: choice(["full", "none"], "Whether dead letters keep the record and the row."),
    }).pipe(describe("What is kept of records that could not be delivered.")),
  ),
}
const sources = "Where records come from, by a name of your choice."
const sinks = "Where rows go, by a name of your choice."
const pipelines = "What is read and where it goes, by a name of your choice."
export const FileShell = Schema.Struct({
  ...fileFields,
  sources: anything.pipe(describe(sources)),
  sinks: anything.pipe(describe(sinks)),
  pipelines: anything.pipe(describe(pipelines)),
})
export const File = Schema.Struct({
  ...fileFields,
  sources: Schema.Record(Schema.String, Entry).pipe(describe(sources)),
  sinks: Schema.Record(Schema.String, Entry).pipe(describe(sinks)),
  pipelines: Schema.Record(Schema.String, Pipeline).pipe(describe(pipelines)),
})
