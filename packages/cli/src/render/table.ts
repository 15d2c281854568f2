/** Tables that align and fit the width. */
import { displayWidth } from "effect/cli/CliOutput"
import { fill, fit } from "./text.ts"

export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** May be narrowed to this many columns where space is short. Absent: never. */
  readonly least?: number
  /** What does not fit goes on below, over so many lines at most, before it is cut. Absent: one line. */
  readonly lines?: number
}

/** Text, or text with a colour that is put on after it has been padded; `short`: one line of it says enough. */
export type Cell =
  | string
  | { readonly text: string; readonly paint: (text: string) => string; readonly short?: boolean }

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text)

const GAP = 2

/** Lines of the table; the titles come first unless all are empty. */
export const table = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  width: number,
  paintTitle: (text: string) => string,
): ReadonlyArray<string> => {
  const widths = shrink(columns, natural(columns, rows), width)
  const titles = columns.map(({ title }): Cell => ({ text: title, paint: paintTitle }))
  const head = columns.every(({ title }) => title === "") ? [] : [titles]
  return [...head, ...rows].flatMap((row) => linesOf(columns, row, widths))
}

const natural = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<Cell>>) =>
  columns.map(({ title }, at) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(textOf(row[at] ?? ""))), displayWidth(title)),
  )

/** Takes space from the widest column that may give some, until the line fits. */
const shrink = (columns: ReadonlyArray<Column>, widths: Array<number>, width: number): ReadonlyArray<number> => {
  const room = width - GAP * (columns.length - 1)
  let over = widths.reduce((sum, each) => sum + each, 0) - room
  while (over > 0) {
    let widest = -1
    for (const [at, each] of widths.entries()) {
      const least = columns[at]?.least
      if (least !== undefined && each > least && each > (widths[widest] ?? 0)) widest = at
    }
    const most = widths[widest]
    if (most === undefined) return widths
    widths[widest] = most - 1
    over -= 1
  }
  return widths
}

/** One row: as many lines as its longest cell has. */
const linesOf = (columns: ReadonlyArray<Column>, row: ReadonlyArray<Cell>, widths: ReadonlyArray<number>) => {
  const cells = columns.map((column, at) => broken(column, row[at] ?? "", widths[at] ?? 0))
  const height = Math.max(1, ...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    columns
      .map((column, at) => place(column, row[at] ?? "", cells[at]?.[line] ?? "", widths[at] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd(),
  )
}

const broken = ({ lines = 1 }: Column, cell: Cell, width: number): ReadonlyArray<string> => {
  const text = textOf(cell)
  const isShort = typeof cell !== "string" && cell.short === true
  if (lines === 1 || isShort || displayWidth(text) <= width) return [fit(text, width)]
  const all = fill(text, width)
  return all.length <= lines ? all : [...all.slice(0, lines - 1), fit(all.slice(lines - 1).join(" "), width)]
}

const place = (column: Column, cell: Cell, text: string, width: number): string => {
  const painted = typeof cell === "string" || text === "" ? text : cell.paint(text)
  const space = " ".repeat(Math.max(0, width - displayWidth(text)))
  return column.align === "right" ? space + painted : painted + space
}
