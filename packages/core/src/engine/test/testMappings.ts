/** Runs mapping tests: the records through the route's own mapping and the engine's own judgement, and no call. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ConfigError, printPath } from "../../config/problem.ts"
import { parseYaml } from "../../config/yaml.ts"
import type { SinkReason, SourceReason } from "../../plugin/errors.ts"
import type { Field } from "../../plugin/sink.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { type Judging, judge, type Verdict } from "../run/judge.ts"
import { compareRecord } from "./compareRecord.ts"
import { type OfflineWriter, openOffline } from "./offlineWriter.ts"
import { type MappingTest, planTests, type TestInput } from "./testFile.ts"
import type { Got, RecordReport, TestFileReport, TestReport } from "./testReport.ts"

/** The saved fields of a route's destination, where there are any. */
export type LockedFields = (route: Route) => ReadonlyArray<Field> | undefined

/** Fails with every problem of the two files; a test that does not pass is part of the report. */
export const testMappings = Effect.fnUntraced(function* (input: TestInput, locked: LockedFields) {
  const plan = yield* planTests(input)
  const writers = new Map<Route, OfflineWriter>()
  for (const { pipeline, route } of plan.tests.flatMap(routesOf)) {
    if (writers.has(route)) continue
    const opening = openOffline(route, locked(route))
    writers.set(route, yield* Effect.mapError(opening, ({ reason }) => refused(input, pipeline, route, reason)))
  }
  const tests: Array<TestReport> = []
  for (const test of plan.tests) tests.push(yield* runTest(test, plan.nowMillis, writers))
  const report: TestFileReport = {
    file: input.file,
    pipeline_file: input.pipelineFile,
    ok: tests.every(({ ok }) => ok),
    tests,
    notices: [...writers.values()].flatMap(({ notices }) => notices),
  }
  return report
})

/** A sink that cannot work with a route says so before any call. */
const refused = (input: TestInput, pipeline: Pipeline, route: Route, reason: SinkReason | SourceReason) => {
  const below = reason._tag === "Misconfigured" ? (reason.path ?? []) : []
  const path = ["pipelines", pipeline.name, "to", route.name, ...below]
  const document = parseYaml(input.pipelineFile, input.pipelineText)
  const place = Result.isSuccess(document) ? document.success.position(path, "key") : { line: 1, column: 1 }
  const said = { code: "test.sink", severity: "error" as const, path: printPath(path), message: reason.message }
  return new ConfigError({ problems: [{ ...said, file: input.pipelineFile, ...place }] })
}

const routesOf = ({ expect, pipeline }: MappingTest): ReadonlyArray<{ pipeline: Pipeline; route: Route }> =>
  (expect?.map(({ route }) => route) ?? pipeline.routes).map((route) => ({ pipeline, route }))

const runTest = Effect.fnUntraced(function* (
  test: MappingTest,
  nowMillis: number,
  writers: ReadonlyMap<Route, OfflineWriter>,
) {
  const routes: Array<TestReport["routes"][number]> = []
  for (const { route } of routesOf(test)) {
    const writer = writers.get(route)
    if (writer === undefined) continue
    const made = yield* judgeRecords(test, route, writer, nowMillis)
    const expected = test.expect?.find((each) => each.route === route)?.expected
    const records = made.map((got, at): RecordReport => {
      const wanted = expected?.[at]
      return wanted === undefined
        ? { ok: false, expected: null, got, differences: [], same: 0 }
        : compareRecord(wanted, got)
    })
    routes.push({ route: route.name, records })
  }
  const { name, pipeline, line, column } = test
  const ok = routes.every(({ records }) => records.every((record) => record.ok))
  const report: TestReport = {
    name,
    pipeline: pipeline.name,
    line,
    column,
    ok,
    expects: test.expect !== undefined,
    routes,
  }
  return report
})

/** Rule 7 among the records of one test: each knows what those before it delivered. */
const judgeRecords = Effect.fnUntraced(function* (
  { pipeline, records, change, delivered }: MappingTest,
  route: Route,
  { writer, validate }: OfflineWriter,
  nowMillis: number,
) {
  const judging: Judging = {
    pipeline: { ...pipeline, deadLetters: { payload: "none" } },
    force: false,
    sha256: (text) => text,
    cipher: { seal: (text) => text },
  }
  const judged = { route, ns: 0, validate, spools: false, writer }
  const mapped = yield* route.mapping.map(
    records.map((data, at) => ({ key: `record ${at + 1}`, change, data })),
    nowMillis,
  )
  const holders = new Map<string, LedgerRow>()
  return mapped.map((each) => {
    const { record } = each
    const key = each._tag === "Row" ? each.row.key : record.key
    const ledgerRow = { id: record.key, row_key: key, hash: null, version: null, remote_id: null }
    const known = { mine: delivered ? ledgerRow : undefined, holder: holders.get(key), letter: undefined }
    const arrival = { id: record.key, mapped: each, pages: [], position: undefined, tally: "run" as const }
    const got = gotOf(judge(judging, judged, arrival, known))
    if (got.outcome === "row") holders.set(key, ledgerRow)
    return got
  })
})

const gotOf = (verdict: Verdict): Got => {
  if (verdict._tag === "Send") {
    const { row } = verdict.entry
    return row.change === "delete"
      ? { outcome: "deleted", key: row.key }
      : { outcome: "row", key: row.key, row: row.fields }
  }
  if (verdict.letter !== undefined) {
    const { code, message, fields } = verdict.letter
    return { outcome: "refused", code, message, fields }
  }
  return { outcome: verdict.kept === undefined && verdict.as === "filtered" ? "filtered" : "kept" }
}
