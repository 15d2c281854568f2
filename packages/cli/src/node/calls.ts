/** Lets somebody look at every request: what was asked and answered, but no secret, no value and no body. */
import { CurrentAttempt, transmission } from "@sluice/core"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Headers } from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

export interface SeenCall {
  readonly method: string
  readonly host: string
  /** Without its query; what may name a record is `***`. */
  readonly path: string
  /** A status; else why there was none: a code of the system, `gave up`. */
  readonly answer: string
  /** From the request sent to the headers of its answer, or to its end where it is read whole. */
  readonly millis: number
  /** Of the plugin's own naming, `users.search`; undefined where it does not name its calls. */
  readonly call: string | undefined
  readonly attempt: number
  /** What the vendor's support asks for. */
  readonly requestId: string | undefined
  readonly limits: ReadonlyArray<readonly [header: string, value: string]>
}

/** Undefined: nobody looks. */
export const CurrentCallWatch = Context.Reference<((call: SeenCall) => Effect.Effect<void>) | undefined>(
  "@sluice/cli/CurrentCallWatch",
  { defaultValue: () => undefined },
)

export const watched = (client: HttpClient.HttpClient, watch: (call: SeenCall) => Effect.Effect<void>) =>
  HttpClient.transform(client, (response, request) =>
    Effect.gen(function* () {
      const current = yield* CurrentAttempt
      const from = yield* Clock.currentTimeMillis
      return yield* Effect.onExit(response, (exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          watch({ ...asked(request), ...answered(exit), ...(current ?? unnamed), millis: now - from }),
        ),
      )
    }),
  )

const unnamed = { call: undefined, attempt: 1 }

const asked = ({ method, url }: HttpClientRequest) => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return { method, host: parsed?.host ?? "", path: maskPath(parsed?.pathname ?? "") }
}

const answered = (exit: Exit.Exit<HttpClientResponse, HttpClientError>) => {
  if (Exit.isSuccess(exit)) {
    const { status, headers } = exit.value
    return { answer: String(status), requestId: requestIdOf(headers), limits: limitsOf(headers) }
  }
  const failure = Exit.findErrorOption(exit)
  return { answer: failure._tag === "Some" ? whyNot(failure.value) : "gave up", requestId: undefined, limits: [] }
}

const whyNot = (error: HttpClientError): string => {
  const cause = transmission(error)
  return cause._tag === "Barred" ? "barred" : cause.code
}

/**
 * Parts of paths that vendors give their things. Everything else may be an id, an e-mail address or a name, and only a
 * list tells: `/contacts/lovelace` is a person.
 */
const WORDS: ReadonlySet<string> = new Set(
  `account activate api async attributes batches blocks campaigns clients composite connections contacts data describe
  doubleoptinconfirmation errors events export failedresults folders graphql identity import ingest inquiries job jobs
  limits lists members normal oauth oauth2 organizations permissions processes queries query recent reports roles
  search services sobjects successfulresults sync tags token tooling tree unprocessedrecords update user userinfo users
  users-by-email users-exports users-imports webhooks`.split(/\s+/),
)
const VERSION = /^v?\d{1,3}(\.\d{1,2})?$/

export const maskPath = (path: string): string =>
  path
    .split("/")
    .map((part) => (part === "" || VERSION.test(part) || WORDS.has(part.toLowerCase()) ? part : "***"))
    .join("/")

const REQUEST_IDS = ["x-request-id", "request-id", "x-auth0-requestid", "x-correlation-id", "cf-ray"]
const LIMIT = /ratelimit|rate-limit|retry-after|limit-info|quota/
/** A header is anyone's: what looks like more than a number, a time or an id is not repeated. */
const REPEATABLE = /^[\w.:;=/, -]{1,80}$/

const repeatable = (value: string): string => (REPEATABLE.test(value) ? value : "***")

const requestIdOf = (headers: Headers): string | undefined => {
  const value = REQUEST_IDS.map((name) => headers[name]).find((found) => found !== undefined)
  return value === undefined ? undefined : repeatable(value)
}

const limitsOf = (headers: Headers): SeenCall["limits"] =>
  Object.entries(headers)
    .filter(([name]) => LIMIT.test(name))
    .map(([name, value]) => [name, repeatable(value)] as const)
