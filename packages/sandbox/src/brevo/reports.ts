/** The CSV files of an import: the rows that took no effect, by what was wrong with them. brevo.md §3.4. */
import { isObject, type JsonObject, own, type SandboxAnswer } from "../exchange.ts"
import type { IdentifierName } from "./contacts.ts"

/** In the order in which the vendor names them. Contact ids are no column here, so theirs stays empty. */
const names = [
  "invalid_emails",
  "duplicate_contact_id",
  "duplicate_ext_id",
  "duplicate_email_id",
  "duplicate_phone_id",
  "duplicate_whatsapp_id",
  "duplicate_landline_number_id",
] as const
type ReportName = (typeof names)[number]

/** The report for a row with an identifier that is another contact's. */
export const duplicateOf: { readonly [name in IdentifierName]: ReportName } = {
  email: "duplicate_email_id",
  ext_id: "duplicate_ext_id",
  SMS: "duplicate_phone_id",
  WHATSAPP: "duplicate_whatsapp_id",
  LANDLINE_NUMBER: "duplicate_landline_number_id",
}

export type Problems = Map<ReportName, Array<JsonObject>>

export const note = (problems: Problems, name: ReportName, row: JsonObject): void => {
  const rows = problems.get(name)
  if (rows === undefined) problems.set(name, [row])
  else rows.push(row)
}

const cell = (value: unknown): string => {
  const text = String(value ?? "")
  return /[;"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const attributesOf = (row: JsonObject): JsonObject => {
  const attributes = own(row, "attributes")
  return isObject(attributes) ? attributes : {}
}

/** With the columns of the import, separated as its files are. The vendor's own layout is not described anywhere. */
const csvOf = (rows: ReadonlyArray<JsonObject>): string => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(attributesOf(row))))]
  const lines = rows.map((row) => {
    const attributes = attributesOf(row)
    return [own(row, "email"), ...columns.map((column) => own(attributes, column))]
  })
  return [["EMAIL", ...columns], ...lines].map((line) => `${line.map(cell).join(";")}\n`).join("")
}

export type Reports = ReadonlyMap<string, string>

export const reportsOf = (problems: Problems): Reports =>
  new Map([...problems].map(([name, rows]) => [`${name}.csv`, csvOf(rows)]))

/** `info.import`: an address for each report that has rows. */
export const addressesOf = (reports: Reports, below: string): { readonly [name: string]: string | null } =>
  Object.fromEntries(names.map((name) => [name, reports.has(`${name}.csv`) ? `${below}/${name}.csv` : null]))

export const reportAnswer = (text: string | undefined): SandboxAnswer =>
  text === undefined
    ? { status: 404, headers: { "content-type": "text/plain" }, body: "no such file" }
    : { status: 200, headers: { "content-type": "text/csv; charset=utf-8" }, body: text }
