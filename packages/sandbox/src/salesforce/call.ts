/** What a request's headers and address say beside its body. salesforce.md §2.2, §3.3, §5.5. */
import { gunzipSync } from "node:zlib"
import { parseJson, type SandboxRequest } from "../exchange.ts"

export interface Call {
  /** Counts calls and batches. */
  readonly number: number
  readonly path: string
  readonly version: number
  /** `Sforce-Auto-Assign`: true unless it says FALSE. */
  readonly autoAssign: boolean
  /** Of `Sforce-Call-Options: client=…`. */
  readonly client: string | undefined
  readonly allowSave: boolean
  readonly includeRecordDetails: boolean
}

const directives = (header: string | undefined): ReadonlyMap<string, string> =>
  new Map(
    (header ?? "").split(/[;,]/).map((part) => {
      const [name = "", value = ""] = part.split("=")
      return [name.trim().toLowerCase(), value.trim()] as const
    }),
  )

export const callOf = (request: SandboxRequest, version: string, number: number): Call => {
  const { headers, path } = request
  const duplicates = directives(headers["sforce-duplicate-rule-header"])
  return {
    number,
    path,
    version: Number(version.slice(1)),
    autoAssign: (headers["sforce-auto-assign"] ?? "true").toLowerCase() !== "false",
    client: directives(headers["sforce-call-options"]).get("client"),
    allowSave: duplicates.get("allowsave")?.toLowerCase() === "true",
    includeRecordDetails: duplicates.get("includerecorddetails")?.toLowerCase() === "true",
  }
}

/** A body may come packed; its text then holds a byte in each letter. */
export const bytesOf = ({ headers, body }: SandboxRequest): Buffer =>
  headers["content-encoding"] === "gzip" ? gunzipSync(Buffer.from(body, "latin1")) : Buffer.from(body, "utf8")

export const jsonOf = (request: SandboxRequest): unknown =>
  parseJson(request.headers["content-encoding"] === "gzip" ? bytesOf(request).toString("utf8") : request.body)
