/** An HTTP client that ends in the sandbox without a socket: for tests and simulation under a TestClock. */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Delivery } from "./exchange.ts"
import { respond } from "./origin.ts"
import type { Sandbox } from "./sandbox.ts"

export interface HttpClientOptions {
  /** Half of it passes before the vendor acts and half before the answer arrives, on the Effect clock. Default 0. */
  readonly latencyMillis?: number
}

/**
 * Serves `<any origin>/auth0`, `/brevo`, `/persona`, `/services` and `/control` as the server does, and the vendors' own host names besides. A
 * cut connection is a TransportError; one cut in the body is a DecodeError when the body is read, as with sockets.
 */
export const httpClient = (sandbox: Sandbox, options: HttpClientOptions = {}): HttpClient.HttpClient => {
  const half = (options.latencyMillis ?? 0) / 2
  const travel = half > 0 ? Effect.sleep(half) : Effect.void
  return HttpClient.make((request, url) =>
    Effect.gen(function* () {
      const body = yield* bodyText(request)
      yield* travel
      const delivery = respond(sandbox, url.hostname, {
        method: request.method,
        base: url.origin,
        targetBytes: url.pathname.length + url.search.length,
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body,
      })
      yield* travel
      if (delivery.delayMillis > 0) yield* Effect.sleep(delivery.delayMillis)
      if (delivery.cutAfterBytes === 0) return yield* Effect.fail(cut(request))
      return new MemoryResponse(request, url.href, delivery)
    }),
  )
}

const reset = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })

const cut = (request: HttpClientRequest.HttpClientRequest) =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause: reset() }) })

const encodeFailure = (request: HttpClientRequest.HttpClientRequest, cause: unknown) =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })

const decodeFailure = (response: MemoryResponse, cause: unknown): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.DecodeError({ request: response.request, response, cause }),
  })

const bodyText = (
  request: HttpClientRequest.HttpClientRequest,
): Effect.Effect<string, HttpClientError.HttpClientError> => {
  const body: HttpBody.HttpBody = request.body
  if (body._tag === "Empty") return Effect.succeed("")
  const encoding = request.headers["content-encoding"] === undefined ? "utf-8" : "latin1"
  if (body._tag === "Uint8Array" && encoding === "utf-8" && body.text !== undefined) return Effect.succeed(body.text)
  if (body._tag === "Uint8Array") return Effect.succeed(Buffer.from(body.body).toString(encoding))
  if (body._tag === "Raw" && typeof body.body === "string") return Effect.succeed(body.body)
  if (body._tag === "Stream") {
    return Stream.runCollect(body.stream).pipe(
      Effect.map((chunks) => Buffer.concat(chunks).toString(encoding)),
      Effect.mapError((cause) => encodeFailure(request, cause)),
    )
  }
  return Effect.fail(encodeFailure(request, `the sandbox takes no ${body._tag} body`))
}

/** What of a file gets through before the connection is cut. */
function* firstBytes(chunks: Iterable<Uint8Array>, bytes: number | undefined): Generator<Uint8Array> {
  let left = bytes ?? Number.POSITIVE_INFINITY
  for (const chunk of chunks) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= chunk.length
    if (left <= 0) return
  }
}

class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies = Cookies.empty
  readonly remoteAddress = Option.none<string>()
  readonly text: Effect.Effect<string, HttpClientError.HttpClientError>
  readonly #delivery: Delivery

  constructor(request: HttpClientRequest.HttpClientRequest, url: string, delivery: Delivery) {
    super()
    this.request = request
    this.url = url
    this.status = delivery.answer.status
    this.headers = Headers.fromInput(delivery.answer.headers)
    const whole =
      delivery.cutAfterBytes === undefined
        ? Effect.succeed(delivery.answer.body)
        : Effect.suspend(() => Effect.fail(decodeFailure(this, reset())))
    this.text = delivery.trickleMillis > 0 ? Effect.delay(whole, delivery.trickleMillis) : whole
    this.#delivery = delivery
  }

  get json(): Effect.Effect<Json, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({ try: () => (text === "" ? null : JSON.parse(text)), catch: (cause) => decodeFailure(this, cause) }),
    )
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    const { answer, cutAfterBytes, trickleMillis } = this.#delivery
    if (answer.chunks === undefined) {
      return Stream.fromEffect(Effect.map(this.text, (text) => new TextEncoder().encode(text)))
    }
    const sent = Stream.fromIterable(firstBytes(answer.chunks, cutAfterBytes), { chunkSize: 1 })
    const broken = Stream.suspend(() => Stream.fail(decodeFailure(this, reset())))
    const whole = cutAfterBytes === undefined ? sent : Stream.concat(sent, broken)
    return trickleMillis > 0 ? Stream.concat(Stream.fromEffectDrain(Effect.sleep(trickleMillis)), whole) : whole
  }

  get arrayBuffer() {
    return Effect.map(this.text, (text) => new TextEncoder().encode(text).buffer)
  }

  get urlParamsBody() {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(decodeFailure(this, "the sandbox sends no form data"))
  }

  get upgrade(): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({ request: this.request, response: this }),
      }),
    )
  }

  toJSON(): unknown {
    return { _id: "HttpClientResponse", status: this.status }
  }

  pipe() {
    // biome-ignore lint/complexity/noArguments: the overloads of Pipeable are made for it
    return pipeArguments(this, arguments)
  }
}
