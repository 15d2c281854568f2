/** `Sink.simple`: accounts, addresses, and what becomes of an answer. */
import { assert, describe, it } from "@effect/vitest"
import { Outcome, PluginState, Sink } from "@sluice/core"
import { jsonClient } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"

const Config = Schema.Struct({ url: Schema.String, token: Schema.Redacted(Schema.String) })
const state = { get: () => Effect.succeed(Option.none()), set: () => Effect.void }

const sink = Sink.simple({
  name: "hook",
  config: Config,
  write: (batch, { url }) =>
    HttpClient.post(url).pipe(
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Schema.Struct({ ok: Schema.Boolean }))),
      Effect.as(batch.rows.map(({ id }) => Outcome.Delivered({ id, effect: "accepted" }))),
    ),
})

interface Setting {
  readonly url?: string
  readonly token?: string
  readonly insecure?: boolean
  /** The transport fails with this cause. */
  readonly cause?: { readonly code: string }
  readonly answer?: { readonly status: number; readonly headers?: { readonly [name: string]: string } }
}

const failing = (cause: object) =>
  HttpClient.make((request) =>
    Effect.fail(
      new HttpClientError({ reason: new TransportError({ request, cause: Object.assign(new Error(), cause) }) }),
    ),
  )

const opened = ({ url, token, insecure, answer, cause }: Setting) =>
  sink
    .open(
      { url: url ?? "https://example.com/", token: Redacted.make(token ?? "test-secret") },
      { name: "hook", baseUrl: undefined, share: undefined, insecure: insecure ?? false },
    )
    .pipe(
      Effect.provideService(PluginState, state),
      Effect.provideService(
        HttpClient.HttpClient,
        cause === undefined ? jsonClient(() => ({ status: 200, body: { ok: true }, ...answer })) : failing(cause),
      ),
    )

const written = (setting: Setting) =>
  Effect.gen(function* () {
    const connection = yield* opened(setting)
    const writer = yield* connection.writer("any name", target)
    const row = { id: "a", key: "1", change: "upsert" as const, fields: { id: "1" } }
    return yield* Effect.result(writer.write({ id: "b", attempt: 1, rows: [row] }))
  }).pipe(Effect.scoped)

const target = { key: "id", fields: ["id"], options: {}, on_delete: "keep", expected: undefined }

const reasonOf = (setting: Setting) =>
  Effect.map(written(setting), (result) => (result._tag === "Failure" ? result.failure.reason : undefined))

const account = (setting: Setting) =>
  Effect.scoped(Effect.flatMap(opened(setting), (connection) => connection.identify))

describe("Sink.simple", () => {
  it.effect("rule 14: another address is another account, another secret is not", () =>
    Effect.gen(function* () {
      const first = yield* account({})
      assert.strictEqual((yield* account({ token: "another-secret" })).account, first.account)
      assert.notStrictEqual((yield* account({ url: "https://example.org/" })).account, first.account)
    }),
  )

  it.effect("rule 9: http to another machine is refused unless the file says insecure", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* reasonOf({ url: "http://example.com/" }))?._tag, "Misconfigured")
      assert.isUndefined(yield* reasonOf({ url: "http://example.com/", insecure: true }))
      assert.isUndefined(yield* reasonOf({ url: "http://127.0.0.1:9/" }))
      assert.strictEqual((yield* reasonOf({ url: "http://127.0.0.1.example.com/" }))?._tag, "Misconfigured")
    }),
  )

  const byStatus: ReadonlyArray<readonly [status: number, reason: string]> = [
    [301, "Refused"],
    [400, "BatchRefused"],
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [404, "Refused"],
    [408, "Unavailable"],
    [409, "BatchRefused"],
    [413, "BatchRefused"],
    [422, "BatchRefused"],
    [429, "RateLimited"],
    [500, "Unavailable"],
    [522, "Unavailable"],
  ]
  for (const [status, reason] of byStatus) {
    it.effect(`rule 3: HTTP ${status} is ${reason}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* reasonOf({ answer: { status } }))?._tag, reason)
      }),
    )
  }

  it.effect("rule 3: a 503 may have taken effect", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf({ answer: { status: 503 } })
      assert.isTrue(reason?._tag === "Unavailable" && reason.inDoubt)
    }),
  )

  it.effect("D09: a destination that is not there got nothing, so no row is in doubt", () =>
    Effect.gen(function* () {
      for (const code of ["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"]) {
        assert.deepInclude(yield* reasonOf({ cause: { code } }), { _tag: "Unavailable", inDoubt: false })
      }
      assert.deepInclude(yield* reasonOf({ cause: { code: "ECONNRESET" } }), { _tag: "Unavailable", inDoubt: true })
      assert.deepInclude(yield* reasonOf({ cause: { code: "CERT_HAS_EXPIRED" } }), { _tag: "Barred" })
    }),
  )

  it.effect(
    "rule 3: what fails after a request of the same write was answered is in doubt where a repeat is wrong",
    () =>
      Effect.gen(function* () {
        for (const [repeatable, tag] of [
          [false, "Unavailable"],
          [true, "RateLimited"],
        ] as const) {
          let calls = 0
          const eachRow = Sink.simple({
            name: "rows",
            config: Schema.Struct({}),
            repeatable,
            write: (batch) =>
              Effect.forEach(batch.rows, ({ id }) =>
                Effect.as(HttpClient.post("https://example.com/"), Outcome.Delivered({ id, effect: "created" })),
              ),
          })
          const connection = yield* eachRow
            .open({}, { name: "rows", baseUrl: undefined, share: undefined, insecure: false })
            .pipe(
              Effect.provideService(PluginState, state),
              Effect.provideService(
                HttpClient.HttpClient,
                jsonClient(() => ({ status: ++calls % 2 === 1 ? 200 : 429, body: {} })),
              ),
            )
          const writer = yield* connection.writer("any", target)
          const rows = ["a", "b"].map((id) => ({ id, key: id, change: "upsert" as const, fields: { id } }))
          const failed = yield* Effect.flip(writer.write({ id: "1", attempt: 1, rows }))
          assert.strictEqual(failed.reason._tag, tag)
        }
      }).pipe(Effect.scoped),
  )

  it.effect("an absurd Retry-After is capped at five minutes", () =>
    Effect.gen(function* () {
      const waits = (header: string) => reasonOf({ answer: { status: 429, headers: { "retry-after": header } } })
      const capped = yield* waits("999999999")
      assert.isTrue(capped?._tag === "RateLimited" && capped.retryAfterMillis === 300_000)
      const date = "Fri, 20 Nov 2026 10:01:00 GMT"
      const dated = yield* reasonOf({
        answer: { status: 429, headers: { "retry-after": date, date: "Fri, 20 Nov 2026 10:00:00 GMT" } },
      })
      assert.isTrue(dated?._tag === "RateLimited" && dated.retryAfterMillis === 60_000)
      const none = yield* waits("soon")
      assert.isTrue(none?._tag === "RateLimited" && none.retryAfterMillis === 1000)
    }),
  )

  it.effect("S01: no span carries the address, which can be a secret", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        },
      })
      yield* written({ url: "https://example.com/canary?token=canary" }).pipe(
        Effect.withSpan("run"),
        Effect.withTracer(tracer),
      )
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["run"],
      )
      assert.notInclude(JSON.stringify(spans.map(({ name, attributes }) => [name, ...attributes])), "canary")
    }),
  )

  it("takes any object name", () => {
    assert.isDefined(typeof sink.objects === "function" ? sink.objects("whatever you like") : undefined)
  })
})
