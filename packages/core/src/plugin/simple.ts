/** `Sink.simple`: a whole sink from one function that writes a batch. */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, InvalidUrlError, type StatusCodeError } from "effect/http/HttpClientError"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  Barred,
  BatchRefused,
  Forbidden,
  Misconfigured,
  Protocol,
  RateLimited,
  Refused,
  SinkError,
  type SinkReason,
  Unauthorized,
  Unavailable,
} from "./errors.ts"
import { retryAfterMillis } from "./headers.ts"
import type { Outcome } from "./outcome.ts"
import type { Batch } from "./record.ts"
import type { Endpoint } from "./services.ts"
import type { Limits, Sink as SinkContract } from "./sink.ts"
import { type Transmission, transmission } from "./transmission.ts"
import { guarded, isLoopback } from "./transport.ts"

/** What `write` can see of the route it works for. */
export interface Target {
  /** What stands after the dot in the route's name, `users` of `hook.users`: any name. */
  readonly object: string
  /** The destination field rows are matched by. */
  readonly key: string
}

export interface SimpleSink<Config> {
  readonly name: string
  /** The keys of the `sinks:` entry. Describe every field; make secrets `Schema.RedactedFromValue`. */
  readonly config: Schema.Codec<Config, unknown>
  /**
   * Writes one batch and answers with one outcome for each row. Requests go through `HttpClient`, which here fails on
   * any status but 2xx. Failures become reasons by status, and the engine retries, waits or halves the batch by them.
   * Where an earlier request of the same write was answered, the batch is in doubt unless the sink is repeatable. A
   * `SinkError` of your own says it more exactly: its `settled` names the rows that are known.
   */
  readonly write: (
    batch: Batch,
    config: Config,
    target: Target,
  ) => Effect.Effect<ReadonlyArray<Outcome>, SinkError | HttpClientError | Schema.SchemaError, HttpClient.HttpClient>
  /** Rows, bytes and concurrency of a batch; 100 rows, one at a time, where absent. */
  readonly limits?: Limits
  /** Writing a row twice equals writing it once. False where absent: a lost answer leaves its rows in doubt. */
  readonly repeatable?: boolean
  /** Who the credentials are: state belongs to it. Where absent, a fingerprint of the config without its secrets. */
  readonly account?: (config: Config) => string
  /** What a route may say in `on_delete`, if `write` handles rows with `change: "delete"`. */
  readonly deletes?: ReadonlyArray<string>
}

/** The longest a call of `write` may take. */
const TIMEOUT = "60 seconds"

/** The longest a 429 is believed, in milliseconds. */
const LONGEST_WAIT = 300_000

const simple = <Config>(options: SimpleSink<Config>): SinkContract<Config> => {
  const spec = {
    description: `Rows for ${options.name}`,
    options: Schema.Struct({}),
    deletes: options.deletes ?? [],
  }
  return {
    name: options.name,
    config: options.config,
    objects: () => spec,
    open: Effect.fnUntraced(function* (config, endpoint) {
      const client = prepare(yield* HttpClient.HttpClient, endpoint)
      return {
        identify: Effect.map(accountOf(options, config), (account) => ({ account, label: options.name })),
        writer: (object, { key }) =>
          Effect.succeed({
            limits: options.limits ?? { rows: 100 },
            repeatable: options.repeatable ?? false,
            write: (batch) =>
              Effect.suspend(() => {
                let partly = false
                const watched = HttpClient.tap(client, ({ request }) =>
                  Effect.sync(() => {
                    partly ||= request.method !== "GET" && options.repeatable !== true
                  }),
                )
                return options.write(batch, config, { object, key }).pipe(
                  Effect.provideService(HttpClient.HttpClient, watched),
                  guarded,
                  Effect.timeout(TIMEOUT),
                  Effect.mapError((error) => toSinkError(options.name, error, partly)),
                )
              }),
          }),
      }
    }),
  }
}

/** The contract of a sink, and `Sink.simple` to build one. */
export type Sink<Config = unknown> = SinkContract<Config>
export const Sink = { simple }

const accountOf = <Config>(options: SimpleSink<Config>, config: Config): Effect.Effect<string> => {
  if (options.account !== undefined) return Effect.succeed(options.account(config))
  const text = JSON.stringify([options.name, withoutSecrets(config)])
  return Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).pipe(
    Effect.map((hash) => `${options.name}-${Hex.encode(new Uint8Array(hash)).slice(0, 16)}`),
  )
}

/** The same value for the same config, whatever the order of its keys; a new secret is still the same account. */
const withoutSecrets = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (value instanceof URL) return value.href
  if (value === null || typeof value !== "object") return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, withoutSecrets(item)])
}

/** Refuses plain http to other machines and fails on any status but 2xx. */
const prepare = (client: HttpClient.HttpClient, endpoint: Endpoint): HttpClient.HttpClient =>
  client.pipe(
    HttpClient.mapRequestEffect((request) => {
      const url = URL.parse(request.url)
      if (url !== null && (url.protocol === "https:" || endpoint.insecure || isLoopback(url.hostname))) {
        return Effect.succeed(request)
      }
      const description = `${endpoint.name} needs an https:// address, or "insecure: true" in the pipeline file`
      return Effect.fail(new HttpClientError({ reason: new InvalidUrlError({ request, description }) }))
    }),
    HttpClient.filterStatusOk,
  )

type WriteFailure = Effect.Error<ReturnType<SimpleSink<unknown>["write"]>> | { readonly _tag: "TimeoutError" }

/** `partly`: an earlier request of this write was answered and must not be repeated. */
const toSinkError = (name: string, error: WriteFailure, partly: boolean): SinkError => {
  if (error._tag === "SinkError") return error
  const reason = reasonOf(name, error)
  const unclear = partly && reason._tag !== "Protocol"
  return new SinkError({ reason: unclear ? lost(`${reason.message}, after an earlier request was answered`) : reason })
}

const reasonOf = (name: string, error: Exclude<WriteFailure, SinkError>): SinkReason => {
  if (error._tag === "TimeoutError") return lost(`${name} did not answer within ${TIMEOUT}`)
  if (error._tag === "SchemaError") return new Protocol({ message: `${name} answered in another shape than described` })
  const { reason } = error
  switch (reason._tag) {
    case "StatusCodeError":
      return byStatus(name, reason)
    case "TransportError":
      return unreached(name, transmission(error))
    case "DecodeError":
    case "EmptyBodyError":
      return reason.cause instanceof SyntaxError
        ? new Protocol({ message: `${name} answered with something that is not JSON` })
        : lost(`the answer of ${name} broke off`)
    case "InvalidUrlError":
      return new Misconfigured({ message: reason.description ?? `${name} has an address that is no URL` })
    case "EncodeError":
      return new Refused({ code: "unwritable", message: `a batch for ${name} could not be written as a request` })
  }
}

const unreached = (name: string, cause: Transmission): SinkReason => {
  switch (cause._tag) {
    case "NotSent":
      return new Unavailable({ message: `${name} could not be reached (${cause.code})`, inDoubt: false })
    case "Barred":
      return new Barred({ message: `${name}: ${cause.why}` })
    case "Lost":
      return lost(`the connection to ${name} broke off (${cause.code})`)
  }
}

/** Nobody knows whether it took effect. */
const lost = (message: string) => new Unavailable({ message, inDoubt: true })

const byStatus = (name: string, { response }: StatusCodeError): SinkReason => {
  const { status } = response
  const message = `${name} answered HTTP ${status}`
  if (status === 401) return new Unauthorized({ message: `${message}: check its credentials` })
  if (status === 403) return new Forbidden({ message })
  if (status === 429) {
    const asked = retryAfterMillis(response.headers) ?? 1000
    return new RateLimited({ message, retryAfterMillis: Math.min(Math.max(asked, 1000), LONGEST_WAIT) })
  }
  if (status === 408 || status >= 500) return lost(message)
  // One row may be what it objects to: the engine halves the batch until it knows.
  if (status === 400 || status === 409 || status === 413 || status === 422) {
    return new BatchRefused({ message, code: `http_${status}` })
  }
  return new Refused({ message, code: `http_${status}` })
}
