/** Says what a failed transmission means, from the codes that Node, undici and fetch put in the cause. */
import type { HttpClientError } from "effect/http/HttpClientError"

export type Transmission =
  /** The connection was never made: nothing took effect. */
  | { readonly _tag: "NotSent"; readonly code: string }
  /** A certificate or a proxy stands in the way; trying again changes nothing. `why` says what would. */
  | { readonly _tag: "Barred"; readonly why: string }
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
  "UND_ERR_PRX_CONN",
])
const notTrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/
const PROXIES = "HTTPS_PROXY or HTTP_PROXY"

/** What a certificate that is not trusted calls for. */
const untrustedFor = (code: string): string => {
  if (code.includes("ALTNAME") || code === "HOSTNAME_MISMATCH") {
    return `the certificate is for another host (${code}): check the address, and who answers in its place`
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return `the certificate is not valid at this time (${code}): check this machine's clock, else the other side renews it`
  }
  return `the certificate is not trusted (${code}): where a proxy or a private authority signed it, put that authority's certificate in a file and name it in NODE_EXTRA_CA_CERTS`
}

/** Undici says only in words what a proxy answered instead of a tunnel. */
const proxyStatus = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

const refusedByProxy = (status: string): Transmission => {
  if (status === "407") {
    return { _tag: "Barred", why: `the proxy does not take its user name and password (407): correct ${PROXIES}` }
  }
  if (status === "403") {
    return { _tag: "Barred", why: `the proxy does not let this host through (403): allow it there, or see NO_PROXY` }
  }
  return { _tag: "NotSent", code: `the proxy answered ${status}` }
}

const handshake = /^(ERR_SSL_|ERR_TLS_|EPROTO$)/
/** TLS that fails on an open connection, where a request may have gone before. */
const decryption = /decrypt|record.mac/i

interface Trace {
  readonly code: string
  /** What a proxy answered, where it was one. */
  readonly proxy: string | undefined
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
  const proxy = proxyStatus.exec(message)?.[1]
  const own = code === "" ? [] : [{ code, proxy, connecting }]
  const errors: unknown = Reflect.get(cause, "errors")
  const inner = Array.isArray(errors) ? errors : []
  return [...own, ...[Reflect.get(cause, "cause"), ...inner].flatMap((each) => traces(each, depth + 1))]
}

/** Codes only: messages of the transport can carry addresses with queries. */
export const transmission = (error: HttpClientError): Transmission => {
  const found = traces("cause" in error.reason ? error.reason.cause : undefined)
  const untrusted = found.find(({ code }) => notTrusted.test(code))
  if (untrusted !== undefined) return { _tag: "Barred", why: untrustedFor(untrusted.code) }
  const proxy = found.find((each) => each.proxy !== undefined)?.proxy
  if (proxy !== undefined) return refusedByProxy(proxy)
  const unsent = found.find(({ connecting }) => connecting)
  if (unsent !== undefined && error.response === undefined) return { _tag: "NotSent", code: unsent.code }
  return { _tag: "Lost", code: found[0]?.code ?? "connection closed" }
}
