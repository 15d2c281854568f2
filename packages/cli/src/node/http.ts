/** The HTTP client for all plugins: undici with bounds on every wait, the proxies of the environment, TLS as it should be. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import { authorities } from "./authorities.ts"
import { CurrentCallWatch, watched } from "./calls.ts"
import { EnvironmentRefused, type Variables } from "./environment.ts"
import { wholeAnswers } from "./wholeAnswers.ts"

export interface HttpOptions {
  /**
   * HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured in both cases, NODE_EXTRA_CA_CERTS and SSL_CERT_FILE name
   * certificate authorities.
   */
  readonly env: Variables
  readonly connectTimeoutMillis?: number
  /** From the request sent to the first byte of the answer. */
  readonly headersTimeoutMillis?: number
  /** The longest silence within a body. */
  readonly bodyIdleMillis?: number
}

/**
 * The last resort, above what any plugin waits for: a call has a timeout of its own (core's http unit), which the transport
 * must not undercut. Salesforce takes up to ten minutes.
 */
const LAST_RESORT_MILLIS = 900_000

/** Calls to this machine never leave it through a proxy. */
const LOOPBACK = "localhost,127.0.0.1,::1"

const either = (env: Variables, name: string): string | undefined =>
  // The lower-case form wins, as with curl; an empty value switches a proxy off.
  (env[name.toLowerCase()] ?? env[name]) || undefined

const refused = (message: string) => new EnvironmentRefused({ message })

/** `proxy:8080` is http, as with curl. The address can hold a password, so errors show the variable alone. */
const proxyOf = (env: Variables, name: string): Effect.Effect<string, EnvironmentRefused> => {
  const written = either(env, name) ?? ""
  const address = written === "" || written.includes("://") ? written : `http://${written}`
  const usable = address === "" || (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol))
  return usable
    ? Effect.succeed(address)
    : Effect.fail(
        refused(`${name} is not the address of an http or https proxy, such as http://proxy.example.com:8080`),
      )
}

const makeAgent = Effect.fnUntraced(function* (options: HttpOptions) {
  const { env } = options
  const secureContext = yield* authorities(env)
  const trust = { rejectUnauthorized: true, ...(secureContext === undefined ? {} : { secureContext }) }
  const timeout = options.connectTimeoutMillis ?? 10_000
  const agent: Agent.Options = { connect: { timeout, ...trust }, pipelining: 1 }
  // Empty, not absent: an absent one would be looked up in the process again.
  const [httpProxy, httpsProxy] = [yield* proxyOf(env, "HTTP_PROXY"), yield* proxyOf(env, "HTTPS_PROXY")]
  if (httpProxy === "" && httpsProxy === "") return new Agent(agent)
  const exceptions = either(env, "NO_PROXY")
  return new EnvHttpProxyAgent({
    ...agent,
    httpProxy,
    httpsProxy,
    noProxy: exceptions === "*" ? "*" : [exceptions, LOOPBACK].filter((each) => each !== undefined).join(","),
    connectTimeout: timeout,
    requestTls: trust,
    proxyTls: trust,
  })
})

/** Effect's layer sets an hour for the headers and nothing for the body, and leaves the rest to `Effect.timeout`. */
const bounded = (options: HttpOptions): Dispatcher.DispatcherComposeInterceptor => {
  const headersTimeout = options.headersTimeoutMillis ?? LAST_RESORT_MILLIS
  const bodyTimeout = options.bodyIdleMillis ?? LAST_RESORT_MILLIS
  return (dispatch) => (request, handler) => dispatch({ ...request, headersTimeout, bodyTimeout }, handler)
}

const makeDispatcher = (options: HttpOptions): Effect.Effect<Dispatcher, EnvironmentRefused> =>
  options.env.NODE_TLS_REJECT_UNAUTHORIZED === "0"
    ? Effect.fail(
        refused(
          "NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the check of every certificate: unset it, and give a private " +
            "certificate authority with NODE_EXTRA_CA_CERTS",
        ),
      )
    : makeAgent(options)

const dispatcher = (options: HttpOptions) =>
  Layer.effect(NodeHttpClient.Dispatcher)(
    Effect.acquireRelease(makeDispatcher(options), (agent) => Effect.promise(() => agent.destroy())).pipe(
      Effect.map((agent) => agent.compose(bounded(options))),
    ),
  )

/** Follows no redirect. */
export const layer = (options: HttpOptions): Layer.Layer<HttpClient, EnvironmentRefused> =>
  Layer.effect(HttpClient)(seen).pipe(
    Layer.provide(NodeHttpClient.layerUndiciNoDispatcher),
    Layer.provide(dispatcher(options)),
  )

const seen = Effect.gen(function* () {
  const client = wholeAnswers(yield* NodeHttpClient.Dispatcher, yield* HttpClient)
  const watch = yield* CurrentCallWatch
  return watch === undefined ? client : watched(client, watch)
})
