/** What `sluice test` found, as text: each test, and where one fails, field by field what was expected. */
import type { Difference, Problem, RecordReport, TestFileReport, TestReport } from "@sluice/core"
import type { Json } from "effect/Schema"
import { ofProblems } from "../troubles.ts"
import { countTroubles, renderTroubles } from "./problems.ts"
import { clean, hang, type Page, padEnd, plural } from "./text.ts"

export interface TestedFile extends TestFileReport {
  /** Names of the tests that `--update` rewrote. */
  readonly updated: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Problem>
}

export const renderTests = ({ files }: { readonly files: ReadonlyArray<TestedFile> }, page: Page): string => {
  const tests = files.flatMap((file) => file.tests)
  const failed = tests.filter(({ ok }) => !ok).length
  const invalid = files.filter(({ problems }) => problems.length > 0).length
  const { style } = page
  const total = [
    ...(failed > 0 ? [style.red(`${failed} failed`)] : []),
    ...(invalid > 0 ? [style.red(`${plural(invalid, "file")} invalid`)] : []),
    style.green(`${tests.length - failed} passed`),
  ]
  return [...files.map((file) => renderFile(file, page)), total.join(", ")].join("\n\n")
}

const renderFile = (file: TestedFile, page: Page): string => {
  const { style, width } = page
  const troubles = ofProblems(file.problems)
  const name = style.bold(clean(file.file))
  if (troubles.length > 0)
    return [`${name}  ${style.red(countTroubles(troubles))}`, renderTroubles(troubles, page)].join("\n")
  return [
    name,
    ...file.tests.map((test) => renderTest(file, test, page)),
    ...file.notices.map((notice) => style.dim(hang("  ", clean(notice), width))),
  ].join("\n")
}

const renderTest = (file: TestedFile, test: TestReport, page: Page): string => {
  const { style, width } = page
  if (test.ok) {
    const mark = file.updated.includes(test.name) ? `${style.yellow("↻")} ` : `${style.green("✓")} `
    return hang(`  ${mark}`, clean(test.name), width)
  }
  const place = style.dim(clean(`${file.file}:${test.line}:${test.column}`))
  const head = hang(`  ${style.red("✗")} `, clean(test.name), width)
  const nothing = hang("    ", "it expects nothing yet: `sluice test --update` writes what comes of its records", width)
  const routes = test.routes.flatMap(({ route, records }) =>
    records.flatMap((record, at) =>
      record.ok ? [] : [renderRecord(file, { route, at, count: records.length, record }, page)],
    ),
  )
  return [head, `    ${place}`, ...(test.expects ? routes : [nothing])].join("\n")
}

interface Failing {
  readonly route: string
  /** Of so many records of the test. */
  readonly at: number
  readonly count: number
  readonly record: RecordReport
}

const renderRecord = (file: TestedFile, { route, at, count, record }: Failing, page: Page): string => {
  const which = count === 1 ? "" : `, record ${at + 1}`
  const label = Math.max(...record.differences.map((each) => nameOf(each).length))
  const refusal = record.got.outcome === "refused" && record.expected?.refused === undefined ? [record.got] : []
  return [
    `    ${page.style.bold(clean(route))}${which}`,
    ...record.differences.map((each) => renderDifference(each, label, page)),
    ...refusal.flatMap(({ code, message, line, column }) => [
      hang("      ", clean(`${code}: ${message}`), page.width),
      page.style.dim(clean(`      ${file.pipeline_file}:${line}:${column}`)),
    ]),
    ...(record.same > 0 ? [page.style.dim(`      ${plural(record.same, "field")} as expected`)] : []),
  ].join("\n")
}

const nameOf = ({ at }: Difference): string => clean(at.replace(/^row\./, ""))

/** On two lines, so that no value has to be cut. */
const renderDifference = (difference: Difference, label: number, { style, width }: Page): string => {
  const name = padEnd(nameOf(difference), label)
  const shown = (word: string, value: Json | undefined) =>
    hang(`${word} `, show(value), Math.max(30, width - label - 8))
  const indent = " ".repeat(label + 8)
  const under = (text: string) => text.replaceAll("\n", `\n${indent}`)
  return [
    `      ${name}  ${under(style.green(shown("expected", difference.expected)))}`,
    `${indent}${under(style.red(shown("got     ", difference.got)))}`,
  ].join("\n")
}

const show = (value: Json | undefined): string => (value === undefined ? "absent" : clean(JSON.stringify(value)))
