/** What can go wrong between a plugin and its vendor, and a client that makes it happen. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { bodyText, type JsonAnswer, responseOf } from "./destination.ts"

/** What a request meets while it is switched on. */
export type Fault =
  | { readonly kind: "answer"; readonly answer: JsonAnswer }
  /** The request never arrives. */
  | { readonly kind: "cut" }
  /** The vendor does what it was asked, and the answer is lost. */
  | { readonly kind: "lost" }
  /** The vendor does what it was asked and never answers; as long as it wrote nothing, it does. */
  | { readonly kind: "swallowed"; readonly wrote: () => boolean }
  | { readonly kind: "not_json" }
  /** JSON of another shape than any vendor's. */
  | { readonly kind: "odd_json" }
  /** No answer, ever. */
  | { readonly kind: "silent" }
  | { readonly kind: "slow"; readonly millis: number }
  /** HTTP 413 for a body longer than that. */
  | { readonly kind: "too_large"; readonly bytes: number }

export const status = (code: number, headers: { readonly [name: string]: string } = {}): Fault => ({
  kind: "answer",
  answer: { status: code, body: {}, headers },
})

export interface Faulty {
  readonly client: HttpClient.HttpClient
  /** Lets `skip` requests pass and then strikes `times` of them, or all. */
  readonly set: (fault: Fault | undefined, when?: { readonly skip?: number; readonly times?: number }) => void
  /** Requests since the last `set`. */
  readonly requests: () => number
  /** Of these, those that began after a fault's first answer had arrived. */
  readonly afterAnswer: () => number
  /** Milliseconds between a fault's first answer and the next request; undefined where none followed. */
  readonly pause: () => number | undefined
  /** Requests that were given up while they waited for an answer. */
  readonly abandoned: () => number
  /** Bytes of the longest body since the last `set`. */
  readonly longest: () => number
  /** Bodies that were streams, whose length nobody knows. */
  readonly streamed: () => number
}

/** Answers take a moment, so that what is sent meanwhile is not taken for a reaction to them. */
const travel = "10 millis"

export const makeFaulty = (client: HttpClient.HttpClient): Faulty => {
  let fault: Fault | undefined
  let skip = 0
  let times = Number.POSITIVE_INFINITY
  const seen = { requests: 0, afterAnswer: 0, abandoned: 0, longest: 0, streamed: 0 }
  let answeredAt: number | undefined
  let pause: number | undefined

  const count = (request: HttpClientRequest, now: number) => {
    seen.requests += 1
    seen.longest = Math.max(seen.longest, bytesOf(request))
    if (request.body._tag === "Stream") seen.streamed += 1
    if (answeredAt === undefined) return
    seen.afterAnswer += 1
    pause ??= now - answeredAt
  }

  const strikes = (request: HttpClientRequest): Fault | undefined => {
    if (fault === undefined || (fault.kind === "too_large" && bytesOf(request) <= fault.bytes)) return undefined
    if (skip > 0) {
      skip -= 1
      return undefined
    }
    if (times <= 0) return undefined
    times -= 1
    return fault
  }

  const answered = Clock.clockWith((clock) =>
    Effect.sync(() => {
      answeredAt ??= clock.currentTimeMillisUnsafe()
    }),
  )
  const reply = (request: HttpClientRequest, response: () => Response) =>
    Effect.sleep(travel).pipe(
      Effect.andThen(answered),
      Effect.map(() => HttpClientResponse.fromWeb(request, response())),
    )
  const broken = (request: HttpClientRequest) =>
    answered.pipe(Effect.andThen(Effect.fail(new HttpClientError({ reason: new TransportError({ request }) }))))

  const meet = (request: HttpClientRequest, struck: Fault) => {
    switch (struck.kind) {
      case "answer":
        return reply(request, () => responseOf(struck.answer))
      case "too_large":
        return reply(request, () => responseOf({ status: 413, body: {} }))
      case "not_json":
        return reply(request, () => new Response("<html>", { status: 200 }))
      case "odd_json":
        return reply(request, () => responseOf({ status: 200, body: [{ unheard: "of" }] }))
      case "cut":
        return broken(request)
      case "lost":
        return client.execute(request).pipe(Effect.andThen(broken(request)))
      case "swallowed":
        return Effect.tap(client.execute(request), () => (struck.wrote() ? Effect.never : Effect.void))
      case "slow":
        return Effect.delay(client.execute(request), struck.millis)
      case "silent":
        return Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            seen.abandoned += 1
          }),
        )
    }
  }

  return {
    client: HttpClient.make((request) =>
      Clock.currentTimeMillis.pipe(
        Effect.flatMap((now) => {
          count(request, now)
          const struck = strikes(request)
          return struck === undefined ? client.execute(request) : meet(request, struck)
        }),
      ),
    ),
    set: (next, when = {}) => {
      fault = next
      skip = when.skip ?? 0
      times = when.times ?? Number.POSITIVE_INFINITY
      Object.assign(seen, { requests: 0, afterAnswer: 0, longest: 0 })
      answeredAt = undefined
      pause = undefined
    },
    requests: () => seen.requests,
    afterAnswer: () => seen.afterAnswer,
    pause: () => pause,
    abandoned: () => seen.abandoned,
    longest: () => seen.longest,
    streamed: () => seen.streamed,
  }
}

const bytesOf = (request: HttpClientRequest): number => new TextEncoder().encode(bodyText(request)).length
