/** Reads the files in which Brevo lists rows of an import that did not land. A shortcut: what is in none is seen anyway. */
import type { CallReason, Downloads, LinkDenied, Row } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as Stream from "effect/Stream"
import { textField } from "./plan.ts"
import type { Ended } from "./process.ts"

/** Names the report a row is in. */
export type Reported = (row: Row) => string | undefined

/** Larger than any import of ours. */
const LARGEST = 16_000_000

/** For all of them: a file can trickle without an end. */
const LONGEST = "5 minutes"

/** Where Brevo keeps files, beside its API's own host. */
const isVendorHost = (host: string): boolean => /^(?:[a-z0-9-]+\.)*(?:brevo|sendinblue)\.com$/.test(host)

export interface ReportSource {
  readonly downloads: Downloads
  /** Of the API. */
  readonly host: string
  readonly insecure: boolean
}

const NAMES = [
  "invalid_emails",
  "duplicate_contact_id",
  "duplicate_ext_id",
  "duplicate_email_id",
  "duplicate_phone_id",
  "duplicate_whatsapp_id",
  "duplicate_landline_number_id",
] as const

interface Link {
  readonly name: string
  readonly url: string
}

const linksOf = (ended: ReadonlyArray<Ended>): ReadonlyArray<Link> =>
  ended.flatMap((process) => {
    const addresses = process?.info?.import ?? {}
    return NAMES.flatMap((name) => {
      const url = Object.hasOwn(addresses, name) ? addresses[name] : undefined
      return typeof url === "string" && url !== "" ? [{ name, url }] : []
    })
  })

interface TooLarge {
  readonly _tag: "TooLarge"
}

/** Never more than the bound in memory, whatever the file says of itself. */
const textOf = (bytes: Stream.Stream<Uint8Array, CallReason>) =>
  Stream.runFoldEffect(
    bytes,
    () => ({ size: 0, chunks: [] as Uint8Array[] }),
    ({ size, chunks }, chunk): Effect.Effect<{ size: number; chunks: Array<Uint8Array> }, TooLarge> => {
      chunks.push(chunk)
      const total = size + chunk.byteLength
      return total > LARGEST ? Effect.fail({ _tag: "TooLarge" }) : Effect.succeed({ size: total, chunks })
    },
  ).pipe(
    Effect.map(({ chunks }) => {
      const decoder = new TextDecoder()
      return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode()
    }),
  )

/** Brevo's imports are separated by `;`. Its reports are described nowhere. */
const delimiterOf = (text: string): string => {
  const [header = ""] = text.split(/[\r\n]/, 1)
  return !header.includes(";") && header.includes(",") ? "," : ";"
}

/** The values of the columns that tell who a row is; of the first where none is named so. */
const identifiersIn = (records: ReadonlyArray<Csv.Row>): ReadonlyArray<string> => {
  const [header = [], ...rows] = records
  const named = header.flatMap((name, column) => (/^(?:e-?mail|ext_?id)/i.test(name.trim()) ? [column] : []))
  const columns = named.length > 0 ? named : [0]
  return (named.length > 0 ? rows : records).flatMap((row) =>
    columns.flatMap((column) => {
      const value = row[column]?.trim() ?? ""
      return value === "" ? [] : [value.toLowerCase()]
    }),
  )
}

const readReport = Effect.fnUntraced(function* ({ downloads, host, insecure }: ReportSource, { name, url }: Link) {
  const expects = (asked: string) => asked === host || isVendorHost(asked)
  const otherwise = "It is not read."
  const file = { name: `brevo.report.${name}`, url, expects, otherwise, insecure }
  const text = yield* textOf(yield* downloads(file))
  const records = yield* Stream.make(text).pipe(
    Stream.pipeThroughChannel(Csv.decodeString({ delimiter: delimiterOf(text), ignoreEmptyLines: true })),
    Stream.runCollect,
  )
  return identifiersIn(records)
})

const problemOf = (error: CallReason | LinkDenied | TooLarge | Csv.CsvError): string => {
  if (error._tag === "LinkDenied") return `its address answers ${error.status}`
  if (error._tag === "TooLarge") return `it is larger than ${LARGEST} bytes`
  return error._tag === "CsvError" ? `line ${error.line} is no CSV` : error.message
}

/** A report that cannot be read is said and passed over: its rows are written by themselves, which says what is wrong. */
export const readReports = Effect.fnUntraced(function* (
  source: ReportSource,
  ended: ReadonlyArray<Ended>,
  key: string,
): Effect.fn.Return<Reported> {
  const reports = new Map<string, string>()
  const take = Effect.fnUntraced(function* (link: Link) {
    const found = yield* readReport(source, link).pipe(
      Effect.catch((error) =>
        Effect.as(Effect.logWarning(`Brevo's report ${link.name} cannot be read: ${problemOf(error)}`), []),
      ),
    )
    for (const identifier of found) if (!reports.has(identifier)) reports.set(identifier, link.name)
  })
  yield* Effect.forEach(linksOf(ended), take, { discard: true }).pipe(
    Effect.timeoutOrElse({
      duration: LONGEST,
      orElse: () => Effect.logWarning(`Brevo's reports are not all read: they take longer than ${LONGEST}`),
    }),
  )
  return (row) => {
    const [email, extId] = [textField(row, "email", key), textField(row, "ext_id", key)]
    return reports.get((email ?? "").toLowerCase()) ?? reports.get((extId ?? "").toLowerCase())
  }
})
