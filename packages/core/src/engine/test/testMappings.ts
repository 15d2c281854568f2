/** Runs mapping tests: the records through the route's own mapping and the engine's own judgement, and no call. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ConfigError, type Path, printPath } from "../../config/problem.ts"
import { parseYaml } from "../../config/yaml.ts"
import type { SinkReason, SourceReason } from "../../plugin/errors.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import { isOutdated, lockedFields, NEWS, type SchemaLock } from "../lock/schemaLock.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { type Judging, judge, type Verdict } from "../run/judge.ts"
import { compareRecord } from "./compareRecord.ts"
import { type OfflineWriter, openOffline } from "./offlineWriter.ts"
import { type MappingTest, planTests, type TestInput } from "./testFile.ts"
import type { Got, Judged, RecordReport, TestFileReport, TestReport } from "./testReport.ts"

/** Fails with every problem of the two files; a test that does not pass is part of the report. */
export const testMappings = Effect.fnUntraced(function* (input: TestInput, lock: SchemaLock | undefined) {
  const plan = yield* planTests(input)
  const writers = new Map<Route, OfflineWriter>()
  for (const { pipeline, route } of plan.tests.flatMap(routesOf)) {
    if (writers.has(route)) continue
    const opening = openOffline(route, lockedFields(lock, pipeline.name, route), input.pipelineFile)
    writers.set(route, yield* Effect.mapError(opening, ({ reason }) => refused(input, pipeline, route, reason)))
  }
  const tests: Array<TestReport> = []
  const placeOf = placesIn(input)
  for (const test of plan.tests) tests.push(yield* runTest(test, { nowMillis: plan.nowMillis, writers, placeOf }))
  const report: TestFileReport = {
    file: input.file,
    pipeline_file: input.pipelineFile,
    ok: tests.every(({ ok }) => ok),
    tests,
    notices: [...writers.values()].flatMap(({ notices }) => notices).concat(outdated(lock, input.pipelineFile)),
  }
  return report
})

const outdated = (lock: SchemaLock | undefined, file: string): ReadonlyArray<string> =>
  lock === undefined || !isOutdated(lock)
    ? []
    : [
        `the saved fields lack ${NEWS}, which are not judged; \`sluice schema --connect ${file} --lock\` saves them anew`,
      ]

/** A sink that cannot work with a route says so before any call. */
const refused = (input: TestInput, pipeline: Pipeline, route: Route, reason: SinkReason | SourceReason) => {
  const below = reason._tag === "Misconfigured" ? (reason.path ?? []) : []
  const path = ["pipelines", pipeline.name, "to", route.name, ...below]
  const said = { code: "test.sink", severity: "error" as const, path: printPath(path), message: reason.message }
  return new ConfigError({ problems: [{ ...said, file: input.pipelineFile, ...placesIn(input)(path) }] })
}

/** Where something stands in the pipeline file. */
const placesIn = ({ pipelineFile, pipelineText }: TestInput) => {
  const document = parseYaml(pipelineFile, pipelineText)
  return (path: Path) => (Result.isSuccess(document) ? document.success.position(path, "key") : { line: 1, column: 1 })
}

const routesOf = ({ expect, pipeline }: MappingTest): ReadonlyArray<{ pipeline: Pipeline; route: Route }> =>
  (expect?.map(({ route }) => route) ?? pipeline.routes).map((route) => ({ pipeline, route }))

interface Testing {
  readonly nowMillis: number
  readonly writers: ReadonlyMap<Route, OfflineWriter>
  readonly placeOf: ReturnType<typeof placesIn>
}

const runTest = Effect.fnUntraced(function* (test: MappingTest, { nowMillis, writers, placeOf }: Testing) {
  const routes: Array<TestReport["routes"][number]> = []
  for (const { route } of routesOf(test)) {
    const writer = writers.get(route)
    if (writer === undefined) continue
    const map = ["pipelines", test.pipeline.name, "to", route.name, "map"]
    const made = (yield* judgeRecords(test, route, writer, nowMillis)).map((got): Got => {
      if (got.outcome !== "refused") return got
      const { line, column } = placeOf([...map, ...got.fields.slice(0, 1)])
      return { ...got, line, column }
    })
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
    const got = judgedAs(judge(judging, judged, arrival, known))
    if (got.outcome === "row") holders.set(key, ledgerRow)
    return got
  })
})

const judgedAs = (verdict: Verdict): Judged => {
  if (verdict._tag === "Send") {
    const { row } = verdict.write
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
