/** The HTTP client for all plugins: undici with bounds on every wait, the proxies of the environment, TLS as it should be. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import { EnvironmentRefused } from "./environment.ts"

type Variables = Readonly<Record<string, string | undefined>>

export interface HttpOptions {
  /**
   * The variables of the process: HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured in both cases. Node itself reads
   * NODE_EXTRA_CA_CERTS when it starts.
   */
  readonly env: Variables
  readonly connectTimeoutMillis?: number
  /** From the request sent to the first byte of the answer. */
  readonly headersTimeoutMillis?: number
  /** The longest silence within a body. */
  readonly bodyIdleMillis?: number
}

/** Calls to this machine never leave it through a proxy. */
const LOOPBACK = "localhost,127.0.0.1,::1"

const either = (env: Variables, name: string): string | undefined =>
  // The lower-case form wins, as with curl; an empty value switches a proxy off.
  (env[name.toLowerCase()] ?? env[name]) || undefined

const makeAgent = (options: HttpOptions): Dispatcher => {
  const agent: Agent.Options = {
    connect: { timeout: options.connectTimeoutMillis ?? 10_000, rejectUnauthorized: true },
    pipelining: 1,
  }
  const { env } = options
  const httpProxy = either(env, "HTTP_PROXY")
  const httpsProxy = either(env, "HTTPS_PROXY")
  if (httpProxy === undefined && httpsProxy === undefined) return new Agent(agent)
  const exceptions = either(env, "NO_PROXY")
  return new EnvHttpProxyAgent({
    ...agent,
    // Empty, not absent: an absent one would be looked up in the process again.
    httpProxy: httpProxy ?? "",
    httpsProxy: httpsProxy ?? "",
    noProxy: exceptions === "*" ? "*" : [exceptions, LOOPBACK].filter((each) => each !== undefined).join(","),
    requestTls: { rejectUnauthorized: true },
    proxyTls: { rejectUnauthorized: true },
  })
}

/** Effect's layer sets an hour for the headers and nothing for the body, and leaves the rest to `Effect.timeout`. */
const bounded = (options: HttpOptions): Dispatcher.DispatcherComposeInterceptor => {
  const headersTimeout = options.headersTimeoutMillis ?? 30_000
  const bodyTimeout = options.bodyIdleMillis ?? 30_000
  return (dispatch) => (request, handler) => dispatch({ ...request, headersTimeout, bodyTimeout }, handler)
}

const refused = (message: string) => Effect.fail(new EnvironmentRefused({ message }))

const makeDispatcher = (options: HttpOptions): Effect.Effect<Dispatcher, EnvironmentRefused> =>
  Effect.suspend(() => {
    if (options.env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
      return refused(
        "NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the check of every certificate: unset it, and give a private " +
          "certificate authority with NODE_EXTRA_CA_CERTS",
      )
    }
    return Effect.try({
      try: () => makeAgent(options),
      // The address of a proxy can hold a password.
      catch: () => new EnvironmentRefused({ message: "HTTP_PROXY or HTTPS_PROXY is not a usable address" }),
    })
  })

const dispatcher = (options: HttpOptions) =>
  Layer.effect(NodeHttpClient.Dispatcher)(
    Effect.acquireRelease(makeDispatcher(options), (agent) => Effect.promise(() => agent.destroy())).pipe(
      Effect.map((agent) => agent.compose(bounded(options))),
    ),
  )

/** Follows no redirect. */
export const layer = (options: HttpOptions): Layer.Layer<HttpClient, EnvironmentRefused> =>
  NodeHttpClient.layerUndiciNoDispatcher.pipe(Layer.provide(dispatcher(options)))
