/** Opens the connections of a pipeline, for check, preview and run. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { CurrentMeter, type Meter, makeMeter } from "../http/meter.ts"
import { CurrentWaiting } from "../http/watch.ts"
import { type SinkError, SinkReason, type SourceError, SourceReason } from "../plugin/errors.ts"
import { type PluginServices, PluginState } from "../plugin/services.ts"
import type { Connection, Writer, WriterRequest } from "../plugin/sink.ts"
import type { Reader, ScanRequest } from "../plugin/source.ts"
import type { Cipher } from "../state/cipher.ts"
import { makePluginState } from "../state/pluginState.ts"
import type { Pipeline, Route } from "./pipeline.ts"

/** What a vendor or plugin answered, with the connection it happened on. */
export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  /** The name in the pipeline file: `tenant`, `brevo`. */
  connection: Schema.String,
  reason: Schema.Union([SourceReason, SinkReason]),
}) {
  override get message(): string {
    return `${this.connection}: ${this.reason.message}`
  }
}

/** Names the connection an effect talks to in its errors. */
export const on =
  (connection: string) =>
  <A, R>(self: Effect.Effect<A, SourceError | SinkError, R>): Effect.Effect<A, ConnectionError, R> =>
    Effect.mapError(self, (error) => new ConnectionError({ connection, reason: error.reason }))

/** What opening a connection needs: a plugin may have to store a rotated token. */
export type ConnectServices = HttpClient.HttpClient | SqlClient | Cipher

/** What the calls of each connection cost, by its name. */
export type Meters = Map<string, Meter>

/** Gives a plugin HTTP that is counted and state of its own, under the connection's name. */
const opened = <A>(
  pipeline: Pipeline,
  name: string,
  meters: Meters,
  open: Effect.Effect<A, SourceError | SinkError, PluginServices>,
): Effect.Effect<A, ConnectionError, ConnectServices | Scope> =>
  Effect.gen(function* () {
    const meter = meters.get(name) ?? makeMeter()
    meters.set(name, meter)
    const counted = HttpClient.tapRequest(yield* HttpClient.HttpClient, () =>
      Effect.sync(() => {
        meter.calls += 1
      }),
    )
    const waiting = yield* CurrentWaiting
    return yield* open.pipe(
      Effect.provideService(HttpClient.HttpClient, counted),
      Effect.provideService(CurrentMeter, meter),
      Effect.provideService(CurrentWaiting, (wait) => waiting({ ...wait, connection: name })),
      Effect.provideServiceEffect(PluginState, makePluginState(`${pipeline.id}/${name}`)),
      on(name),
    )
  })

export const openSource = (
  pipeline: Pipeline,
  meters: Meters = new Map(),
): Effect.Effect<Reader, ConnectionError, ConnectServices | Scope> => {
  const { plugin, config, endpoint } = pipeline.source
  return opened(pipeline, endpoint.name, meters, plugin.open(config, endpoint))
}

/** Opens each sink once, however many routes lead to it. */
export const openSinks = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  routes: ReadonlyArray<Route> = pipeline.routes,
  meters: Meters = new Map(),
): Effect.fn.Return<ReadonlyMap<string, Connection>, ConnectionError, ConnectServices | Scope> {
  const connections = new Map<string, Connection>()
  for (const { sink } of routes) {
    const { plugin, config, endpoint } = sink
    if (connections.has(endpoint.name)) continue
    connections.set(endpoint.name, yield* opened(pipeline, endpoint.name, meters, plugin.open(config, endpoint)))
  }
  return connections
})

export const openWriter = (
  connection: Connection,
  route: Route,
  expected: number | undefined,
): Effect.Effect<Writer, ConnectionError, Scope> =>
  connection.writer(route.object, writerRequest(route, expected)).pipe(on(route.sink.endpoint.name))

export const writerRequest = ({ mapping, options, onDelete }: Route, expected: number | undefined): WriterRequest => ({
  key: mapping.key,
  fields: mapping.fields.map(({ field }) => field),
  options,
  on_delete: onDelete,
  expected,
})

/** A scan from the start, for the fields that the mappings of these routes read. */
export const scanRequest = (
  pipeline: Pipeline,
  routes: ReadonlyArray<Route>,
  purpose: ScanRequest["purpose"],
): ScanRequest => ({
  stream: pipeline.stream.name,
  options: pipeline.stream.options,
  sync: pipeline.sync,
  fields: fieldsRead(routes),
  from: Option.none(),
  since: Option.none(),
  purpose,
})

const fieldsRead = (routes: ReadonlyArray<Route>): ReadonlyArray<string> | "all" => {
  const fields = new Set<string>()
  for (const { mapping } of routes) {
    if (mapping.reads === "all") return "all"
    for (const field of mapping.reads) fields.add(field)
  }
  return [...fields]
}
