/** A destination in memory for the conformance suite, and what can go wrong on the way to any. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Json, JsonObject } from "effect/Schema"

/** What the sink under test writes to. Each case gets a new one. */
export interface Destination {
  /** Answers as the vendor does; a request it does not know is a defect. */
  readonly client: HttpClient.HttpClient
  /** What it holds, by row key. */
  readonly stored: () => ReadonlyMap<string, JsonObject>
  /** From now on it refuses the row with this key. Absent: it refuses no single rows. */
  readonly refuse?: (key: string) => void
}

export interface JsonRequest {
  readonly method: string
  readonly path: string
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
      const answered = answer({ method: request.method, path: url.pathname, headers: request.headers, body })
      return HttpClientResponse.fromWeb(request, responseOf(answered))
    }),
  )

const bodyText = ({ body }: HttpClientRequest): string => {
  if (body._tag === "Uint8Array") return new TextDecoder().decode(body.body)
  return body._tag === "Raw" && typeof body.body === "string" ? body.body : ""
}

const responseOf = ({ status, body, headers }: JsonAnswer): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  })

/** What every request meets while it is switched on. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly headers?: { readonly [name: string]: string } }
  | { readonly kind: "cut" }
  | { readonly kind: "not_json" }
  | { readonly kind: "silent" }

export interface Faulty {
  readonly client: HttpClient.HttpClient
  readonly set: (fault: Fault | undefined) => void
  /** Requests that were given up while they waited for an answer. */
  readonly abandoned: () => number
}

/** Puts faults between a sink and its destination. */
export const makeFaulty = (client: HttpClient.HttpClient): Faulty => {
  let fault: Fault | undefined
  let abandoned = 0
  const meet = (request: HttpClientRequest, current: Fault) => {
    switch (current.kind) {
      case "status": {
        const { status, headers } = current
        return Effect.succeed(
          HttpClientResponse.fromWeb(request, new Response("{}", { status, headers: { ...headers } })),
        )
      }
      case "cut":
        return Effect.fail(new HttpClientError({ reason: new TransportError({ request }) }))
      case "not_json":
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("<html>", { status: 200 })))
      case "silent":
        return Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            abandoned += 1
          }),
        )
    }
  }
  return {
    client: HttpClient.make((request) => (fault === undefined ? client.execute(request) : meet(request, fault))),
    set: (next) => {
      fault = next
    },
    abandoned: () => abandoned,
  }
}
