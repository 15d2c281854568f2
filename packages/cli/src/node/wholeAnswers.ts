/**
 * Calls whose answer is read whole: undici hands over the pieces and no stream stands in between. A call asks for it by
 * setting `MaxBodySize`, which bounds the body. docs/adr/0047-answers-read-whole.md has what it saves.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import { DecodeError, HttpClientError, InvalidUrlError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { MaxBodySize, TypeId as MessageTypeId } from "effect/http/HttpIncomingMessage"
import * as Url from "effect/http/Url"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Dispatcher, errors } from "undici"

/** Reads whole what is bounded; leaves everything else, and bodies that are no bytes, to `streaming`. */
export const wholeAnswers = (dispatcher: Dispatcher, streaming: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(streaming, (streamed, request) =>
    Effect.flatMap(MaxBodySize, (most) => {
      const body = bytesOf(request)
      return most === undefined || body === undefined
        ? streamed
        : exchange(dispatcher, request, body, ByteSize.toNumberUnsafe(most))
    }),
  )

/** Null: it has none. Undefined: it comes in another way. */
const bytesOf = ({ body }: HttpClientRequest): Uint8Array | null | undefined =>
  body._tag === "Empty" ? null : body._tag === "Uint8Array" ? body.body : undefined

const exchange = (dispatcher: Dispatcher, request: HttpClientRequest, body: Uint8Array | null, most: number) => {
  const url = Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash))
  if (Result.isFailure(url)) {
    return Effect.fail(new HttpClientError({ reason: new InvalidUrlError({ request, cause: url.failure }) }))
  }
  const { origin, pathname, search } = url.success
  return Effect.callback<HttpClientResponse.HttpClientResponse, HttpClientError>((resume) => {
    const collector = new Collector(request, url.success, most, resume)
    try {
      dispatcher.dispatch(
        { origin, path: pathname + search, method: request.method, headers: request.headers, body },
        collector,
      )
    } catch (cause) {
      collector.onResponseError(undefined, cause)
    }
    return Effect.sync(() => collector.abort(new Error("The call was given up.")))
  })
}

/** One answer as it comes in. */
class Collector implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private aborted: Error | undefined
  private pieces: Array<Uint8Array> = []
  private size = 0
  private answer: WholeAnswer | undefined

  private readonly request: HttpClientRequest
  private readonly url: URL
  private readonly most: number
  private readonly resume: (exchange: Effect.Effect<WholeAnswer, HttpClientError>) => void

  constructor(request: HttpClientRequest, url: URL, most: number, resume: Collector["resume"]) {
    this.request = request
    this.url = url
    this.most = most
    this.resume = resume
  }

  abort(why: Error): void {
    this.aborted = why
    this.controller?.abort(why)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.aborted !== undefined) controller.abort(this.aborted)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 100 Continue and the like come before the answer.
    if (status >= 200) this.answer = new WholeAnswer(this.request, this.url, status, headers)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.byteLength
    if (this.size > this.most) this.abort(new errors.ResponseExceededMaxSizeError())
    else this.pieces.push(chunk)
  }

  onResponseEnd(): void {
    const { answer, pieces } = this
    if (answer === undefined) {
      // No client of undici does this. Said nothing of, the call would wait for its timeout.
      this.onResponseError(undefined, new Error("The answer ended before its headers."))
      return
    }
    this.drop()
    answer.pieces = pieces
    this.resume(Effect.succeed(answer))
  }

  onResponseError(_: unknown, cause: unknown): void {
    const { answer: response, request } = this
    this.drop()
    const reason =
      response === undefined ? new TransportError({ request, cause }) : new DecodeError({ request, response, cause })
    this.resume(Effect.fail(new HttpClientError({ reason })))
  }

  /** What belongs to a socket can outlive its answers until a major collection, with all they know (ADR 0023). */
  private drop(): void {
    this.pieces = []
    this.answer = undefined
  }
}

class WholeAnswer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [MessageTypeId]: typeof MessageTypeId = MessageTypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  /** Undefined once they were streamed. */
  pieces: ReadonlyArray<Uint8Array> | undefined = []

  readonly request: HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress: Option.Option<string> = Option.none()
  private readonly address: URL
  private readonly setCookie: ReadonlyArray<string>

  constructor(request: HttpClientRequest, address: URL, status: number, headers: IncomingHttpHeaders) {
    super()
    this.request = request
    this.address = address
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.setCookie = headers["set-cookie"] ?? []
  }

  get url(): string {
    return this.address.origin + this.address.pathname + this.address.search
  }

  get stream(): Stream.Stream<Uint8Array> {
    return Stream.fromEffect(Effect.sync(() => this.take()))
  }

  get arrayBuffer() {
    return this.web.arrayBuffer
  }

  get cookies() {
    return Cookies.fromSetCookie(this.setCookie)
  }

  get json() {
    return this.web.json
  }

  get text() {
    return this.web.text
  }

  get urlParamsBody() {
    return this.web.urlParamsBody
  }

  get formData() {
    return this.web.formData
  }

  get upgrade() {
    return this.web.upgrade
  }

  toJSON(): unknown {
    return { _id: "HttpClientResponse", request: this.request.toJSON(), status: this.status }
  }

  pipe() {
    // biome-ignore lint/complexity/noArguments: how Effect's own classes pipe.
    return pipeArguments(this, arguments)
  }

  /**
   * Its bytes, once: whoever keeps an answer must not keep them. V8 collects everything for each 64 MiB outside of its
   * heap, and an answer can outlive its call until then (ADR 0023).
   */
  private take(): Uint8Array {
    const bytes = this.whole()
    this.pieces = undefined
    return bytes
  }

  private whole(): Uint8Array {
    const { pieces } = this
    if (pieces === undefined) throw new TypeError("The body of this answer has been streamed.")
    const [only, ...others] = pieces
    return only !== undefined && others.length === 0 ? only : Buffer.concat(pieces)
  }

  /** What hardly anyone asks for is left to the response of the web. */
  private get web(): HttpClientResponse.HttpClientResponse {
    const bytes = this.whole()
    const body = bytes.byteLength === 0 ? null : new Uint8Array(bytes)
    return HttpClientResponse.fromWeb(this.request, new Response(body, { headers: this.headers, status: this.status }))
  }
}
