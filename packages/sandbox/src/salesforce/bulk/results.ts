/** The three files of a finished job, made while they are sent: rows in an order of their own, values as Salesforce writes them. */
import type { SandboxAnswer } from "../../exchange.ts"
import { makeDice } from "../../random.ts"
import type { FieldSpec } from "../fields.ts"
import type { Table } from "../table.ts"
import { instantOf } from "../values.ts"
import { cellsOf, delimiters, lineOf } from "./csv.ts"
import { fates, type Job, type JobRows } from "./job.ts"
import { lineAt } from "./processing.ts"

export type ResultFile = "successfulResults" | "failedResults" | "unprocessedrecords"

const decimal = new Set<FieldSpec["type"]>(["double", "currency", "percent"])

/** As the org writes it: `3` is `3.0`, TRUE is `true`, an instant is in UTC, `#N/A` is nothing. */
const canonical = (field: FieldSpec | undefined, cell: string): string => {
  if (cell === "#N/A" || cell === "" || field === undefined) return cell === "#N/A" ? "" : cell
  if (field.type === "boolean" && /^(true|false)$/i.test(cell)) return cell.toLowerCase()
  if (decimal.has(field.type)) {
    const number = Number(cell)
    if (!Number.isFinite(number)) return cell
    return Number.isInteger(number) ? `${number}.0` : String(number)
  }
  if (field.type === "datetime") {
    const instant = instantOf(cell)
    return instant === undefined ? cell : new Date(instant).toISOString()
  }
  return cell.replaceAll("\r\n", "\n")
}

const wanted: { readonly [file in ResultFile]: (fate: number | undefined) => boolean } = {
  successfulResults: (fate) => fate === fates.created || fate === fates.updated,
  failedResults: (fate) => fate === fates.failed,
  unprocessedrecords: (fate) => fate === fates.unprocessed,
}

const own: { readonly [file in ResultFile]: ReadonlyArray<string> } = {
  successfulResults: ["sf__Id", "sf__Created"],
  failedResults: ["sf__Id", "sf__Error"],
  unprocessedrecords: [],
}

/** The rows of a file in the order in which it has them. */
const orderOf = (job: Job, rows: JobRows, file: ResultFile): Uint32Array => {
  const order = new Uint32Array(rows.count)
  let length = 0
  for (let row = 0; row < rows.count; row++) if (wanted[file](rows.fates[row])) order[length++] = row
  const dice = makeDice(job.number, 71)
  for (let at = length - 1; at > 0; at--) {
    const other = dice.below(at + 1)
    const row = order[at] ?? 0
    order[at] = order[other] ?? 0
    order[other] = row
  }
  return order.subarray(0, length)
}

const idAt = (table: Table | undefined, rows: JobRows, row: number): string => table?.idOf(rows.records[row] ?? 0) ?? ""

const extraCells = (job: Job, rows: JobRows, row: number, file: ResultFile): ReadonlyArray<string> => {
  if (file === "successfulResults") return [idAt(job.table, rows, row), String(rows.fates[row] === fates.created)]
  return file === "failedResults" ? ["", rows.errors.get(row) ?? ""] : []
}

/** Some hundred rows at a time. */
function* linesOf(job: Job, rows: JobRows, file: ResultFile): Generator<Uint8Array> {
  const delimiter = delimiters[job.delimiter]
  const fields = rows.header.map((name) => job.table?.find(name)?.field)
  let text = lineOf([...own[file], ...rows.header], delimiter, job.ending)
  for (const row of orderOf(job, rows, file)) {
    const cells = cellsOf(lineAt(rows, row), delimiter)
    const shown = rows.header.map((_, at) =>
      file === "unprocessedrecords" ? (cells[at] ?? "") : canonical(fields[at], cells[at] ?? ""),
    )
    text += lineOf([...extraCells(job, rows, row, file), ...shown], delimiter, job.ending)
    if (text.length < 65_536) continue
    yield Buffer.from(text, "utf8")
    text = ""
  }
  yield Buffer.from(text, "utf8")
}

export const resultAnswer = (job: Job, file: ResultFile): SandboxAnswer => {
  const headers = { "content-type": "text/csv" }
  const { rows } = job
  if (rows !== undefined) return { status: 200, headers, body: "", chunks: linesOf(job, rows, file) }
  // Never begun: a file that could not be read is unprocessed as it is.
  const chunks = file === "unprocessedrecords" && job.upload !== undefined ? [job.upload] : []
  return { status: 200, headers, body: "", chunks }
}
