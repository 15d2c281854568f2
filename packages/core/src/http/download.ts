/**
 * Files that a vendor lays ready at an address of its own: mostly a signed link that carries its permission in itself, so
 * no credentials go along unless the plugin gives them. No redirect is followed, and only hosts that the plugin expects
 * are asked. Streamed, so size costs no memory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import { Barred, Misconfigured, Protocol, Unavailable } from "../plugin/errors.ts"
import { transmission } from "../plugin/transmission.ts"
import { guarded, isLoopback } from "../plugin/transport.ts"
import type { CallReason } from "./api.ts"
import { parse, readBytes } from "./body.ts"
import { CurrentMeter } from "./meter.ts"

export interface Download {
  /** For spans and messages: `auth0.export`. */
  readonly name: string
  /** As the vendor gave it. It is a secret: nothing repeats it. */
  readonly url: string
  /** Whether files are expected from this host, named as in `URL.host`: lower case, with a port that is not the usual. */
  readonly expects: (host: string) => boolean
  /** What to do about a file at another host: the end of the message. */
  readonly otherwise: string
  /** Allows http to a host that is not this machine. */
  readonly insecure: boolean
  /** A bearer token, for a file of the API itself. */
  readonly token?: Redacted.Redacted
  /** The longest silence. 60 seconds where absent. The time that the reader takes for what came does not count. */
  readonly idleMillis?: number
}

/** The link has ended or never held: another one may. */
export interface LinkDenied {
  readonly _tag: "LinkDenied"
  readonly status: number
  /** What the API says of a file of its own, where it is JSON. Of other files nothing is read. */
  readonly body?: Json
}

export type Downloads = (
  file: Download,
) => Effect.Effect<Stream.Stream<Uint8Array, CallReason>, CallReason | LinkDenied>

const denials = new Set([401, 403, 404, 410])

const addressOf = ({ name, url, expects, otherwise, insecure }: Download): Effect.Effect<URL, CallReason> => {
  const address = URL.canParse(url) ? new URL(url) : undefined
  if (address === undefined)
    return Effect.fail(new Protocol({ message: `${name}: the address of the file is no URL.` }))
  const { host, hostname, protocol, username, password } = address
  if (username !== "" || password !== "" || !expects(host)) {
    return Effect.fail(
      new Misconfigured({ message: `${name}: the file is at ${host}, where none is expected. ${otherwise}` }),
    )
  }
  const safe = protocol === "https:" || (protocol === "http:" && (insecure || isLoopback(hostname)))
  return safe
    ? Effect.succeed(address)
    : Effect.fail(new Misconfigured({ message: `${name}: the file is at ${host} without https.` }))
}

const broken = (where: string) => (error: HttpClientError) => {
  const cause = transmission(error)
  return cause._tag === "Barred"
    ? new Barred({ message: `${where}: ${cause.why}.` })
    : new Unavailable({ message: `${where}: the download broke off (${cause.code}).`, inDoubt: false })
}

/** Far above any error. */
const LARGEST_DENIAL = 65_536

const denied = (response: HttpClientResponse, isOwn: boolean): Effect.Effect<LinkDenied> => {
  const denial: LinkDenied = { _tag: "LinkDenied", status: response.status }
  if (!isOwn) return Effect.succeed(denial)
  return readBytes(response, LARGEST_DENIAL).pipe(
    Effect.map(parse),
    Effect.map((read) => (read._tag === "Body" && read.body !== undefined ? { ...denial, body: read.body } : denial)),
    Effect.catch(() => Effect.succeed(denial)),
  )
}

const judged = (
  where: string,
  response: HttpClientResponse,
  isOwn: boolean,
): Effect.Effect<void, CallReason | LinkDenied> => {
  const { status } = response
  if (status === 200) return Effect.void
  if (denials.has(status)) return Effect.flatMap(denied(response, isOwn), (denial) => Effect.fail(denial))
  if (status >= 300 && status < 400) {
    return Effect.fail(new Misconfigured({ message: `${where} redirects (${status}); that is not followed.` }))
  }
  const message = `${where}: the file was not sent (${status}).`
  return Effect.fail(
    status === 408 || status === 429 || status >= 500
      ? new Unavailable({ message, inDoubt: false })
      : new Protocol({ message }),
  )
}

/** Counts into the meter of the connection being opened. */
export const makeDownloads: Effect.Effect<Downloads, never, HttpClient.HttpClient> = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const meter = yield* CurrentMeter
  return Effect.fnUntraced(function* (file: Download) {
    const address = yield* addressOf(file)
    const where = `${file.name} at ${address.host}`
    const idle = file.idleMillis ?? 60_000
    const silent = () =>
      new Unavailable({ message: `${where}: nothing came for ${idle / 1000} seconds.`, inDoubt: false })
    const request = HttpClientRequest.get(address).pipe(
      // A transport that unpacks a cut gzip body reports success (engineering.md, trap 3).
      HttpClientRequest.setHeader("accept-encoding", "identity"),
      (plain) => (file.token === undefined ? plain : HttpClientRequest.bearerToken(plain, Redacted.value(file.token))),
    )
    const response = yield* client.execute(request).pipe(
      guarded,
      Effect.mapError(broken(where)),
      Effect.timeoutOrElse({ duration: idle, orElse: () => Effect.fail(silent()) }),
      Effect.withSpan(file.name, {
        kind: "client",
        attributes: { "http.request.method": "GET", "server.address": address.host },
      }),
    )
    yield* judged(where, response, file.token !== undefined).pipe(
      Effect.timeoutOrElse({ duration: idle, orElse: () => Effect.fail(silent()) }),
    )
    return response.stream.pipe(
      Stream.mapError(broken(where)),
      Stream.timeoutOrElse({ duration: idle, orElse: () => Stream.fail(silent()) }),
      Stream.mapArray((chunks) => {
        for (const chunk of chunks) meter.bytes += chunk.byteLength
        return chunks
      }),
    )
  })
})

/**
 * What unpacks gzip. The platform's own decoder fails on a file that is cut, which the one inside `fetch` does not. It
 * works on threads of its own, which no test clock waits for.
 */
export const CurrentGunzip = Context.Reference<() => ReadableWritablePair<Uint8Array, Uint8Array>>(
  "@sluice/core/CurrentGunzip",
  { defaultValue: () => () => new DecompressionStream("gzip") },
)

/** Unpacks gzip. A file that is cut, damaged or no gzip at all fails: it never ends early without a word. */
export const gunzip = (
  name: string,
  bytes: Stream.Stream<Uint8Array, CallReason>,
): Stream.Stream<Uint8Array, CallReason> =>
  Stream.unwrap(
    Effect.map(CurrentGunzip, (decoder) => {
      let failure: CallReason | undefined
      const kept = Stream.tapError(bytes, (error) =>
        Effect.sync(() => {
          failure = error
        }),
      )
      return Stream.fromReadableStream({
        evaluate: () => Stream.toReadableStream(kept).pipeThrough(decoder()),
        onError: () =>
          failure ?? new Unavailable({ message: `${name}: the file is cut or is no gzip.`, inDoubt: false }),
      })
    }),
  )
