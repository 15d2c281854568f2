/** A vendor that answers as a test says, and the unit of work for vendor calls on it, on a clock that the test moves. */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type { Answer, ApiOptions, Call, Verdict } from "../src/http/api.ts"
import { makeApi } from "../src/http/call.ts"
import { CurrentLimiters, makeLimiters } from "../src/http/limiter.ts"
import { CurrentMeter, makeMeter } from "../src/http/meter.ts"
import { Forbidden } from "../src/plugin/errors.ts"
import { retryAfterMillis } from "../src/plugin/headers.ts"

export type Reply = Response | { readonly code: string; readonly syscall?: string } | "hang"

export const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init)

export const classify = (answer: Answer): Verdict => {
  if (answer.status === 429) {
    const retryAfter = retryAfterMillis(answer.headers)
    return { _tag: "Throttled", ...(retryAfter === undefined ? {} : { retryAfterMillis: retryAfter }) }
  }
  if (answer.status === 401) return { _tag: "Expired", message: "The token is not accepted." }
  if (answer.status === 403)
    return { _tag: "Fail", reason: new Forbidden({ message: "The scope read:users is missing." }) }
  if (answer.status >= 500) return { _tag: "Transient", applied: true, message: `status ${answer.status}` }
  return { _tag: "Accept" }
}

export interface Sent {
  readonly at: number
  readonly url: string
  readonly authorization: string | undefined
}

/** A vendor that answers as `reply` says, and an Api on it with a limiter of its own. */
export const vendor = (reply: (nth: number) => Reply, options: Partial<ApiOptions> = {}) =>
  Effect.gen(function* () {
    const sent: Array<Sent> = []
    const meter = makeMeter()
    const client = HttpClient.make((request, url) =>
      Effect.gen(function* () {
        sent.push({
          at: yield* Clock.currentTimeMillis,
          url: url.href,
          authorization: request.headers.authorization,
        })
        const answer = reply(sent.length)
        if (answer === "hang") return yield* Effect.never
        if (answer instanceof Response) return HttpClientResponse.fromWeb(request, answer)
        const cause = Object.assign(new Error("connect to https://vendor.example/?secret=canary"), answer)
        const reason = new HttpClientError.TransportError({ request, cause })
        return yield* new HttpClientError.HttpClientError({ reason })
      }),
    )
    const api = yield* makeApi({
      baseUrl: "https://vendor.example/api",
      insecure: false,
      share: 1,
      limits: { calls: { limit: 1000, windowMillis: 1000 } },
      account: "vendor.example",
      readLimit: () => undefined,
      authorize: Effect.succeed,
      classify,
      ...options,
    }).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentMeter, meter),
      Effect.provideService(CurrentLimiters, makeLimiters()),
    )
    return { api, sent, meter }
  })

export const Body = Schema.Struct({ ok: Schema.Boolean })
export const get = (over: Partial<Call<typeof Body.Type>> = {}): Call<typeof Body.Type> => ({
  name: "things.list",
  bucket: "calls",
  request: HttpClientRequest.get("/things", { urlParams: { q: "canary" } }),
  repeatable: true,
  decode: (answer) => Schema.decodeUnknownEffect(Body)(answer.body),
  ...over,
})

/** Runs to the end however long the waits are. */
export const finish = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(effect))
    for (let day = 0; day < 5; day++) yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })

export const failure = <A, E>(result: Result.Result<A, E>): E => {
  assert.isTrue(Result.isFailure(result))
  return Result.getOrThrow(Result.flip(result))
}

export const good = () => json({ ok: true })
