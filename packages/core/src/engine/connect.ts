/** Opens the connections that preview and check look through: nothing here writes at a vendor (rule 6). */
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { CurrentMeter, makeMeter } from "../http/meter.ts"
import { type SinkError, SinkReason, type SourceError, SourceReason } from "../plugin/errors.ts"
import { type PluginServices, PluginState } from "../plugin/services.ts"
import type { Connection, Writer } from "../plugin/sink.ts"
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

/** What looking needs: plugins may have to store a rotated token. */
export type LookServices = HttpClient | SqlClient | Cipher

/** State of its own for a plugin, under the name that a run gives it. */
const opened = <A>(
  pipeline: string,
  name: string,
  open: Effect.Effect<A, SourceError | SinkError, PluginServices>,
): Effect.Effect<A, ConnectionError, LookServices | Scope> =>
  open.pipe(
    Effect.provideService(CurrentMeter, makeMeter()),
    Effect.provideServiceEffect(PluginState, makePluginState(`${pipeline}/${name}`)),
    on(name),
  )

export const openSource = (pipeline: Pipeline): Effect.Effect<Reader, ConnectionError, LookServices | Scope> => {
  const { plugin, config, endpoint } = pipeline.source
  return opened(pipeline.id, endpoint.name, plugin.open(config, endpoint))
}

/** Opens each sink once, however many routes lead to it. */
export const openSinks = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  routes: ReadonlyArray<Route> = pipeline.routes,
): Effect.fn.Return<ReadonlyMap<string, Connection>, ConnectionError, LookServices | Scope> {
  const connections = new Map<string, Connection>()
  for (const { sink } of routes) {
    const { plugin, config, endpoint } = sink
    if (connections.has(endpoint.name)) continue
    connections.set(endpoint.name, yield* opened(pipeline.id, endpoint.name, plugin.open(config, endpoint)))
  }
  return connections
})

export const openWriter = (
  connection: Connection,
  route: Route,
  expected: number | undefined,
): Effect.Effect<Writer, ConnectionError, Scope> =>
  connection
    .writer(route.object, {
      key: route.mapping.key,
      fields: route.mapping.fields.map((each) => each.field),
      options: route.options,
      on_delete: route.onDelete,
      expected,
    })
    .pipe(on(route.sink.endpoint.name))

/** The scan that preview takes its records from: the fields of every route, from the start. */
export const previewRequest = (pipeline: Pipeline): ScanRequest => ({
  stream: pipeline.stream.name,
  options: pipeline.stream.options,
  sync: pipeline.sync,
  fields: fieldsRead(pipeline.routes),
  from: Option.none(),
  since: Option.none(),
  purpose: "preview",
})

const fieldsRead = (routes: ReadonlyArray<Route>): ReadonlyArray<string> | "all" => {
  const fields = new Set<string>()
  for (const { mapping } of routes) {
    if (mapping.reads === "all") return "all"
    for (const field of mapping.reads) fields.add(field)
  }
  return [...fields]
}
