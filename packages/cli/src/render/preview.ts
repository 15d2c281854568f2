/** A preview as text: each record, each route, each field as `source → DESTINATION` with before and after. */
import type { FieldPreview, PreviewAction, PreviewReport, RecordPreview, RowPreview } from "@sluice/core"
import { displayWidth } from "effect/cli/CliOutput"
import type { Json } from "effect/Schema"
import { type Cell, type Column, table } from "./table.ts"
import { clean, duration, fit, hang, type Page, plural, type Style } from "./text.ts"

/** `explain`: says of each row why it is compared with that record of the destination. */
export const renderPreview = (report: PreviewReport, page: Page, explain = false): string =>
  [
    ...heading(report, page),
    ...report.records.flatMap((record) => ["", ...renderRecord(record, report, page, explain)]),
    ...report.not_found.map(({ field, value }) => page.style.yellow(`\nno record with ${field} ${clean(value)}`)),
    "",
    ...summary(report, page),
  ].join("\n")

const heading = (report: PreviewReport, { style, width }: Page): ReadonlyArray<string> => {
  const { source } = report
  const targets = Object.entries(report.routes).map(([name, route]) => `${name} (${route.account})`)
  const path = `${source.connection}.${source.stream} (${source.account}) → ${targets.join(", ")}`
  return [
    hang(`${style.bold(`Preview of ${clean(report.pipeline)}`)}  `, clean(path), width),
    style.dim(report.masked ? "Nothing is written. Values are masked: --reveal shows them." : "Nothing is written."),
  ]
}

export const MEANING: { readonly [action in PreviewAction]: string } = {
  create: "is new there",
  change: "",
  leave: "is there and equal",
  send: "will be sent; what is there cannot be read",
  delete: "is gone at the source",
  filter: "excluded by `where`",
  refuse: "would not be written",
  hold: "is there and stays as it is",
}

const paintAction = (action: PreviewAction, style: Style): string => {
  if (action === "create" || action === "send") return style.green(action)
  if (action === "change") return style.yellow(action)
  return action === "refuse" || action === "delete" ? style.red(action) : style.dim(action)
}

const renderRecord = (
  record: RecordPreview,
  report: PreviewReport,
  page: Page,
  explain: boolean,
): ReadonlyArray<string> => [
  page.style.bold(clean(record.id)),
  ...Object.entries(record.routes).flatMap(([route, row]) => {
    const key = report.routes[route]?.key ?? ""
    return renderRow(route, row, page, explain ? because(row, key) : undefined)
  }),
]

const because = ({ action, why }: RowPreview, key: string): string | undefined =>
  why ?? (action === "create" ? `nothing there matches it, by ${key} or otherwise` : undefined)

const renderRow = (route: string, row: RowPreview, page: Page, why: string | undefined): ReadonlyArray<string> => {
  const { style, width } = page
  const changed = row.fields.filter((field) => field.changed).length
  const what = row.action === "change" ? `${changed} of ${plural(row.fields.length, "field")}` : MEANING[row.action]
  return [
    `  ${paintAction(row.action, style)}  ${clean(route)}  ${style.dim(what)}`,
    ...row.reasons.map(({ code, message }) => style.red(hang(`    ${clean(code)}: `, clean(message), width))),
    ...(why === undefined ? [] : [style.dim(hang("    because: ", clean(why), width))]),
    ...fieldTable(row, page).map((line) => `    ${line}`),
  ]
}

const columns: ReadonlyArray<Column> = [
  { title: "" },
  { title: "" },
  { title: "before", least: 10, lines: 3 },
  { title: "after", least: 12, lines: 3 },
]

/** Columns of a line that are no source: indent, mark, arrow, gaps, and 14 for each of before and after. */
const TAKEN = 4 + 3 + 3 + 4 + 28

const fieldTable = (row: RowPreview, { style, width }: Page): ReadonlyArray<string> => {
  const longest = Math.max(0, ...row.fields.map(({ field }) => displayWidth(field)))
  const room = Math.max(12, Math.min(width < 120 ? 28 : 48, width - longest - TAKEN))
  const rows = row.fields.map((field) => fieldCells(field, row.action, room, style))
  return rows.length === 0 ? [] : table(columns, rows, width - 4, style.dim)
}

const fieldCells = (field: FieldPreview, action: PreviewAction, room: number, style: Style): ReadonlyArray<Cell> => {
  const mark = markOf(field)
  const paint = field.changed ? (mark === "+" ? style.green : style.yellow) : style.dim
  return [
    { text: mark, paint },
    `${fit(oneLine(field.source), room)} → ${clean(field.field)}`,
    { text: action === "send" ? "?" : printValue(field.before, "–"), paint: style.dim, short: !field.changed },
    { text: printAfter(field), paint, short: !field.changed },
  ]
}

/** `+` gets a value, `~` gets another one, `-` is cleared, `=` is equal, blank is not sent. */
export const markOf = (field: FieldPreview): string => {
  if (field.after === undefined) return " "
  if (!field.changed) return field.before === undefined ? " " : "="
  if (field.after === null) return "-"
  return field.before === undefined || field.before === null ? "+" : "~"
}

export const printAfter = (field: FieldPreview): string => {
  if (field.after === undefined) return "(not sent)"
  return field.after === null ? "(cleared)" : printValue(field.after, "")
}

export const printValue = (value: Json | undefined, absent: string): string => {
  if (value === undefined) return absent
  if (value === "") return '""'
  return clean(typeof value === "string" ? value : JSON.stringify(value))
}

export const oneLine = (expression: string): string => clean(expression.replace(/\s+/g, " ").trim())

const summary = (report: PreviewReport, { style, width }: Page): ReadonlyArray<string> => {
  const counts = Object.entries(report.routes).map(([name, { actions }]) => {
    const parts = Object.entries(actions).flatMap(([action, count]) => (count > 0 ? [`${count} ${action}`] : []))
    return `${clean(name)}: ${parts.join(", ") || "nothing"}`
  })
  return [
    `${style.bold(plural(report.records.length, "record"))} shown. ${counts.join("; ")}`,
    hang("The whole run: ", runCost(report), width),
  ]
}

const runCost = ({ run, source }: PreviewReport): string => {
  const records = run.records === null ? "an unknown number of records" : plural(run.records, "record")
  const calls = Object.entries(run.calls).map(([connection, count]) => {
    const most = connection === source.connection ? "about" : "at most"
    return count === null
      ? `unknown calls to ${clean(connection)}`
      : `${most} ${plural(count, "call")} to ${clean(connection)}`
  })
  const time = run.seconds === null ? "time unknown" : `about ${duration(run.seconds * 1000)} at the rate limits`
  return `${records}, ${calls.join(", ")}, ${time}. Rows that are equal to what was last written cost no call.`
}
