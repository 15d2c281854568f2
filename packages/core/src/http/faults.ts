/** Says what a failed transmission means for a call, from the codes that Node, undici and fetch put in the cause. */
import type { HttpClientError } from "effect/http/HttpClientError"
import type { CallReason } from "./api.ts"

/** What one attempt came to when it brought no usable answer. */
export type Fault =
  /** Worth another attempt. `applied`: the request may have taken effect. `reason` is the error once attempts run out. */
  | { readonly _tag: "Passing"; readonly applied: boolean; readonly reason: (applied: boolean) => CallReason }
  | { readonly _tag: "Throttled"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "Expired"; readonly message: string }
  | { readonly _tag: "Final"; readonly reason: CallReason }

export type Transmission =
  /** The connection was never made: nothing took effect. */
  | { readonly _tag: "NotSent"; readonly code: string }
  /** The other side's certificate is not trusted; trying again changes nothing. */
  | { readonly _tag: "NotTrusted"; readonly code: string }
  /** It broke off on the way: nobody knows. */
  | { readonly _tag: "Lost"; readonly code: string }

const notSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EMFILE",
  "UND_ERR_CONNECT_TIMEOUT",
])
const notTrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/
const handshake = /^(ERR_SSL_|ERR_TLS_|EPROTO$)/

interface Trace {
  readonly code: string
  readonly connecting: boolean
}

const text = (error: object, key: string): string => {
  const value: unknown = Reflect.get(error, key)
  return typeof value === "string" ? value : ""
}

/** The codes in a cause, its causes and, for a host with several addresses, its errors. */
const traces = (cause: unknown, depth = 0): ReadonlyArray<Trace> => {
  if (cause === null || typeof cause !== "object" || depth > 5) return []
  const connecting =
    text(cause, "syscall") === "connect" || text(cause, "message").includes("before secure TLS connection")
  const own = text(cause, "code") === "" ? [] : [{ code: text(cause, "code"), connecting }]
  const errors: unknown = Reflect.get(cause, "errors")
  const inner = Array.isArray(errors) ? errors : []
  return [...own, ...[Reflect.get(cause, "cause"), ...inner].flatMap((each) => traces(each, depth + 1))]
}

/** Codes only: messages of the transport can carry addresses with queries. */
export const transmission = (error: HttpClientError): Transmission => {
  const found = traces("cause" in error.reason ? error.reason.cause : undefined)
  const untrusted = found.find(({ code }) => notTrusted.test(code))
  if (untrusted !== undefined) return { _tag: "NotTrusted", code: untrusted.code }
  const unsent = found.find(({ code, connecting }) => connecting || notSent.has(code) || handshake.test(code))
  if (unsent !== undefined && error.response === undefined) return { _tag: "NotSent", code: unsent.code }
  return { _tag: "Lost", code: found[0]?.code ?? "connection closed" }
}
