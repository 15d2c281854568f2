/** Opens the connections that preview and check look through: nothing here writes at a vendor (rule 6). */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { CurrentMeter, makeMeter } from "../http/meter.ts"
import { type SinkError, SinkReason, type SourceError, SourceReason } from "../plugin/errors.ts"
import type { PluginServices } from "../plugin/services.ts"
import type { Connection, Writer } from "../plugin/sink.ts"
import type { Reader, ScanRequest } from "../plugin/source.ts"
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

export const openSource = (pipeline: Pipeline): Effect.Effect<Reader, ConnectionError, PluginServices> => {
  const { plugin, config, endpoint } = pipeline.source
  return plugin.open(config, endpoint).pipe(Effect.provideService(CurrentMeter, makeMeter()), on(endpoint.name))
}

/** Opens each sink once, however many routes lead to it. */
export const openSinks = Effect.fnUntraced(function* (
  routes: ReadonlyArray<Route>,
): Effect.fn.Return<ReadonlyMap<string, Connection>, ConnectionError, PluginServices> {
  const connections = new Map<string, Connection>()
  for (const { sink } of routes) {
    const { plugin, config, endpoint } = sink
    if (connections.has(endpoint.name)) continue
    const opened = plugin.open(config, endpoint).pipe(Effect.provideService(CurrentMeter, makeMeter()))
    connections.set(endpoint.name, yield* opened.pipe(on(endpoint.name)))
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
