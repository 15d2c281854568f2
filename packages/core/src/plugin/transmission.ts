/** Says what a failed transmission means, from the codes that Node, undici and fetch put in the cause. */
import type { HttpClientError } from "effect/http/HttpClientError"

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
/** TLS that fails on an open connection, where a request may have gone before. */
const decryption = /decrypt|record.mac/i

interface Trace {
  readonly code: string
  /** It failed before a request could be sent. */
  readonly connecting: boolean
}

const text = (error: object, key: string): string => {
  const value: unknown = Reflect.get(error, key)
  return typeof value === "string" ? value : ""
}

/** The codes in a cause, its causes and, for a host with several addresses, its errors. */
const traces = (cause: unknown, depth = 0): ReadonlyArray<Trace> => {
  if (cause === null || typeof cause !== "object" || depth > 5) return []
  const [code, message] = [text(cause, "code"), text(cause, "message")]
  const connecting =
    notSent.has(code) ||
    text(cause, "syscall") === "connect" ||
    message.includes("before secure TLS connection") ||
    (handshake.test(code) && !decryption.test(`${code} ${message}`))
  const own = code === "" ? [] : [{ code, connecting }]
  const errors: unknown = Reflect.get(cause, "errors")
  const inner = Array.isArray(errors) ? errors : []
  return [...own, ...[Reflect.get(cause, "cause"), ...inner].flatMap((each) => traces(each, depth + 1))]
}

/** Codes only: messages of the transport can carry addresses with queries. */
export const transmission = (error: HttpClientError): Transmission => {
  const found = traces("cause" in error.reason ? error.reason.cause : undefined)
  const untrusted = found.find(({ code }) => notTrusted.test(code))
  if (untrusted !== undefined) return { _tag: "NotTrusted", code: untrusted.code }
  const unsent = found.find(({ connecting }) => connecting)
  if (unsent !== undefined && error.response === undefined) return { _tag: "NotSent", code: unsent.code }
  return { _tag: "Lost", code: found[0]?.code ?? "connection closed" }
}
