/** Compiles a route's mapping once, and maps pages with it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import { nearest } from "../config/suggest.ts"
import type { SourceRecord } from "../plugin/record.ts"
import { canonicalJson, canonicalWriter } from "./canonical.ts"
import { type Cell, type Column, cell, compileColumn, longForm } from "./column.ts"
import type { MappingProblem, RouteMapping } from "./entry.ts"
import { type Bindings, bindingsAt, compileExpression, type Expression, timeLimit, tooSlow } from "./expression.ts"
import { Fault } from "./fault.ts"
import type { Issue, Mapped, Mapping } from "./mapping.ts"
import { rowKey } from "./rowKey.ts"
import { isTrue } from "./truth.ts"

/** Every problem at once. Paths are below the route. */
export function compileMapping(route: RouteMapping): Result.Result<Mapping, ReadonlyArray<MappingProblem>> {
  const where = compileWhere(route.where)
  const compiled = Object.entries(route.map).map(([field, entry]) => compileColumn(field, entry, field === route.key))
  const columns = compiled.map(({ column }) => column)
  const key = columns.findIndex(({ field }) => field === route.key)
  const problems = [...where.problems, ...compiled.flatMap((each) => each.problems)]
  if (key < 0) problems.push(unmappedKey(route))
  if (problems.length > 0) return Result.fail(problems)
  const plan = makePlan(where.cell, columns, key)
  return Result.succeed({
    key: route.key,
    fields: columns.map(({ source, field }) => ({ source, field })),
    makes: new Map(columns.map(({ field, makes }) => [field, makes])),
    reads: allReads([where.reads, ...compiled.map(({ reads }) => reads)]),
    fingerprint: fingerprint(route),
    map: mapper(plan),
  })
}

type Where = Cell & { readonly source: string }

function compileWhere(where: string | boolean | undefined) {
  if (typeof where !== "string") {
    const kept = where ?? true
    const always: Where = { source: String(kept), read: () => kept, compute: undefined }
    return { cell: always, reads: new Set<string>(), problems: [] }
  }
  const expression = compileExpression(where)
  const problems: Array<MappingProblem> = expression.problems.map((each) => ({ path: ["where"], ...each }))
  if (expression.tellsTime) {
    const message = "$now and $millis would let records in and out as time passes"
    problems.push({ path: ["where"], code: "unstable_where", message })
  }
  return { cell: { source: where, ...cell(expression) }, reads: expression.reads, problems }
}

function unmappedKey(route: RouteMapping): MappingProblem {
  const near = nearest(route.key, Object.keys(route.map))
  const message = `the key \`${route.key}\` is not in \`map\`: say where its value comes from`
  return { path: ["key"], code: "unmapped_key", message, ...(near === undefined ? {} : { suggestion: near }) }
}

function allReads(reads: ReadonlyArray<Expression["reads"]>): ReadonlyArray<string> | "all" {
  const names = new Set<string>()
  for (const each of reads) {
    if (each === "all") return "all"
    for (const name of each) names.add(name)
  }
  return [...names]
}

/** The version at its head grows when the same file would give other rows. */
function fingerprint({ where, key, map }: RouteMapping): string {
  const entries = Object.entries(map).map(([field, entry]): [string, JsonObject] => [field, { ...longForm(entry) }])
  return canonicalJson({ version: 1, where: where ?? true, key, map: Object.fromEntries(entries) })
}

interface Plan {
  readonly where: Where
  readonly columns: ReadonlyArray<Column>
  readonly keyAt: number
  /** The canonical JSON of the fields that are compared. */
  readonly canonical: (fields: JsonObject) => string
}

const makePlan = (where: Where, columns: ReadonlyArray<Column>, keyAt: number): Plan => ({
  where,
  columns,
  keyAt,
  canonical: canonicalWriter(columns.filter(({ diff }) => diff).map(({ field }) => field)),
})

/** What JSONata found for a record: `where`, and by position what the columns need. */
interface Found {
  readonly where: unknown
  readonly values: ReadonlyArray<unknown>
}

const nothing: Found = { where: undefined, values: [] }

/** Without JSONata a page is one synchronous pass. */
function mapper(plan: Plan): Mapping["map"] {
  if (plan.where.compute === undefined && plan.columns.every(({ compute }) => compute === undefined)) {
    return (records) => Effect.sync(() => records.map((record) => judge(plan, record, nothing)))
  }
  return (records, runStart) =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const bindings = bindingsAt(runStart)
      const mapped: Array<Mapped> = []
      while (mapped.length < records.length) {
        yield* Effect.promise((signal) => mapSome(plan, records, mapped, bindings, clock, signal))
        // JSONata never leaves the microtask queue: let timers and sockets have their turn.
        yield* Effect.yieldNow
      }
      return mapped
    })
}

/** How long expressions may keep everything else waiting, in milliseconds. */
const turn = 20

async function mapSome(
  plan: Plan,
  records: ReadonlyArray<SourceRecord>,
  mapped: Array<Mapped>,
  bindings: Bindings,
  clock: Clock.Clock,
  signal: AbortSignal,
): Promise<void> {
  const start = clock.currentTimeMillisUnsafe()
  for (let record = records[mapped.length]; record !== undefined; record = records[mapped.length]) {
    const found = await compute(plan, record, bindings, clock)
    mapped.push(judge(plan, record, found))
    if (signal.aborted || clock.currentTimeMillisUnsafe() - start >= turn) return
  }
}

/** A process that was kept waiting takes its records for slow ones; what is slow by itself is so again. */
async function compute(plan: Plan, record: SourceRecord, bindings: Bindings, clock: Clock.Clock): Promise<Found> {
  const found = await computeOnce(plan, record, bindings, clock)
  const isSlow = found.where === tooSlow || found.values.includes(tooSlow)
  return isSlow ? computeOnce(plan, record, bindings, clock) : found
}

/** Evaluates what a record needs: of a deleted one the key, of one that `where` excludes nothing more. */
async function computeOnce(plan: Plan, record: SourceRecord, bindings: Bindings, clock: Clock.Clock): Promise<Found> {
  const { data, change } = record
  const start = clock.currentTimeMillisUnsafe()
  const evaluate = async ({ compute }: Cell): Promise<unknown> => {
    if (compute === undefined) return undefined
    return clock.currentTimeMillisUnsafe() - start > timeLimit ? tooSlow : compute(data, bindings)
  }
  const where = change === "delete" ? undefined : await evaluate(plan.where)
  const values: Array<unknown> = []
  if (change !== "delete" && !passes(plan, data, where)) return { where, values }
  for (const [at, column] of plan.columns.entries()) {
    const needed = change !== "delete" || at === plan.keyAt
    values.push(needed && column.compute !== undefined ? await evaluate(column) : undefined)
  }
  return { where, values }
}

function passes({ where }: Plan, data: JsonObject, found: unknown): boolean {
  const kept = where.read === undefined ? found : where.read(data)
  return kept === true || isTrue(kept)
}

function judge(plan: Plan, record: SourceRecord, found: Found): Mapped {
  try {
    if (record.change === "delete") return deletion(plan, record, found)
    if (found.where instanceof Fault) {
      return { _tag: "Invalid", record, issues: [issue(plan.where.source, "where", found.where)] }
    }
    return passes(plan, record.data, found.where) ? assemble(plan, record, found) : { _tag: "Filtered", record }
  } catch (cause) {
    // Lists nested thousands deep: the walk itself runs out of stack.
    if (!(cause instanceof RangeError)) throw cause
    const field = { source: plan.where.source, field: plan.columns[plan.keyAt]?.field ?? "" }
    return { _tag: "Invalid", record, issues: [{ ...field, code: "too_deep", message: "the record nests too deeply" }] }
  }
}

function assemble(plan: Plan, record: SourceRecord, found: Found): Mapped {
  const { columns, keyAt } = plan
  const fields: { [field: string]: Json } = {}
  let keyValue: Json | undefined
  let issues: Array<Issue> | undefined
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at]
    if (column === undefined) continue
    const value = column.finish(raw(column, at, record.data, found))
    if (value === undefined) continue
    if (value instanceof Fault) {
      issues ??= []
      issues.push(issue(column.source, column.field, value))
    } else {
      fields[column.field] = value
      if (at === keyAt) keyValue = value
    }
  }
  const key = rowKey(keyValue)
  if (typeof key === "string" && issues === undefined) {
    const row = { id: record.key, key, change: record.change, fields }
    return { _tag: "Row", record, row, canonical: plan.canonical(fields) }
  }
  return { _tag: "Invalid", record, issues: withKey(plan, issues ?? [], key) }
}

const raw = (column: Column, at: number, data: JsonObject, found: Found): unknown =>
  column.read === undefined ? found.values[at] : column.read(data)

function withKey(plan: Plan, issues: ReadonlyArray<Issue>, key: string | Fault): ReadonlyArray<Issue> {
  const column = plan.columns[plan.keyAt]
  if (typeof key === "string" || column === undefined) return issues
  return issues.some(({ field }) => field === column.field)
    ? issues
    : [...issues, issue(column.source, column.field, key)]
}

const issue = (source: string, field: string, { code, message }: Fault): Issue => ({
  source,
  field,
  code,
  message: `${field} ${message}`,
})

/** A deletion always becomes a row: what is left of the record need not make sense. */
function deletion(plan: Plan, record: SourceRecord, found: Found): Mapped {
  const column = plan.columns[plan.keyAt]
  const value = column === undefined ? undefined : column.finish(raw(column, plan.keyAt, record.data, found))
  const key = rowKey(value instanceof Fault ? undefined : value)
  const row = { id: record.key, key: typeof key === "string" ? key : record.key, change: record.change, fields: {} }
  return { _tag: "Row", record, row, canonical: "{}" }
}
