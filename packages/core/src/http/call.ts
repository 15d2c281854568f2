/** The implementation of `Api`: one attempt as one unit, and the loop that repeats it where that is safe. */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import * as Result from "effect/Result"
import type { Json, SchemaError } from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Scope } from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import {
  Barred,
  Misconfigured,
  Protocol,
  QuotaExhausted,
  RateLimited,
  Unauthorized,
  Unavailable,
} from "../plugin/errors.ts"
import { transmission } from "../plugin/transmission.ts"
import { guarded } from "../plugin/transport.ts"
import { below, parseBase } from "./address.ts"
import { apart } from "./apart.ts"
import type { Answer, Api, ApiOptions, Call, CallReason } from "./api.ts"
import { largestBody, parse, readBytes } from "./body.ts"
import { type Bucket, type Closed, CurrentLimiters, longestWait, longestWindow, type Turn } from "./limiter.ts"
import { CurrentMeter, type Meter } from "./meter.ts"
import { monotonicMillis } from "./monotonic.ts"
import { backoff, makeBudget, maxAttempts, maxThrottles } from "./retry.ts"
import { spanned } from "./spanned.ts"
import { vendorWords } from "./vendorWords.ts"
import { CurrentAttempt, CurrentWaiting, noticeable, type Wait } from "./watch.ts"

interface Connection {
  readonly base: URL
  readonly client: HttpClient.HttpClient
  readonly meter: Meter
  readonly options: ApiOptions
}

/** What one attempt came to when it brought no usable answer. */
type Fault =
  /** Worth another attempt. `applied`: the request may have taken effect. `reason` is the error once attempts run out. */
  | { readonly _tag: "Passing"; readonly applied: boolean; readonly reason: (applied: boolean) => CallReason }
  | { readonly _tag: "Throttled"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "Expired"; readonly message: string }
  | { readonly _tag: "Final"; readonly reason: CallReason }

const final = (reason: CallReason): Fault => ({ _tag: "Final", reason })

/** An answer that never came whole. */
const lost = (message: string): Fault => ({
  _tag: "Passing",
  applied: true,
  reason: (inDoubt) => new Unavailable({ message, inDoubt }),
})

/** A 2xx that makes no sense: for a call that must not be repeated all that counts is that it may have taken effect. */
const garbled = (message: string, repeatable: boolean): Fault => ({
  _tag: "Passing",
  applied: true,
  reason: () => (repeatable ? new Protocol({ message }) : new Unavailable({ message, inDoubt: true })),
})

const redirect = (connection: Connection, answer: Answer, where: string): Fault => {
  const target = answer.headers.location ?? ""
  const to = URL.canParse(target, connection.base.href) ? new URL(target, connection.base).origin : "an unknown address"
  return final(
    new Misconfigured({ message: `${where} redirects from ${connection.base.origin} to ${to}; that is not followed.` }),
  )
}

/** Where an answer differs from its description, without what it says. */
const places = (error: SchemaError): string => {
  const { issues } = SchemaIssue.makeFormatterStandardSchemaV1()(error.issue)
  const paths = issues.map(({ path }) => (path ?? []).map((key) => (typeof key === "object" ? key.key : key)).join("."))
  return paths
    .slice(0, 3)
    .map((path) => (path === "" ? "the top" : path))
    .join(", ")
}

const answered = Effect.fnUntraced(function* (
  connection: Connection,
  call: Call<unknown>,
  turn: Turn,
  request: HttpClientRequest.HttpClientRequest,
  where: string,
  maxBytes: number,
) {
  const { meter, options } = connection
  const response = yield* connection.client.execute(request)
  // Made anew each time a response is asked for them.
  const { status, headers } = response
  turn.answered(options.readLimit(headers, yield* Clock.currentTimeMillis), yield* monotonicMillis)
  const bytes = yield* readBytes(response, maxBytes)
  meter.bytes += bytes.byteLength
  const parsed = parse(bytes)
  if (parsed._tag === "NotJson" && status >= 200 && status < 300) {
    return yield* Effect.fail(
      garbled(`${where}: the answer of ${bytes.byteLength} bytes is not JSON.`, call.repeatable),
    )
  }
  const body = parsed._tag === "Body" ? parsed.body : undefined
  const said = status >= 400 && body !== undefined ? saidOf(options, body, request) : {}
  const answer: Answer = { status, headers, body, ...said }
  if (status >= 300 && status < 400 && status !== 304) return yield* Effect.fail(redirect(connection, answer, where))
  return answer
})

const saidOf = (
  { says }: ApiOptions,
  body: Json,
  request: HttpClientRequest.HttpClientRequest,
): { readonly said?: string } => {
  const text = says?.(body)
  const said = text === undefined ? undefined : vendorWords(text, request)
  return said === undefined || said === "" ? {} : { said }
}

/** Sends once and reads the whole answer, under one timeout. */
const exchange = (
  connection: Connection,
  call: Call<unknown>,
  turn: Turn,
  request: HttpClientRequest.HttpClientRequest,
) => {
  const { options } = connection
  const where = `${call.name} at ${connection.base.host}`
  const maxBytes = options.maxBytes ?? largestBody
  const timeoutMillis = options.timeoutMillis ?? 120_000
  const tooLarge = () => final(new Protocol({ message: `${where}: the answer is larger than ${maxBytes} bytes.` }))
  return apart(answered(connection, call, turn, request, where, maxBytes), (answer) =>
    answer.pipe(
      guarded,
      // Asks a transport that can to read the body whole and to stop there.
      Effect.provideService(MaxBodySize, ByteSize.bytes(maxBytes)),
      Effect.catchTags({
        HttpClientError: (error) => Effect.fail(isTooLarge(error) ? tooLarge() : broken(error, where)),
        TooLarge: () => Effect.fail(tooLarge()),
      }),
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () => Effect.fail(lost(`${where}: no complete answer within ${timeoutMillis / 1000} seconds.`)),
      }),
    ),
  )
}

/** What undici calls a body above the bound. */
const isTooLarge = ({ reason }: HttpClientError): boolean =>
  "cause" in reason &&
  reason.cause instanceof Error &&
  "code" in reason.cause &&
  reason.cause.code === "UND_ERR_RES_EXCEEDED_MAX_SIZE"

const broken = (error: HttpClientError, where: string): Fault => {
  const { reason } = error
  if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") {
    return final(new Protocol({ message: `${where}: the request cannot be written.` }))
  }
  const cause = transmission(error)
  switch (cause._tag) {
    case "Barred":
      return final(new Barred({ message: `${where}: ${cause.why}.` }))
    case "NotSent":
      return {
        _tag: "Passing",
        applied: false,
        reason: (inDoubt) => new Unavailable({ message: `${where}: no connection (${cause.code}).`, inDoubt }),
      }
    case "Lost":
      return lost(`${where}: the connection broke off (${cause.code}).`)
  }
}

const decoded = <A>(call: Call<A>, answer: Answer, where: string): Effect.Effect<A, Fault> =>
  Effect.suspend(() => call.decode(answer)).pipe(
    Effect.mapError((error) =>
      garbled(`${where}: the answer is not as described at ${places(error)}.`, call.repeatable),
    ),
    // The one thing that hostile nesting can still do.
    Effect.catchDefect((defect) =>
      defect instanceof RangeError
        ? Effect.fail(garbled(`${where}: the answer is nested too deeply.`, call.repeatable))
        : Effect.die(defect),
    ),
  )

const judged = <A>(connection: Connection, call: Call<A>, answer: Answer): Effect.Effect<A, Fault> => {
  const where = `${call.name} at ${connection.base.host}`
  const verdict = connection.options.classify(answer)
  switch (verdict._tag) {
    case "Accept":
      return decoded(call, answer, where)
    case "Throttled":
      connection.meter.throttled += 1
      return Effect.fail({ _tag: "Throttled", retryAfterMillis: verdict.retryAfterMillis })
    case "Transient": {
      const { applied, message } = verdict
      const reason = (inDoubt: boolean) => new Unavailable({ message: `${where}: ${message}`, inDoubt })
      return Effect.fail({ _tag: "Passing", applied, reason })
    }
    case "Expired":
      return Effect.fail({ _tag: "Expired", message: `${where}: ${verdict.message}` })
    case "Fail":
      return Effect.fail(final(verdict.reason))
  }
}

/** Refreshes for whoever used the credentials of `used`; the others find that it has been done. */
const makeCredentials = (refresh: ApiOptions["refresh"]) => {
  const one = Semaphore.makeUnsafe(1)
  const state = { generation: 0 }
  const renew = (used: number) =>
    one.withPermits(1)(
      Effect.suspend(() => {
        if (refresh === undefined || state.generation !== used) return Effect.void
        return Effect.tap(refresh, () => Effect.sync(() => state.generation++))
      }),
    )
  return { state, renew }
}

/** Opens a vendor's address: every call goes through the limiter of its account and is repeated where that is safe. */
export const makeApi: (options: ApiOptions) => Effect.Effect<Api, Misconfigured, HttpClient.HttpClient | Scope> =
  Effect.fnUntraced(function* (options) {
    const base = yield* parseBase(options.baseUrl, options.insecure)
    const connection = { base, client: yield* HttpClient.HttpClient, meter: yield* CurrentMeter, options }
    const limiters = yield* CurrentLimiters
    const credentials = makeCredentials(options.refresh)
    const watch = yield* CurrentWaiting
    const waiting = (why: Wait["why"]) => (millis: number) =>
      millis < noticeable ? Effect.void : watch({ connection: "", why, millis })
    const budget = makeBudget()

    const bucketOf = (name: string): Bucket => {
      const limit = Object.hasOwn(options.limits, name) ? options.limits[name] : undefined
      if (limit === undefined) throw new Error(`The plugin has no rate limit named ${name}.`)
      return limiters.bucket(options.account, limit.same ?? name, limit, options.share)
    }

    const attempt = Effect.fnUntraced(function* <A>(
      call: Call<A>,
      url: string,
      used: { generation: number },
      turn: Turn,
      nth: number,
    ): Effect.fn.Return<A, Fault> {
      connection.meter.waitedMillis += turn.waitedMillis
      used.generation = credentials.state.generation
      const request = call.request.pipe(
        HttpClientRequest.setUrl(url),
        // A transport that unpacks a cut gzip body reports success (engineering.md, trap 3).
        HttpClientRequest.setHeader("accept-encoding", "identity"),
      )
      const authorized = yield* Effect.mapError(options.authorize(request), final)
      const answer = yield* exchange(connection, call, turn, authorized).pipe(
        Effect.provideService(CurrentAttempt, { call: call.name, attempt: nth }),
      )
      return yield* judged(connection, call, answer)
    })

    const limited = (name: string, fault: Fault | Closed): Fault => {
      if (fault._tag !== "Closed") return fault
      const minutes = Math.ceil(fault.millis / 60_000)
      const message = `${name} at ${base.host}: the rate limit opens again in ${minutes} minutes.`
      return final(new RateLimited({ message, retryAfterMillis: fault.millis }))
    }

    const throttled = Effect.fnUntraced(function* (
      name: string,
      bucket: Bucket,
      nth: number,
      asked: number | undefined,
    ) {
      const wait = Math.max(asked ?? 0, yield* backoff(nth, 1000))
      bucket.close(wait, yield* monotonicMillis)
      const message = `${name} at ${base.host}: asked to slow down for ${Math.ceil(wait / 1000)} seconds.`
      if (wait > longestWindow) return yield* new QuotaExhausted({ message })
      if (wait > longestWait || nth > maxThrottles) return yield* new RateLimited({ message, retryAfterMillis: wait })
    })

    const called = Effect.fnUntraced(function* <A>(call: Call<A>): Effect.fn.Return<A, CallReason> {
      const bucket = bucketOf(call.bucket)
      const url = yield* below(base, call.request.url)
      const used = { generation: 0 }
      let [sent, failed, slowed, applied, refreshed] = [0, 0, 0, false, false]
      while (true) {
        sent += 1
        const result = yield* Effect.result(
          bucket.through((turn) => attempt(call, url, used, turn, sent), waiting("limit")),
        )
        if (Result.isSuccess(result)) {
          budget.earn()
          return result.success
        }
        const fault = limited(call.name, result.failure)
        switch (fault._tag) {
          case "Final":
            return yield* Effect.fail(fault.reason)
          case "Throttled":
            slowed += 1
            yield* throttled(call.name, bucket, slowed, fault.retryAfterMillis)
            break
          case "Expired":
            if (refreshed || options.refresh === undefined) return yield* new Unauthorized({ message: fault.message })
            refreshed = true
            yield* credentials.renew(used.generation)
            break
          case "Passing": {
            failed += 1
            applied ||= fault.applied
            if ((fault.applied && !call.repeatable) || failed >= maxAttempts || !budget.spend()) {
              return yield* Effect.fail(fault.reason(applied))
            }
            const pause = yield* backoff(failed, 250)
            yield* waiting("retry")(pause)
            yield* Effect.sleep(pause)
          }
        }
      }
    })

    const call = <A>(call: Call<A>): Effect.Effect<A, CallReason> =>
      spanned(called(call), call.name, () => ({
        kind: "client",
        attributes: { "http.request.method": call.request.method, "server.address": base.host, bucket: call.bucket },
      }))

    return { call }
  })
