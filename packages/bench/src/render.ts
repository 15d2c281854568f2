/** The table as text and as Markdown. */
import { cpus, totalmem } from "node:os"
import { type Line, verdictOf } from "./line.ts"

export const machine = (): string => {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? "unknown"
  const gib = Math.round(totalmem() / 2 ** 30)
  return `${model}, ${processors.length} cores, ${gib} GiB, Node ${process.versions.node}, ${process.platform}`
}

const number = (value: number, unit: Line["unit"]): string => {
  if (unit === "µs") return `${value.toFixed(1)} µs`
  return unit === "calls" ? String(Number(value.toFixed(2))) : value.toFixed(2)
}

const goal = (value: number | undefined, { better, unit }: Line): string =>
  value === undefined ? "" : `${better === "more" ? "≥" : "≤"} ${unit === "µs" ? `${value} µs` : value}`

const cells = (line: Line): ReadonlyArray<string> => [
  line.name,
  number(line.measured, line.unit),
  goal(line.floor, line),
  goal(line.aim, line),
  verdictOf(line),
  line.detail,
]

export const heading = ["", "measured", "floor", "aim", "", "from"]

export const asText = (lines: ReadonlyArray<Line>): string => {
  const rows = [heading, ...lines.map(cells)]
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  const printed = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
  return printed.map((row) => row.trimEnd()).join("\n")
}

export const asMarkdown = (lines: ReadonlyArray<Line>): string => {
  const rows = [heading, heading.map(() => "---"), ...lines.map(cells)]
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n")
}
