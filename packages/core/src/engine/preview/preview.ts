/** Shows for real records what a run would write, field by field against the live destination, and never writes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type { Json, JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Issue, Mapped } from "../../mapping/mapping.ts"
import { type FieldIssue, rowValidator } from "../../mapping/validate.ts"
import { Misconfigured } from "../../plugin/errors.ts"
import type { Row, SourceRecord } from "../../plugin/record.ts"
import type { Field, Held, Writer } from "../../plugin/sink.ts"
import type { Estimate, Reader, ScanRequest } from "../../plugin/source.ts"
import {
  ConnectionError,
  type ConnectServices,
  on,
  openSinks,
  openSource,
  openWriter,
  scanRequest,
} from "../connect.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { mask, maskKey } from "./mask.ts"
import type { FieldPreview, PreviewAction, PreviewReport, RecordPreview, RowPreview } from "./previewReport.ts"

export interface PreviewOptions {
  /** How many records from the start of the stream, unless `ids` or `emails` name them. */
  readonly limit: number
  readonly ids: ReadonlyArray<string>
  readonly emails: ReadonlyArray<string>
  /** Shows values in full. */
  readonly reveal: boolean
}

export const preview = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  options: PreviewOptions,
): Effect.fn.Return<PreviewReport, ConnectionError, ConnectServices> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const source = pipeline.source.endpoint.name
      const reader = yield* openSource(pipeline)
      const sinks = yield* openSinks(pipeline)
      const identity = yield* reader.identify.pipe(on(source))
      const request = scanRequest(pipeline, pipeline.routes, "preview")
      const estimate = yield* estimateRun(reader, request, source)
      const { records, missing } = yield* pick(reader, request, source, options)
      const now = yield* Clock.currentTimeMillis
      const routes: Array<RouteView> = []
      for (const route of pipeline.routes) {
        const connection = sinks.get(route.sink.endpoint.name)
        if (connection === undefined) continue
        const { label } = yield* connection.identify.pipe(on(route.sink.endpoint.name))
        const writer = yield* openWriter(connection, route, estimate?.records)
        const mapped = yield* route.mapping.map(records, now)
        routes.push({ route, account: label, writer, rows: yield* judgeRoute(route, writer, mapped, options.reveal) })
      }
      return report(pipeline, identity.label, records, missing, routes, estimate, options.reveal)
    }),
  )
})

interface RouteView {
  readonly route: Route
  readonly account: string
  readonly writer: Writer
  /** One for each record, in order. */
  readonly rows: ReadonlyArray<RowPreview>
}

const estimateRun = (reader: Reader, request: ScanRequest, source: string) =>
  reader.estimate === undefined ? Effect.undefined : reader.estimate(request).pipe(on(source))

interface Picked {
  readonly records: ReadonlyArray<SourceRecord>
  readonly missing: ReadonlyArray<{ readonly field: string; readonly value: string }>
}

const pick = Effect.fnUntraced(function* (
  reader: Reader,
  request: ScanRequest,
  source: string,
  options: PreviewOptions,
): Effect.fn.Return<Picked, ConnectionError> {
  const wanted = [
    ...options.ids.map((value) => ({ field: "key", value })),
    ...options.emails.map((value) => ({ field: "email", value })),
  ]
  if (wanted.length > 0) return yield* findEach(reader, request, source, wanted)
  const records = yield* reader.read(request).pipe(
    Stream.map((page) => page.records),
    Stream.flattenIterable,
    Stream.take(options.limit),
    Stream.runCollect,
    on(source),
  )
  return { records, missing: [] }
})

const findEach = Effect.fnUntraced(function* (
  reader: Reader,
  request: ScanRequest,
  source: string,
  wanted: ReadonlyArray<{ readonly field: string; readonly value: string }>,
): Effect.fn.Return<Picked, ConnectionError> {
  const found = new Map<string, SourceRecord>()
  const missing: Array<{ field: string; value: string }> = []
  for (const by of wanted) {
    if (reader.find === undefined || !(reader.findBy ?? ["key"]).includes(by.field)) {
      const message = `records of ${request.stream} cannot be found by ${named(by.field)}; use --limit`
      return yield* new ConnectionError({ connection: source, reason: new Misconfigured({ message }) })
    }
    const records = yield* reader.find(request, by).pipe(on(source))
    if (records.length === 0) missing.push({ field: named(by.field), value: by.value })
    for (const record of records) found.set(record.key, record)
  }
  return { records: [...found.values()], missing }
})

/** As the command line calls it. */
const named = (field: string): string => (field === "key" ? "id" : field)

const judgeRoute = Effect.fnUntraced(function* (
  route: Route,
  writer: Writer,
  mapped: ReadonlyArray<Mapped>,
  reveal: boolean,
): Effect.fn.Return<ReadonlyArray<RowPreview>, ConnectionError> {
  const name = route.sink.endpoint.name
  const fields = writer.fields === undefined ? [] : yield* writer.fields.pipe(on(name))
  const owners = keyOwners(mapped)
  const rows = mapped.flatMap((each) =>
    each._tag === "Row" && owners.get(each.row.key) === each.row.id ? [each.row] : [],
  )
  const keys = [...owners.keys()]
  const held =
    writer.lookup === undefined || keys.length === 0 ? undefined : yield* writer.lookup(keys, rows).pipe(on(name))
  const judge = judgeRow(route, writer, fields, held, reveal)
  return mapped.map((each) => {
    if (each._tag === "Filtered") return { action: "filter", reasons: [], fields: [] }
    if (each._tag === "Invalid") return { action: "refuse", reasons: each.issues.map(reasonOf), fields: [] }
    return judge(each.row, owners.get(each.row.key) === each.row.id)
  })
})

/** Rule 7: of two records with one row key the first has it. */
const keyOwners = (mapped: ReadonlyArray<Mapped>): ReadonlyMap<string, string> => {
  const owners = new Map<string, string>()
  for (const each of mapped) {
    if (each._tag === "Row" && !owners.has(each.row.key)) owners.set(each.row.key, each.row.id)
  }
  return owners
}

const reasonOf = (issue: Issue) => ({
  code: issue.code,
  message: `${issue.source} → ${issue.field}: ${issue.message}`,
})

/** As the engine judges it: a destination that does not describe its fields takes any. */
const validator = (route: Route, schema: ReadonlyArray<Field>): ((row: JsonObject) => ReadonlyArray<FieldIssue>) =>
  schema.length === 0 ? () => [] : rowValidator(schema, route.mapping.key)

const judgeRow = (
  route: Route,
  writer: Writer,
  schema: ReadonlyArray<Field>,
  held: ReadonlyMap<string, Held> | undefined,
  reveal: boolean,
) => {
  const validate = validator(route, schema)
  const judge = (row: Row, owned: boolean, before: Held | undefined): RowPreview => {
    const fields = compareFields(route, schema, before?.fields, row, held !== undefined)
    const shown = reveal ? fields : fields.map(maskField(route.mapping.key))
    if (row.change === "delete") return { action: "delete", reasons: [], fields: [] }
    const issues = validate(row.fields).map(({ code, message }) => ({ code, message }))
    const refusal = writer.refuse?.(row)
    const reasons = refusal === undefined ? issues : [...issues, { code: refusal.code, message: refusal.message }]
    if (!owned) reasons.push({ code: "key_conflict", message: `another record of this preview has the same key` })
    if (reasons.length > 0) return { action: "refuse", reasons, fields: shown }
    if (before?.held !== undefined) {
      return { action: "hold", reasons: [{ code: "held", message: before.held }], fields: shown }
    }
    return { action: actionOf(held, before, fields), reasons: [], fields: shown }
  }
  return (row: Row, owned: boolean): RowPreview => {
    const before = held?.get(row.key)
    return { ...judge(row, owned, before), ...(before?.why === undefined ? {} : { why: before.why }) }
  }
}

const actionOf = (
  held: ReadonlyMap<string, Held> | undefined,
  before: Held | undefined,
  fields: ReadonlyArray<FieldPreview>,
): PreviewAction => {
  if (held === undefined) return "send"
  if (before === undefined) return "create"
  return fields.some((field) => field.changed) ? "change" : "leave"
}

/** Rule 5: absent, null and value stay apart on both sides. */
const compareFields = (
  route: Route,
  schema: ReadonlyArray<Field>,
  before: JsonObject | undefined,
  row: Row,
  comparable: boolean,
): ReadonlyArray<FieldPreview> => {
  const lists = new Set(schema.filter((field) => field.type === "list").map((field) => field.name))
  return route.mapping.fields.map(({ source, field }) => {
    const old = own(before, field)
    const next = own(row.fields, field)
    const same = next === undefined || (old === undefined ? next === null : equal(old, next, lists.has(field)))
    return {
      source,
      field,
      ...(old === undefined ? {} : { before: old }),
      ...(next === undefined ? {} : { after: next }),
      changed: comparable && !same,
    }
  })
}

const own = (fields: JsonObject | undefined, name: string): Json | undefined =>
  fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined

/** The order of a list is the destination's. */
const equal = (old: Json, next: Json, list: boolean): boolean =>
  list && Array.isArray(old) && Array.isArray(next) ? Equal.equals(sorted(old), sorted(next)) : Equal.equals(old, next)

const sorted = (list: ReadonlyArray<Json>) => list.map((item) => JSON.stringify(item)).sort()

const maskField =
  (key: string) =>
  (field: FieldPreview): FieldPreview => {
    const hide = (value: Json): Json =>
      field.field === key && typeof value === "string" ? maskKey(value) : mask(value)
    return {
      ...field,
      ...(field.before === undefined ? {} : { before: hide(field.before) }),
      ...(field.after === undefined ? {} : { after: hide(field.after) }),
    }
  }

const report = (
  pipeline: Pipeline,
  account: string,
  records: ReadonlyArray<SourceRecord>,
  missing: Picked["missing"],
  views: ReadonlyArray<RouteView>,
  estimate: Estimate | undefined,
  reveal: boolean,
): PreviewReport => ({
  pipeline: pipeline.name,
  ok: missing.length === 0 && views.every(({ rows }) => rows.every((row) => row.action !== "refuse")),
  masked: !reveal,
  source: { connection: pipeline.source.endpoint.name, stream: pipeline.stream.name, account },
  routes: Object.fromEntries(
    views.map(({ route, account: label, rows }) => [
      route.name,
      { account: label, key: route.mapping.key, actions: countActions(rows) },
    ]),
  ),
  records: records.map(
    (record, at): RecordPreview => ({
      id: reveal ? record.key : maskKey(record.key),
      routes: Object.fromEntries(
        views.flatMap(({ route, rows }) => {
          const row = rows[at]
          return row === undefined ? [] : [[route.name, row]]
        }),
      ),
    }),
  ),
  not_found: missing,
  run: costOf(pipeline, views, estimate),
})

const countActions = (rows: ReadonlyArray<RowPreview>) => {
  const counts: { [action in PreviewAction]: number } = {
    create: 0,
    change: 0,
    leave: 0,
    send: 0,
    delete: 0,
    filter: 0,
    refuse: 0,
    hold: 0,
  }
  for (const row of rows) counts[row.action] += 1
  return counts
}

/** Sources and sinks work at the same time, so a run takes as long as its slowest connection. */
const costOf = (
  pipeline: Pipeline,
  views: ReadonlyArray<RouteView>,
  estimate: Estimate | undefined,
): PreviewReport["run"] => {
  const calls = new Map<string, number | null>([[pipeline.source.endpoint.name, estimate?.calls ?? null]])
  const seconds = new Map<string, number>([[pipeline.source.endpoint.name, estimate?.seconds ?? 0]])
  for (const { route, writer } of views) {
    const name = route.sink.endpoint.name
    const rows = estimate?.records
    const cost = rows === undefined ? undefined : (writer.cost?.(rows) ?? perBatch(rows, writer.limits.rows))
    const sum = calls.get(name) ?? 0
    calls.set(name, cost === undefined ? null : sum + cost.calls)
    seconds.set(name, (seconds.get(name) ?? 0) + (cost?.seconds ?? 0))
  }
  const known = estimate?.records !== undefined
  return {
    records: estimate?.records ?? null,
    calls: Object.fromEntries(calls),
    seconds: known ? Math.ceil(Math.max(...seconds.values())) : null,
  }
}

const perBatch = (rows: number, size: number) => ({ calls: Math.ceil(rows / size), seconds: 0 })
