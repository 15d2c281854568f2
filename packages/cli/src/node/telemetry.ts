/** Traces and metrics over OTLP/HTTP, by OpenTelemetry's own variables. Nothing of it slows or fails what it observes. */
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { Variables } from "./environment.ts"
import { layer as httpLayer } from "./http.ts"
import { protocolOf, type Signal, set, settings, TIMEOUT } from "./otelVariables.ts"

const MISTAKEN = "telemetry is not sent: a variable whose name begins with OTEL_ is not as it should be"

const serializations = new Map([
  ["http/protobuf", OtlpSerialization.layerProtobuf],
  ["http/json", OtlpSerialization.layerJson],
])

/** Spans of the database would be several for each page, and say nothing that its batch does not. */
const isQuiet = (name: string): boolean => /^(sql\.|sqlite$|postgresql$|Migrator )/.test(name)

/** What failed, not its message: that of a plugin's own error may hold a value of a record. */
const harmless = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return exit
  const error = Cause.squash(exit.cause)
  const tag = error instanceof Object && "_tag" in error ? error._tag : undefined
  const name = typeof tag === "string" ? tag : error instanceof Error ? error.name : "unknown"
  return Exit.fail({ name, message: name })
}

const guarded = (tracer: Tracer.Tracer): Tracer.Tracer =>
  Tracer.make({
    span: (options) => {
      const span = tracer.span({ ...options, sampled: options.sampled && !isQuiet(options.name) })
      const end = span.end.bind(span)
      return Object.assign(span, { end: (at: bigint, exit: Exit.Exit<unknown, unknown>) => end(at, harmless(exit)) })
    },
  })

/** The exporters' way out; the first failure is said once. */
const client = (env: Variables) => {
  const certificates = set(env, "OTEL_EXPORTER_OTLP_CERTIFICATE") ?? env.NODE_EXTRA_CA_CERTS
  const http = httpLayer({
    env: { ...env, NODE_EXTRA_CA_CERTS: certificates },
    connectTimeoutMillis: TIMEOUT,
    headersTimeoutMillis: TIMEOUT,
    bodyIdleMillis: TIMEOUT,
  })
  let said = false
  const warn = Effect.suspend(() => {
    if (said) return Effect.void
    said = true
    return Effect.logWarning(
      "telemetry does not get through to where OTEL_EXPORTER_OTLP_ENDPOINT says; the run goes on",
    )
  })
  const watched = Effect.map(HttpClient.HttpClient, (each) =>
    HttpClient.tapError(HttpClient.filterStatusOk(each), () => warn),
  )
  return Layer.provide(Layer.effect(HttpClient.HttpClient)(watched), http)
}

type Exporter = ReturnType<typeof OtlpTracer.layerFromConfig>

const speaking = (env: Variables, signal: Signal, exporter: Exporter) => {
  const protocol = protocolOf(env, signal)
  const serialization = serializations.get(protocol)
  const fix = "set http/protobuf, and the endpoint's port for it, 4318 by custom"
  return serialization === undefined
    ? Layer.effectDiscard(Effect.logWarning(`telemetry is not sent by ${protocol}: ${fix}`))
    : Layer.provide(exporter, serialization)
}

const exporting = (env: Variables, version: string) => {
  const resource = { serviceVersion: version }
  return Layer.mergeAll(
    speaking(env, "TRACES", OtlpTracer.layerFromConfig({ resource })),
    speaking(env, "METRICS", OtlpMetrics.layerFromConfig({ resource })),
  ).pipe(
    Layer.provide(client(env)),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings(env) }))),
  )
}

/** Runs it with spans and metrics sent where `env` says, and waits a bounded time for the last of them. */
export const observed = (env: Variables, version: string) =>
  Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>) {
    const scope = yield* Scope.make("parallel")
    const built = yield* Layer.buildWithScope(exporting(env, version), scope).pipe(
      Effect.catchCause(() => Effect.as(Effect.logWarning(MISTAKEN), Context.empty())),
    )
    const tracer = Context.get(built, Tracer.Tracer)
    return yield* self.pipe(
      Effect.provideService(Tracer.Tracer, guarded(tracer)),
      Effect.ensuring(Scope.close(scope, Exit.void)),
    )
  })
