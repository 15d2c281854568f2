/**
 * One unit of work for every vendor call: wait for the rate limit, execute, read the body under a bound, parse, check
 * the shape; all of it under one timeout, and all of it retried where that is safe.
 */
import type { Effect } from "effect/Effect"
import type { Headers } from "effect/http/Headers"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { Json, SchemaError } from "effect/Schema"
import type {
  Barred,
  Forbidden,
  Misconfigured,
  Protocol,
  QuotaExhausted,
  RateLimited,
  Refused,
  Unauthorized,
  Unavailable,
} from "../plugin/errors.ts"

/** The reasons a call can fail with: the ones sources and sinks share. */
export type CallReason =
  | Unauthorized
  | Forbidden
  | Barred
  | RateLimited
  | QuotaExhausted
  | Unavailable
  | Refused
  | Protocol
  | Misconfigured

/**
 * A complete answer. `body` is undefined where there was none and where an answer other than 2xx is not JSON. Integers
 * beyond 2^53 are text with their own digits.
 */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json | undefined
  /** Of an answer of 400 or more: what `says` found, without anybody's data, to be repeated in messages. */
  readonly said?: string
}

/** What a vendor's answer means for the call; each vendor has one file that says so. */
export type Verdict =
  /** The caller decodes it. */
  | { readonly _tag: "Accept" }
  /** Wait and send again; nothing took effect. Without a time: the limiter's own guess. */
  | { readonly _tag: "Throttled"; readonly retryAfterMillis?: number }
  /** A passing fault. `applied`: the request may have taken effect, so only a repeatable call is sent again. */
  | { readonly _tag: "Transient"; readonly applied: boolean; readonly message: string }
  /** The credentials ran out: refreshed and sent again once. */
  | { readonly _tag: "Expired"; readonly message: string }
  | { readonly _tag: "Fail"; readonly reason: CallReason }

/** A vendor's limit on a group of endpoints, before the share is taken off. */
export interface RateLimit {
  /** Calls in a window; with `burst`, calls that flow back in that time, one by one. */
  readonly limit: number
  readonly windowMillis: number
  /** The size of a bucket that the vendor refills evenly. Without it, windows start afresh one after the other. */
  readonly burst?: number
  /** Other plans of the vendor: headers that name one's size tell its pace. The slowest of a size first. */
  readonly plans?: ReadonlyArray<RateLimit>
  /** The name of the bucket that this one is, where the plan counts both groups together. */
  readonly same?: string
}

/** What an answer's headers say about a bucket, in the vendor's own header names. */
export interface LimitState {
  readonly limit?: number
  readonly remaining?: number
  readonly resetAfterMillis?: number
  /** Which window that is, where the vendor has several for a group and speaks of any. */
  readonly windowMillis?: number
}

export interface ApiOptions {
  /** The vendor's address or the endpoint's `base_url`. https, unless loopback or `insecure`. No query, no user. */
  readonly baseUrl: string
  readonly insecure: boolean
  /** The part of each limit to use, above 0 and up to 1. Of connections that share a bucket the first one's counts. */
  readonly share: number
  /** By bucket name. The headers of the answers correct them. */
  readonly limits: { readonly [bucket: string]: RateLimit }
  /** Shared by all connections of one account in this process: the limiter's key, never shown. */
  readonly account: string
  readonly readLimit: (headers: Headers, nowMillis: number) => LimitState | undefined
  /** Puts the credentials on. Called for each attempt. */
  readonly authorize: (request: HttpClientRequest) => Effect<HttpClientRequest, CallReason>
  /** Called once after `Expired`, before the call is sent again. */
  readonly refresh?: Effect<void, CallReason>
  readonly classify: (answer: Answer) => Verdict
  /** The vendor's own message in the body of a refusal, as it is: what goes into `Answer.said` is masked. */
  readonly says?: (body: Json) => string | undefined
  /** For one attempt, headers and body together. 120 seconds where absent. */
  readonly timeoutMillis?: number
  /** A body larger than this is a `Protocol` error. 64 MiB where absent. */
  readonly maxBytes?: number
}

export interface Call<A> {
  /** For spans and messages: `users.search`. */
  readonly name: string
  readonly bucket: string
  /** Its URL is a path below the base address. */
  readonly request: HttpClientRequest
  /** Sending it twice equals sending it once, so it is sent again after a lost answer. */
  readonly repeatable: boolean
  /** Failing means that the answer was cut or is not as described: tried again as a lost answer, then `Protocol`. */
  readonly decode: (answer: Answer) => Effect<A, SchemaError>
}

export interface Api {
  readonly call: <A>(call: Call<A>) => Effect<A, CallReason>
}
