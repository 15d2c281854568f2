/** Answers read whole against real sockets: the same as by stream, but bounded. */
import type * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Dispatcher } from "undici"
import { layer } from "../src/node/http.ts"
import { wholeAnswers } from "../src/node/wholeAnswers.ts"
import { server } from "./server.ts"

const most = 1000

type Read<A> = (response: HttpClientResponse) => Effect.Effect<A, HttpClientError>

const send = <A>(request: HttpClientRequest.HttpClientRequest, read: Read<A>, whole: boolean) =>
  HttpClient.execute(request).pipe(
    Effect.flatMap(read),
    whole ? Effect.provideService(MaxBodySize, ByteSize.bytes(most)) : (same) => same,
    Effect.provide(Layer.orDie(layer({ env: {} })), { local: true }),
  )

const described: Read<unknown> = (response) =>
  Effect.map(response.text, (text) => ({
    text,
    status: response.status,
    url: response.url,
    type: response.headers["content-type"],
    cookies: Object.keys(response.cookies.cookies),
  }))

/** Reads it whole and by stream. */
const bothWays = (answer: http.RequestListener, request = (url: string) => HttpClientRequest.get(url)) =>
  Effect.gen(function* () {
    const url = yield* server(answer)
    const whole = yield* send(request(url), described, true)
    assert.deepStrictEqual(whole, yield* send(request(url), described, false))
    return whole
  })

/** No client of undici does this. */
class EndsBeforeHeaders extends Dispatcher {
  override dispatch(_: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    handler.onResponseEnd?.(controller, {})
    return true
  }
}

const controller: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
}

const echo: http.RequestListener = (request, answer) => {
  const { headers, method, url } = request
  let body = ""
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text
  })
  request.on("end", () => answer.end(JSON.stringify({ method, url, type: headers["content-type"], body })))
}

describe("an answer that is read whole", () => {
  it.live(
    "is what a stream gives: with a length, in chunks, empty, after an interim answer, with several cookies",
    () =>
      Effect.gen(function* () {
        yield* bothWays((_, answer) => answer.writeHead(200, { "content-type": "text/plain" }).end("here"))
        yield* bothWays((_, answer) => {
          answer.writeHead(404, { "set-cookie": ["a=1", "b=2"] })
          answer.write("in ")
          answer.end("chunks: \u20ac")
        })
        yield* bothWays((_, answer) => answer.writeHead(204).end())
        yield* bothWays((_, answer) => {
          answer.writeEarlyHints({ link: "</a>; rel=preload" })
          answer.end("at last")
        })
      }),
  )

  it.live("lets go of a body that was streamed: nobody streams it twice", () =>
    Effect.gen(function* () {
      const url = yield* server((_, answer) => answer.end("here"))
      const twice: Read<unknown> = ({ stream }) => Effect.andThen(Stream.runDrain(stream), Stream.runDrain(stream))
      const exit = yield* Effect.exit(send(HttpClientRequest.get(url), twice, true))
      assert.include(String(exit), "The body of this answer has been streamed.")
    }),
  )

  it.live("goes with method, query, headers and body as they are", () =>
    Effect.gen(function* () {
      const found = yield* bothWays(echo, (url) =>
        HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.put(`${url}/a?b=c`, { urlParams: { d: "e f" } }), { g: 1 }),
      )
      assert.include(JSON.stringify(found), "/a?b=c&d=e+f")
    }),
  )

  it.live("A body above the bound ends the connection, and says so as undici does", () =>
    Effect.gen(function* () {
      const gone = yield* Deferred.make<void>()
      const endless = yield* server((_, answer) => {
        const timer = setInterval(() => answer.write("x".repeat(400)), 1)
        answer.on("close", () => {
          clearInterval(timer)
          Deferred.doneUnsafe(gone, Effect.void)
        })
      })
      const error = yield* Effect.flip(send(HttpClientRequest.get(endless), described, true))
      assert.propertyVal(error.reason, "_tag", "DecodeError")
      assert.include(JSON.stringify("cause" in error.reason ? error.reason.cause : ""), "UND_ERR_RES_EXCEEDED_MAX_SIZE")
      yield* Deferred.await(gone)
      yield* bothWays((_, answer) => answer.end("x".repeat(most)))
    }),
  )

  it.live("a body that breaks off fails with the answer it had begun", () =>
    Effect.gen(function* () {
      const cut = yield* server((_, answer) => {
        answer.writeHead(200, { "content-length": "10" })
        answer.write("half", () => answer.destroy())
      })
      const error = yield* Effect.flip(send(HttpClientRequest.get(cut), described, true))
      assert.propertyVal(error.reason, "_tag", "DecodeError")
      assert.strictEqual(error.response?.status, 200)
    }),
  )

  it.live("a request that cannot go out fails without an answer", () =>
    Effect.gen(function* () {
      const nowhere = yield* Effect.scoped(server(echo))
      const refused = yield* Effect.flip(send(HttpClientRequest.get(nowhere), described, true))
      assert.propertyVal(refused.reason, "_tag", "TransportError")
      const wrong = HttpClientRequest.setHeader(HttpClientRequest.get(nowhere), "a", "b\nc")
      assert.propertyVal((yield* Effect.flip(send(wrong, described, true))).reason, "_tag", "TransportError")
    }),
  )

  it.effect("an answer that ends before its headers fails at once: nobody waits for them", () =>
    Effect.gen(function* () {
      const streaming = HttpClient.make(() => Effect.die("read by stream"))
      const client = wholeAnswers(new EndsBeforeHeaders(), streaming)
      const bounded = Effect.provideService(client.get("http://localhost"), MaxBodySize, ByteSize.bytes(most))
      const { reason } = yield* Effect.flip(bounded)
      assert.propertyVal(reason, "_tag", "TransportError")
      assert.include(String("cause" in reason ? reason.cause : ""), "ended before its headers")
    }),
  )

  it.live("giving it up, before or after its headers, ends the connection", () =>
    Effect.gen(function* () {
      for (const begins of [false, true]) {
        const [asked, gone] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const slow = yield* server((_, answer) => {
          answer.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
          if (begins) answer.write("half", () => Deferred.doneUnsafe(asked, Effect.void))
          else Deferred.doneUnsafe(asked, Effect.void)
        })
        const call = yield* Effect.forkChild(send(HttpClientRequest.get(slow), described, true))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(call)
        yield* Deferred.await(gone)
      }
    }),
  )
})
