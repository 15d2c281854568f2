/** The HTTP client against real sockets: bounded waits, no redirects, proxies, and certificates that are checked. */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import { type HttpOptions, layer } from "../src/node/http.ts"
import { portOf, server } from "./server.ts"

const get = (url: string, options: HttpOptions) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response) => Effect.map(response.text, (body) => ({ status: response.status, body }))),
    Effect.provide(layer(options), { local: true }),
  )

/** What undici says of the requests it makes, in its diagnostics. */
const Requests = Schema.NonEmptyArray(
  Schema.Struct({ request: Schema.Struct({ headersTimeout: Schema.Finite, bodyTimeout: Schema.Finite }) }),
)

const codesOf = (error: unknown): string => {
  const seen: Array<string> = []
  for (
    let at = error;
    typeof at === "object" && at !== null;
    at = "reason" in at ? at.reason : "cause" in at ? at.cause : null
  ) {
    if ("code" in at) seen.push(String(at.code))
  }
  return seen.join(" ")
}

describe("the HTTP client", () => {
  it.live("engineering trap 4: an answer that never starts, or stops half-way, ends with its own timeout", () =>
    Effect.gen(function* () {
      const silent = yield* server(() => {})
      const first = yield* Effect.flip(get(silent, { env: {}, headersTimeoutMillis: 50 }))
      assert.include(codesOf(first), "UND_ERR_HEADERS_TIMEOUT")
      const slow = yield* server((_, answer) => {
        answer.writeHead(200, { "content-length": "10" })
        answer.write("half")
      })
      const second = yield* Effect.flip(get(slow, { env: {}, bodyIdleMillis: 50 }))
      assert.include(codesOf(second), "UND_ERR_BODY_TIMEOUT")
    }),
  )

  it.live(
    "leaves the wait to the call: the transport gives up after the slowest vendor's ten minutes, not before",
    () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const note = (message: unknown) => void seen.push(message)
        yield* Effect.acquireRelease(
          Effect.sync(() => subscribe("undici:request:create", note)),
          () => Effect.sync(() => unsubscribe("undici:request:create", note)),
        )
        const here = yield* server((_, answer) => answer.end("here"))
        yield* get(here, { env: {} })
        const [bounds] = yield* Schema.decodeUnknownEffect(Requests)(seen)
        assert.isAbove(bounds.request.headersTimeout, 610_000)
        assert.isAbove(bounds.request.bodyTimeout, 610_000)
      }),
  )

  it.live("engineering trap 5: a redirect is an answer, not followed", () =>
    Effect.gen(function* () {
      let reached = 0
      const elsewhere = yield* server((_, answer) => {
        reached += 1
        answer.end()
      })
      const first = yield* server((_, answer) => answer.writeHead(307, { location: elsewhere }).end())
      assert.strictEqual((yield* get(first, { env: {} })).status, 307)
      assert.strictEqual(reached, 0)
    }),
  )

  it.live("a proxy of the environment is used for other hosts, and never for this machine or NO_PROXY", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const proxy = yield* server((request, answer) => {
        seen.push(request.url ?? "")
        answer.end("from the proxy")
      })
      // undici tunnels http through CONNECT as well.
      const tunnel = yield* Effect.acquireRelease(
        Effect.callback<http.Server>((resume) => {
          const started = http.createServer()
          started.on("connect", (request, socket) => {
            seen.push(request.url ?? "")
            socket.end("HTTP/1.1 502 no\r\n\r\n")
          })
          started.listen(0, "127.0.0.1", () => resume(Effect.succeed(started)))
        }),
        (started) => Effect.sync(() => started.closeAllConnections()),
      )
      const address = `http://127.0.0.1:${portOf(tunnel.address())}`
      const env = { HTTP_PROXY: proxy, HTTPS_PROXY: address, NO_PROXY: "direct.invalid" }
      yield* Effect.exit(get("http://vendor.invalid/a", { env }))
      yield* Effect.exit(get("https://vendor.invalid/b", { env }))
      assert.strictEqual(seen.length, 2)
      assert.isTrue(seen.every((url) => url.includes("vendor.invalid")))
      yield* Effect.exit(get("http://direct.invalid/c", { env }))
      const here = yield* server((_, answer) => answer.end("here"))
      assert.strictEqual((yield* get(here, { env })).body, "here")
      assert.strictEqual(seen.length, 2)
    }),
  )

  it.effect("S15: NODE_TLS_REJECT_UNAUTHORIZED=0 is refused with the way out", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(get("http://127.0.0.1:9", { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }))
      assert.strictEqual(refused._tag, "EnvironmentRefused")
      assert.include(refused.message, "NODE_EXTRA_CA_CERTS")
    }),
  )

  it.effect("a proxy address that is none is refused and not shown, as it can hold a password", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(get("http://127.0.0.1:9", { env: { HTTPS_PROXY: "http://user:canary@:x" } }))
      assert.strictEqual(refused._tag, "EnvironmentRefused")
      assert.notInclude(refused.message, "canary")
    }),
  )
})
