/** Stand-ins for a vendor: what a sink writes to, what a source reads from, and a client that ends in a function. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Json, JsonObject } from "effect/Schema"

/** What the sink under test writes to. Each case gets a new one. */
export interface Destination {
  /** Answers as the vendor does; a request it does not know is a defect. */
  readonly client: HttpClient.HttpClient
  /** What it holds, by row key. */
  readonly stored: () => ReadonlyMap<string, JsonObject>
  /** How many things it holds, duplicates included. Absent: `stored().size`, for one that cannot hold two of a key. */
  readonly total?: () => number
  /** How many writes it has carried out. Absent: every request counts as one. */
  readonly writes?: () => number
  /** From now on it refuses the row with this key. Absent: it refuses no single rows. */
  readonly refuse?: (key: string) => void
  /** So many times it says "not now" to the row with this key. Absent: it says so to no single rows. */
  readonly defer?: (key: string, times: number) => void
}

/** What the source under test reads from. Each case gets a new one. */
export interface Origin {
  readonly client: HttpClient.HttpClient
  /** The keys of all records the stream has now. */
  readonly keys: () => ReadonlyArray<string>
  /** Requests that changed or started something at the vendor. */
  readonly writes: () => number
  /** Access tokens given out so far stop working. Absent: there are none. */
  readonly expire?: () => void
  /** Changes the record with this key, so that an incremental scan has to bring it. */
  readonly touch?: (key: string) => void
}

export interface JsonRequest {
  readonly method: string
  readonly path: string
  /** Of a name that stands twice, the last. */
  readonly query: { readonly [name: string]: string | undefined }
  readonly headers: { readonly [name: string]: string | undefined }
  /** Parsed; undefined where there was none. */
  readonly body: Json | undefined
}

export interface JsonAnswer {
  readonly status: number
  readonly body?: Json
  readonly headers?: { readonly [name: string]: string }
}

/** A client that ends in a function: JSON in, JSON out. */
export const jsonClient = (answer: (request: JsonRequest) => JsonAnswer): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.sync(() => {
      const text = bodyText(request)
      const body: Json | undefined = text === "" ? undefined : JSON.parse(text)
      const { method, headers } = request
      const query = Object.fromEntries(url.searchParams)
      const answered = answer({ method, path: url.pathname, query, headers, body })
      return HttpClientResponse.fromWeb(request, responseOf(answered))
    }),
  )

export const bodyText = ({ body }: HttpClientRequest): string => {
  if (body._tag === "Uint8Array") return new TextDecoder().decode(body.body)
  return body._tag === "Raw" && typeof body.body === "string" ? body.body : ""
}

export const responseOf = ({ status, body, headers }: JsonAnswer): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  })
