/** Tables that align and fit the width. */
import { displayWidth } from "effect/cli/CliOutput"
import { fit } from "./text.ts"

export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** May be cut to this many columns where space is short. Absent: never cut. */
  readonly least?: number
}

/** Text, or text with a colour that is put on after it has been padded. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string }

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
  const line = (cells: ReadonlyArray<Cell>) =>
    columns.map((column, at) => place(column, cells[at] ?? "", widths[at] ?? 0))
  const join = (cells: ReadonlyArray<string>) => cells.join(" ".repeat(GAP)).trimEnd()
  const titles = columns.map(({ title }): Cell => ({ text: title, paint: paintTitle }))
  const head = columns.every(({ title }) => title === "") ? [] : [titles]
  return [...head, ...rows].map((row) => join(line(row)))
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

const place = (column: Column, cell: Cell, width: number): string => {
  const text = fit(textOf(cell), width)
  const painted = typeof cell === "string" ? text : cell.paint(text)
  const space = " ".repeat(Math.max(0, width - displayWidth(text)))
  return column.align === "right" ? space + painted : painted + space
}
