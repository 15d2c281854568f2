/** The unit of work over real sockets that break in the ways sockets break. */
import { createServer, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ApiOptions } from "../src/http/api.ts"
import { makeApi } from "../src/http/call.ts"

const page = JSON.stringify({ users: Array.from({ length: 500 }, (_, nth) => `user ${nth}`) })
const head = (extra: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${extra}\r\n`
const whole = (socket: Socket) =>
  socket.end(`${head(`content-length: ${page.length}\r\nconnection: close\r\n`)}${page}`)

/** Serves each connection by the next script; the last one stays. */
const served = (scripts: ReadonlyArray<(socket: Socket) => void>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly seen: ReadonlyArray<string>; readonly close: () => void }>(
      (resume) => {
        const seen: Array<string> = []
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          socket.once("data", (data) => {
            seen.push(data.toString())
            scripts[Math.min(seen.length, scripts.length) - 1]?.(socket)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = address !== null && typeof address === "object" ? address.port : 0
          const close = () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
          resume(Effect.succeed({ port, seen, close }))
        })
      },
    ),
    ({ close }) => Effect.sync(close),
  )

const fetchPage = (port: number, over: Partial<ApiOptions> = {}) =>
  Effect.gen(function* () {
    const api = yield* makeApi({
      baseUrl: `http://127.0.0.1:${port}`,
      insecure: false,
      share: 1,
      limits: { calls: { limit: 100, windowMillis: 1000 } },
      account: `127.0.0.1:${port}`,
      readLimit: () => undefined,
      authorize: (request) => Effect.succeed(HttpClientRequest.setHeader(request, "api-key", "test-secret")),
      classify: () => ({ _tag: "Accept" }),
      ...over,
    })
    return yield* Effect.result(
      api.call({
        name: "users.list",
        bucket: "calls",
        request: HttpClientRequest.get("/users"),
        repeatable: true,
        decode: (answer) =>
          Schema.decodeUnknownEffect(Schema.Struct({ users: Schema.Array(Schema.String) }))(answer.body),
      }),
    )
  }).pipe(
    Effect.provide(FetchHttpClient.layer),
    // The clock is real here, so that the waits between attempts are the shortest there are.
    Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 }),
  )

describe("http unit on sockets", () => {
  const faults: ReadonlyArray<readonly [string, (socket: Socket) => void]> = [
    [
      "C01: a reset in the middle of the body",
      (socket) => {
        socket.write(`${head(`content-length: ${page.length}\r\n`)}${page.slice(0, 500)}`, () =>
          setImmediate(() => socket.resetAndDestroy()),
        )
      },
    ],
    [
      "C02: a content-length longer than the body",
      (socket) => {
        socket.end(`${head(`content-length: ${page.length + 10}\r\nconnection: close\r\n`)}${page}`)
      },
    ],
    [
      "C03: a chunked body without its end",
      (socket) => {
        socket.end(`${head("transfer-encoding: chunked\r\nconnection: close\r\n")}1f4\r\n${page.slice(0, 500)}\r\n`)
      },
    ],
    [
      "C04: a body that ends when the connection does, cut",
      (socket) => {
        socket.end(`${head("connection: close\r\n")}${page.slice(0, 500)}`)
      },
    ],
    [
      "C12: a connection closed before any answer",
      (socket) => {
        socket.end()
      },
    ],
    ["C07: headers that never come", () => {}],
    [
      "C07: a body of which one byte comes",
      (socket) => {
        socket.write(`${head(`content-length: ${page.length}\r\n`)}{`)
      },
    ],
  ]
  for (const [name, fault] of faults) {
    it.live(`${name} is repeated as one unit`, () =>
      Effect.gen(function* () {
        const { port, seen } = yield* served([fault, whole])
        const result = yield* fetchPage(port, { timeoutMillis: 300 })
        assert.strictEqual(Result.getOrThrow(result).users.length, 500)
        assert.strictEqual(seen.length, 2)
      }),
    )
  }

  it.live("C12: a port where nobody listens is no connection, and the message names it", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(served([whole]))
      const error = Result.getOrThrow(Result.flip(yield* fetchPage(port)))
      assert.deepInclude(error, { _tag: "Unavailable", inDoubt: false })
      assert.include(error.message, `127.0.0.1:${port}`)
    }),
  )

  it.live("C23: a redirect is not followed and the key does not leave", () =>
    Effect.gen(function* () {
      const other = yield* served([whole])
      const redirect = (socket: Socket) =>
        socket.end(`HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:${other.port}/\r\ncontent-length: 0\r\n\r\n`)
      const { port, seen } = yield* served([redirect])
      const error = Result.getOrThrow(Result.flip(yield* fetchPage(port)))
      assert.strictEqual(error._tag, "Misconfigured")
      assert.include(seen[0] ?? "", "test-secret")
      assert.deepStrictEqual(other.seen, [])
    }),
  )

  it.live("engineering trap 3: the transport is told not to pack bodies", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* served([whole])
      yield* fetchPage(port)
      assert.match(seen[0] ?? "", /accept-encoding: identity/i)
      assert.notMatch(seen[0] ?? "", /accept-encoding: .*gzip/i)
    }),
  )
})
