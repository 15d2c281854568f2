/** Files at addresses that a vendor gave: only where they are expected, whole or an error, never too long in silence. */
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { CurrentMeter, type Download, gunzip, makeDownloads, makeMeter } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const file: Download = {
  name: "vendor.file",
  url: "https://files.example.com/a.gz?Signature=test-signature",
  expects: (host) => host === "files.example.com" || host === "127.0.0.1:4000",
  otherwise: "Set `hosts`.",
  insecure: false,
}

/** The file, as it is and as text. */
const download = (respond: () => Response | undefined, over: Partial<Download> = {}) =>
  Effect.gen(function* () {
    const requests: Array<HttpClientRequest> = []
    const meter = makeMeter()
    const client = HttpClient.make((request) => {
      requests.push(request)
      const response = respond()
      const cause = Object.assign(new Error("reset"), { code: "ECONNRESET" })
      return response === undefined
        ? Effect.fail(new HttpClientError({ reason: new TransportError({ request, cause }) }))
        : Effect.succeed(HttpClientResponse.fromWeb(request, response))
    })
    const read = yield* makeDownloads.pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentMeter, meter),
    )
    const bytes = read({ ...file, ...over })
    return { bytes, text: Effect.flatMap(bytes, (all) => Stream.mkString(Stream.decodeText(all))), requests, meter }
  })

const failing = (respond: () => Response | undefined, over: Partial<Download> = {}) =>
  Effect.flatMap(download(respond, over), ({ text }) => Effect.flip(text))

const pieces = (...parts: ReadonlyArray<Uint8Array | "fails" | "hangs">) =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      const [next, ...rest] = parts
      parts = rest
      if (next === undefined) controller.close()
      else if (next === "fails") controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }))
      else if (next !== "hangs") controller.enqueue(next)
      return next === "hangs" ? new Promise<void>(() => {}) : undefined
    },
  })

const gz = new Uint8Array(gzipSync("hello\n".repeat(10_000)))

describe("a download", () => {
  it.effect("carries no credentials, asks for the file as it is and counts its bytes", () =>
    Effect.gen(function* () {
      const { text, requests, meter } = yield* download(() => new Response("hello"))
      assert.strictEqual(yield* text, "hello")
      assert.deepStrictEqual({ ...requests[0]?.headers }, { "accept-encoding": "identity" })
      assert.strictEqual(meter.bytes, 5)
    }),
  )

  it.effect(
    "S09: of a host that is not expected, or without https, is never asked for, and its address not repeated",
    () =>
      Effect.gen(function* () {
        const addresses = [
          "https://example.com/x?secret",
          "https://files.example.com:8443/x?secret",
          "https://secret@files.example.com/x",
          "http://files.example.com/x?secret",
          "ftp://files.example.com/x?secret",
          "https://169.254.169.254/x?secret",
        ]
        for (const url of addresses) {
          const { text, requests } = yield* download(() => new Response("x"), { url })
          const error = yield* Effect.flip(text)
          assert.strictEqual(error._tag, "Misconfigured")
          assert.notInclude(JSON.stringify(error), "secret")
          assert.deepStrictEqual(requests, [])
        }
        const local = yield* download(() => new Response("x"), { url: "http://127.0.0.1:4000/x" })
        assert.strictEqual(yield* local.text, "x")
        const open = yield* download(() => new Response("x"), { url: "http://files.example.com/x", insecure: true })
        assert.strictEqual(yield* open.text, "x")
        assert.strictEqual((yield* failing(() => new Response("x"), { url: "no address" }))._tag, "Protocol")
      }),
  )

  it.effect("says what a status means, without what the server said", () =>
    Effect.gen(function* () {
      const meanings = [
        [401, "LinkDenied"],
        [403, "LinkDenied"],
        [404, "LinkDenied"],
        [410, "LinkDenied"],
        [302, "Misconfigured"],
        [400, "Protocol"],
        [206, "Protocol"],
        [429, "Unavailable"],
        [500, "Unavailable"],
        [503, "Unavailable"],
      ] as const
      for (const [status, meaning] of meanings) {
        const error = yield* failing(
          () => new Response("<secret/>", { status, headers: { location: "https://x.example" } }),
        )
        assert.strictEqual(error._tag, meaning)
        assert.notInclude(JSON.stringify(error), "secret")
      }
    }),
  )

  it.effect("of the API itself that is denied says why, in a few kilobytes of JSON and no more", () =>
    Effect.gen(function* () {
      const token = Redacted.make("test-session")
      const why = [{ errorCode: "REQUEST_LIMIT_EXCEEDED" }]
      const deny = (body: string) => failing(() => new Response(body, { status: 403 }), { token })
      assert.deepStrictEqual(yield* deny(JSON.stringify(why)), { _tag: "LinkDenied", status: 403, body: why })
      for (const body of ["<html>", JSON.stringify("x".repeat(70_000)), ""]) {
        assert.deepStrictEqual(yield* deny(body), { _tag: "LinkDenied", status: 403 })
      }
      const hanging = yield* download(() => new Response(pieces("hangs"), { status: 403 }), { token })
      const fiber = yield* Effect.forkChild(Effect.flip(hanging.text))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Unavailable")
    }),
  )

  it.effect("that breaks off is an outage, before and in the body", () =>
    Effect.gen(function* () {
      for (const respond of [() => undefined, () => new Response(pieces(gz, "fails"))]) {
        const error = yield* failing(respond)
        assert.strictEqual(error._tag, "Unavailable")
        assert.include("message" in error ? error.message : "", "ECONNRESET")
      }
    }),
  )

  it.effect("that falls silent is an outage after a while", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(failing(() => new Response(pieces(gz, "hangs")), { idleMillis: 20_000 }))
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust("21 seconds")
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "Unavailable")
      assert.include("message" in error ? error.message : "", "nothing came for 20 seconds")
    }),
  )
})

describe("gunzip", () => {
  const text = (...parts: ReadonlyArray<Uint8Array>) =>
    gunzip("vendor.file", Stream.fromIterable(parts)).pipe(Stream.decodeText, Stream.mkString)

  it.effect("unpacks whatever the pieces", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* text(gz)).length, 60_000)
      assert.strictEqual((yield* text(...Array.from(gz, (byte) => Uint8Array.of(byte)))).length, 60_000)
    }),
  )

  it.effect("engineering trap 3: a file that is cut anywhere, damaged, empty or no gzip fails", () =>
    Effect.gen(function* () {
      const damaged = gz.map((byte, place) => (place === gz.length - 6 ? byte ^ 1 : byte))
      const cuts = [0, 1, 9, 10, 30, gz.length - 9, gz.length - 8, gz.length - 4, gz.length - 1]
      const second = new Uint8Array(Buffer.concat([gz, gz.subarray(0, 40)]))
      for (const bytes of [...cuts.map((length) => gz.subarray(0, length)), damaged, second, Buffer.from("{}\n")]) {
        assert.strictEqual((yield* Effect.flip(text(bytes)))._tag, "Unavailable")
      }
    }),
  )

  it.effect("fails as its file does", () =>
    Effect.gen(function* () {
      const { bytes } = yield* download(() => new Response(pieces(gz.subarray(0, 20), "fails")))
      const unpacked = Effect.flatMap(bytes, (all) => Stream.runDrain(gunzip("vendor.file", all)))
      const error = yield* Effect.flip(unpacked)
      assert.include("message" in error ? error.message : "", "ECONNRESET")
    }),
  )
})
