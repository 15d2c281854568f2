/** What stands before every route of the fake org: address, version, session and the day's calls. salesforce.md §1, §5. */
import { json, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { Gate, Route } from "../vendor.ts"
import { expired, failure, limitExceeded, notFound } from "./errors.ts"
import { versions } from "./places.ts"
import type { Tokens } from "./tokens.ts"
import { limitInfo, type Usage } from "./usage.ts"

/** Of the address, and of address and headers together. */
const maxBytes = 16_384

export const versionsPattern = "/services/data"

/** Free and open to all: it tells which versions there are. */
export const versionsRoute: Route = {
  method: "GET",
  pattern: versionsPattern,
  kind: "read",
  run: () =>
    json(
      200,
      Array.from({ length: versions.last - versions.first + 1 }, (_, at) => {
        const version = `${versions.first + at}.0`
        const season = ["Spring", "Summer", "Winter"][(versions.first + at) % 3] ?? ""
        const year = 14 + Math.floor((versions.first + at - 30 + (season === "Winter" ? 1 : 0)) / 3)
        return { label: `${season} '${year}`, url: `/services/data/v${version}`, version }
      }),
    ),
}

const tooLong = (request: SandboxRequest): SandboxAnswer | undefined => {
  const target = request.targetBytes ?? 0
  if (target > maxBytes) return failure(414, "URI_TOO_LONG", "URI Too Long")
  let bytes = target
  for (const [name, value] of Object.entries(request.headers)) bytes += name.length + value.length + 4
  return bytes > maxBytes
    ? failure(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "Request Header Fields Too Large")
    : undefined
}

const versionRefusal = (path: string): SandboxAnswer | undefined => {
  const version = /^\/services\/data\/v(\d+)\.0(\/|$)/.exec(path)?.[1]
  const number = Number(version)
  if (version === undefined || number > versions.last || number < 7) return notFound()
  return number < versions.first
    ? failure(410, "UNSUPPORTED_API_VERSION", `v${number}.0 is no longer supported`)
    : undefined
}

export const makeGate =
  (tokens: Tokens, usage: Usage) =>
  (request: SandboxRequest, { pattern }: Route): Gate => {
    const long = tooLong(request)
    if (long !== undefined) return { headers: {}, refusal: long }
    if (pattern === versionsPattern || pattern.startsWith("/services/oauth2/")) return { headers: {} }
    const version = versionRefusal(request.path)
    if (version !== undefined) return { headers: {}, refusal: version }
    if (!tokens.check(request.headers.authorization)) return { headers: {}, refusal: expired() }
    if (!usage.longCalls.mayBegin()) return { headers: limitInfo(usage), refusal: limitExceeded("concurrent") }
    const allowed = usage.requests.take(1)
    return { headers: limitInfo(usage), ...(allowed ? {} : { refusal: limitExceeded("daily") }) }
  }
