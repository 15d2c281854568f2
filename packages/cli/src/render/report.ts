/** What a run did, as text. */
import type { PipelineReport, RouteCounts, RunReport } from "@sluice/core"
import { fixOf } from "../troubles.ts"
import { type Cell, type Column, table } from "./table.ts"
import { clean, duration, hang, number, type Page, plural } from "./text.ts"

export interface ReportOptions {
  /** The pipeline file as a command takes it, where it is known. */
  readonly file?: string
  /** Say which versions ran: of a run that has just ended one knows. */
  readonly versions?: boolean
}

export const renderReport = (report: RunReport, page: Page, options: ReportOptions = {}): string =>
  report.pipelines.map((pipeline) => renderPipeline(pipeline, page, options)).join("\n\n")

const renderPipeline = (report: PipelineReport, page: Page, { file, versions }: ReportOptions): string => {
  const { style } = page
  const status = report.ok ? style.green(report.status) : style.red(report.status)
  const head = `${style.bold(clean(report.pipeline))}  ${status} in ${duration(report.duration_ms)}  ${style.dim(`run ${clean(report.run_id)}`)}`
  return [
    head,
    ...routeTable(report, page),
    ...facts(report, page),
    ...(versions === true ? versionLines(report, page) : []),
    ...troubles(report, page, file),
  ].join("\n")
}

/** Columns that are always there; the others only where one of them is not 0. */
const ALWAYS: ReadonlySet<keyof RouteCounts> = new Set(["read", "created", "updated", "unchanged"])

/** `delivered` is the sum of created, updated, deleted and accepted: it is not a column of its own. */
const COUNTS: ReadonlyArray<keyof RouteCounts> = [
  "read",
  "created",
  "updated",
  "deleted",
  "accepted",
  "unchanged",
  "filtered",
  "superseded",
  "rejected",
  "in_doubt",
  "pending",
]

const WORRYING: ReadonlySet<keyof RouteCounts> = new Set(["rejected", "in_doubt", "pending"])

const routeTable = (report: PipelineReport, { style, width }: Page): ReadonlyArray<string> => {
  const routes = Object.entries(report.routes)
  const shown = COUNTS.filter((name) => ALWAYS.has(name) || routes.some(([, counts]) => counts[name] > 0))
  const columns: ReadonlyArray<Column> = [
    { title: "route", least: 8 },
    ...shown.map((name): Column => ({ title: name.replace("_", " "), align: "right" })),
  ]
  const rows = routes.map(
    ([name, counts]): ReadonlyArray<Cell> => [
      clean(name),
      ...shown.map((column): Cell => {
        const text = number(counts[column])
        return WORRYING.has(column) && counts[column] > 0 ? { text, paint: style.red } : text
      }),
    ],
  )
  return table(columns, rows, width - 2, style.dim).map((line) => `  ${line}`)
}

const fact = ({ style, width }: Page, label: string, text: string): string =>
  hang(`  ${style.dim(label.padEnd(10))}`, text, width)

const versionLines = ({ versions = {} }: PipelineReport, page: Page): ReadonlyArray<string> => {
  const said = Object.entries(versions).map(([what, version]) => `${clean(what)} ${clean(version)}`)
  return said.length === 0 ? [] : [fact(page, "versions", said.join(", "))]
}

const facts = (report: PipelineReport, page: Page): ReadonlyArray<string> => {
  const line = (label: string, text: string) => fact(page, label, text)
  const calls = Object.entries(report.calls).map(([name, count]) => `${clean(name)} ${number(count)}`)
  const waited = report.waited_ms >= 50 ? `; together they waited ${duration(report.waited_ms)} for rate limits` : ""
  const counted = [...Object.values(report.routes), ...Object.values(report.recovered)]
  const written = counted.reduce((sum, { delivered }) => sum + delivered, 0)
  return [
    line("calls", `${calls.join(", ") || "none"}${waited}`),
    line("writes", written === 0 && nothingElse(report) ? "0: nothing had changed" : plural(written, "row")),
    ...(report.completeness === null || report.read === 0
      ? []
      : [line("complete", completenessText(report.completeness))]),
    ...recoveredLines(report).map((text) => line("recovered", text)),
    ...droppedLines(report).map((text) => line("dropped", text)),
    ...keptLines(report).map((text) => line("kept", text)),
    ...report.notices.map((notice) => line("note", clean(notice))),
  ]
}

/** Every row was equal to what is there: none was kept out, refused, recovered or left over. */
const nothingElse = (report: PipelineReport): boolean =>
  report.ok &&
  Object.values(report.routes).every((counts) => counts.unchanged === counts.read) &&
  Object.values(report.recovered).every(({ delivered }) => delivered === 0)

/** Counts of 0 are left out but for ties: that there were none is worth knowing. */
const completenessText = (found: NonNullable<PipelineReport["completeness"]>): string => {
  const expected = found.expected === undefined ? "" : ` of ${number(found.expected)} expected`
  const facts = Object.entries(found.facts).filter(([name, count]) => count > 0 || name === "ties")
  const details = facts.map(([name, count]) => `${clean(name.replaceAll("_", " "))} ${number(count)}`)
  return `${plural(found.delivered, "record")} read${expected}${details.length > 0 ? `; ${details.join(", ")}` : ""}`
}

const recoveredLines = (report: PipelineReport) =>
  Object.entries(report.recovered).flatMap(([route, { delivered, rejected, in_doubt }]) =>
    delivered + rejected + in_doubt === 0
      ? []
      : [`${clean(route)}, of an earlier run: ${delivered} delivered, ${rejected} rejected, ${in_doubt} in doubt`],
  )

const droppedLines = (report: PipelineReport) =>
  Object.entries(report.dropped).flatMap(([route, count]) =>
    count === 0 ? [] : [`${clean(route)}: ${plural(count, "row")} delivered without a field the destination refused`],
  )

const keptLines = (report: PipelineReport) =>
  Object.entries(report.kept).flatMap(([route, { absent, left }]) => [
    ...(absent > 0 ? [`${clean(route)}: ${plural(absent, "record")} gone at the source, kept (on_delete)`] : []),
    ...(left > 0 ? [`${clean(route)}: ${plural(left, "record")} that \`where\` now excludes, kept (on_leave)`] : []),
  ])

const troubles = (report: PipelineReport, { style, width }: Page, file: string | undefined): ReadonlyArray<string> => {
  const counted = [...Object.values(report.routes), ...Object.values(report.recovered)]
  const rejected = counted.reduce((sum, counts) => sum + counts.rejected + counts.in_doubt, 0)
  const gap = report.completeness?.gap
  const error = report.error
  const fix = error === null ? undefined : fixOf(error.code, file)
  return [
    ...(error === null
      ? []
      : [
          style.red(
            hang(
              `  ${clean(error.code)}: `,
              `${error.route === undefined ? "" : `${clean(error.route)}: `}${clean(error.message)}`,
              width,
            ),
          ),
        ]),
    ...(gap === undefined ? [] : [style.red(hang("  gap: ", clean(gap), width))]),
    ...(rejected === 0 ? [] : [`  ${style.yellow(plural(rejected, "dead letter"))}: see \`sluice dead-letters list\``]),
    ...(fix === undefined ? [] : [style.cyan(hang("  fix: ", clean(fix), width))]),
    ...(report.resumable ? ["  The next run of the same command goes on from where this one stopped."] : []),
  ]
}
