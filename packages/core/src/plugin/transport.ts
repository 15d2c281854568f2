/** What holds for every request of a plugin: it stays at its address, and nothing of it gets into spans and errors. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as UrlParams from "effect/http/UrlParams"

/** This machine, to which http is as good as https. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)

/** Spans of the transport would carry the address, which can be a secret. A redirect would carry the credentials on. */
const guards = Context.empty().pipe(
  Context.add(HttpClient.TracerDisabledWhen, () => true),
  Context.add(FetchHttpClient.RequestInit, { redirect: "manual" }),
  Context.add(Headers.CurrentRedactedNames, [/auth|cookie|key|token|secret|session/i]),
  Context.add(UrlParams.CurrentRedactedNames, [/./]),
)

export const guarded = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideContext(effect, guards)
