/** Requests and answers as the sandbox sees them, whether they came over a socket or from the same process. */

export interface SandboxRequest {
  readonly method: string
  /** Below the vendor's base address, still encoded: `/api/v2/users/auth0%7Cab`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string }
  /** Of a packed body (`content-encoding`) a letter for each byte. */
  readonly body: string
  /** Bytes of path and query as they were sent. */
  readonly targetBytes?: number
  /** Where the vendor is reached, the part before its paths: `http://127.0.0.1:4010/brevo`. Its own addresses begin so. */
  readonly base?: string
}

export interface SandboxAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** Empty: no body. */
  readonly body: string
  /** In place of `body`: a file, made while it is sent. */
  readonly chunks?: Iterable<Uint8Array>
}

/** How an answer travels. All numbers are milliseconds or bytes. */
export interface Delivery {
  readonly answer: SandboxAnswer
  /** Waits this long before the status line. */
  readonly delayMillis: number
  /** Lets the body trickle over this long. */
  readonly trickleMillis: number
  /** Cuts the connection once so many bytes of the body went out; 0: before the status line. */
  readonly cutAfterBytes: number | undefined
}

/** A vendor: what it answers to a request. Synchronous, so a request is atomic. */
export type Handler = (request: SandboxRequest) => Delivery

/** The Effect clock the sandbox was made under, in milliseconds since 1970. */
export type Now = () => number

export type Vendor = "auth0" | "brevo" | "salesforce" | "persona"

/** Every route is a read or a write at the vendor; a preview may only read. */
export type RouteKind = "read" | "write"

/** Raised by a handler for what the sandbox does not model: answered with 501 and recorded, so that a test fails. */
export class Unmodelled extends Error {}

export const json = (
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): SandboxAnswer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body),
})

export const empty = (status: number): SandboxAnswer => ({ status, headers: {}, body: "" })

export const deliver = (answer: SandboxAnswer): Delivery => ({
  answer,
  delayMillis: 0,
  trickleMillis: 0,
  cutAfterBytes: undefined,
})

export const withHeaders = (answer: SandboxAnswer, headers: { readonly [name: string]: string }): SandboxAnswer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
})

/** A plain JSON object; its keys are hostile. */
export interface JsonObject {
  readonly [key: string]: unknown
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The object's own value; never one of the prototype. */
export const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)

/** Own keys only, without a prototype: a `__proto__` key stays data. */
export const emptyObject = (): { [key: string]: unknown } => Object.create(null)

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
