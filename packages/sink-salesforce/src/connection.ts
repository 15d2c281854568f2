/** One signed-in conversation: every call goes to the session's instance, and once again where the session had ended. */
import {
  type Answer,
  type Api,
  type CallReason,
  type LinkDenied,
  makeApi,
  makeDownloads,
  SinkError,
  Unauthorized,
  Unavailable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type { HttpClient } from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { SchemaError } from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { limits } from "./config.ts"
import { classify, isExpired, type Trouble, troubleOf } from "./errors.ts"
import { NOTHING_LEFT, type Quota } from "./quota.ts"
import { decode, type Limits } from "./shapes.ts"
import type { Session, Sessions } from "./signin/session.ts"
import { chooseVersion } from "./signin/version.ts"
import type { Pace } from "./write/pace.ts"

export type Reply<A> = { readonly _tag: "Done"; readonly value: A } | Trouble

/** A call; its address begins after `/services/data/vNN.0`. */
export interface Ask<A> {
  /** For spans and messages: `describe`. */
  readonly name: string
  readonly request: HttpClientRequest.HttpClientRequest
  readonly decode: (body: unknown) => Effect.Effect<A, SchemaError>
  /** True where absent: every write is by a key or an id. */
  readonly repeatable?: boolean
}

export interface Connected {
  readonly session: Effect.Effect<Session, SinkError>
  readonly ask: <A>(ask: Ask<A>) => Effect.Effect<Reply<A>, SinkError>
  /** The address below the host, for parts of a Composite: `/services/data/v67.0`. */
  readonly root: Effect.Effect<string, SinkError>
  readonly allowances: Effect.Effect<Limits, SinkError>
  /** A file of the API, streamed. */
  readonly file: (name: string, path: string) => Effect.Effect<Stream.Stream<Uint8Array, SinkError>, SinkError>
}

/** Salesforce ends a request itself after ten minutes: whoever gives up before may send a write beside its own ghost. */
const TIMEOUT_MILLIS = 610_000

export interface ConnectionOptions {
  readonly sessions: Sessions
  readonly quota: Quota
  readonly pace: Pick<Pace, "crowded">
  readonly version: string | undefined
  readonly insecure: boolean
  readonly account: string
}

const wrapped = (reason: CallReason) => new SinkError({ reason })

const isUsedUp = ({ reason }: SinkError) => reason._tag === "QuotaExhausted"

const ended = () => new Unauthorized({ message: "Salesforce: a new session is not accepted either" })

type Raw<A> = Reply<A> | { readonly _tag: "Expired" }

const replied =
  <A>({ decode: decodeBody }: Pick<Ask<A>, "decode">) =>
  (answer: Answer): Effect.Effect<Raw<A>, SchemaError> => {
    if (answer.status >= 200 && answer.status < 300) {
      return Effect.map(decodeBody(answer.body), (value) => ({ _tag: "Done", value }))
    }
    return Effect.succeed(isExpired(answer) ? { _tag: "Expired" } : troubleOf(answer))
  }

export const connect = Effect.fnUntraced(function* (
  options: ConnectionOptions,
): Effect.fn.Return<Connected, never, HttpClient | Scope> {
  const { sessions, quota, pace, insecure, account } = options
  const services = yield* Effect.context<HttpClient | Scope>()
  const downloads = yield* makeDownloads
  const instances = new Map<string, Api>()
  const versions = new Map<string, string>()

  const apiAt = Effect.fnUntraced(function* (instance: string) {
    const known = instances.get(instance)
    if (known !== undefined) return known
    const api = yield* makeApi({
      baseUrl: instance,
      insecure,
      share: 1,
      limits,
      account,
      readLimit: (headers) => {
        quota.note(headers)
        return undefined
      },
      authorize: Effect.succeed,
      classify: (answer) => {
        const verdict = classify(answer)
        if (verdict._tag === "Throttled") pace.crowded()
        return verdict
      },
      timeoutMillis: TIMEOUT_MILLIS,
    }).pipe(Effect.provide(services))
    instances.set(instance, api)
    return api
  })

  /** Asked without a token, and free: what is newest there, or what is set. */
  const versionAt = Effect.fnUntraced(function* (instance: string, api: Api) {
    const known = options.version ?? versions.get(instance)
    if (known !== undefined) return known
    const listed = yield* api.call({
      name: "salesforce.versions",
      bucket: "calls",
      request: HttpClientRequest.get("/services/data/"),
      repeatable: true,
      decode: ({ body }) => decode.versions(body),
    })
    const version = chooseVersion(listed.map((each) => each.version))
    versions.set(instance, version)
    return version
  })

  const rootAt = Effect.fnUntraced(function* (instance: string, api: Api) {
    return `/services/data/v${yield* versionAt(instance, api)}`
  })

  const once = Effect.fnUntraced(function* <A>(ask: Ask<A>, session: Session): Effect.fn.Return<Raw<A>, CallReason> {
    const api = yield* apiAt(session.instance)
    const { url } = ask.request
    const path = url.startsWith("/services/") ? url : `${yield* rootAt(session.instance, api)}${url}`
    return yield* api.call({
      name: `salesforce.${ask.name}`,
      bucket: "calls",
      request: ask.request.pipe(
        HttpClientRequest.setUrl(path),
        HttpClientRequest.bearerToken(Redacted.value(session.token)),
        HttpClientRequest.setHeader("accept", "application/json"),
      ),
      repeatable: ask.repeatable ?? true,
      decode: replied(ask),
    })
  })

  const unmetered = Effect.fnUntraced(function* <A>(ask: Ask<A>): Effect.fn.Return<Reply<A>, CallReason> {
    for (let attempt = 1; ; attempt++) {
      const session = yield* sessions.current
      const reply = yield* once(ask, session)
      if (reply._tag !== "Expired") return reply
      yield* sessions.renew(session)
      if (attempt === 2) return yield* ended()
    }
  })

  const allowances = unmetered({
    name: "limits",
    request: HttpClientRequest.get("/limits"),
    decode: decode.limits,
  }).pipe(
    Effect.flatMap((reply) =>
      reply._tag === "Done"
        ? Effect.succeed(reply.value)
        : Effect.fail(new Unauthorized({ message: `${reply.problem.message}: the user may not see the limits` })),
    ),
    Effect.mapError(wrapped),
  )
  const usage = allowances.pipe(
    Effect.map(({ DailyApiRequests: { Max, Remaining } }) => ({ used: Max - Remaining, max: Max })),
    // To look is a call as well.
    Effect.catchIf(isUsedUp, () => Effect.succeed(NOTHING_LEFT)),
  )
  const admitted = <A>(ask: Ask<A>) => Effect.andThen(quota.admit(usage), Effect.mapError(unmetered(ask), wrapped))

  const file = Effect.fnUntraced(function* (name: string, path: string) {
    const fetched = Effect.fnUntraced(function* (session: Session) {
      const api = yield* apiAt(session.instance)
      const { host } = new URL(session.instance)
      return yield* downloads({
        name: `salesforce.${name}`,
        url: `${session.instance.replace(/\/$/, "")}${yield* rootAt(session.instance, api)}${path}`,
        expects: (asked) => asked === host,
        otherwise: "It is not read.",
        insecure,
        token: session.token,
      })
    })
    const session = yield* sessions.current
    const bytes = yield* fetched(session).pipe(
      Effect.catchIf(
        (error): error is LinkDenied => error._tag === "LinkDenied" && error.status === 401,
        () => Effect.flatMap(Effect.andThen(sessions.renew(session), sessions.current), fetched),
      ),
    )
    return Stream.mapError(bytes, wrapped)
  })

  /** Why a file was not sent, as Salesforce says it. */
  const unsent = (name: string, { status, body }: LinkDenied): CallReason => {
    const answer = { status, headers: Headers.empty, body }
    if (isExpired(answer)) return ended()
    const verdict = classify(answer)
    if (verdict._tag === "Fail") return verdict.reason
    if (verdict._tag === "Accept")
      return new Unavailable({ message: `Salesforce: ${name} is not there (${status})`, inDoubt: false })
    pace.crowded()
    return new Unavailable({ message: `${troubleOf(answer).problem.message}: ${name} is not read`, inDoubt: false })
  }

  const admittedFile = (name: string, path: string) =>
    Effect.andThen(
      quota.admit(usage),
      Effect.mapError(file(name, path), (error) => wrapped(error._tag === "LinkDenied" ? unsent(name, error) : error)),
    )

  /** A refusal for the day's calls, where the file says to wait: sent again when there are some. */
  const again = <A>(call: Effect.Effect<A, SinkError>): Effect.Effect<A, SinkError> =>
    Effect.catchIf(call, isUsedUp, (error) => (quota.refused() ? call : Effect.fail(error)))

  return {
    session: Effect.mapError(sessions.current, wrapped),
    ask: (ask) => again(admitted(ask)),
    root: sessions.current.pipe(
      Effect.flatMap(({ instance }) => Effect.flatMap(apiAt(instance), (api) => rootAt(instance, api))),
      Effect.mapError(wrapped),
    ),
    allowances,
    file: (name, path) => again(admittedFile(name, path)),
  }
})
