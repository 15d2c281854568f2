/** The fields that the destinations of pipelines have right now, by route. Reads only (rule 6). */
import * as Effect from "effect/Effect"
import type { Connection, Field } from "../../plugin/sink.ts"
import { type ConnectionError, type ConnectServices, on, openSinks, openWriter } from "../connect.ts"
import type { Pipeline, Route } from "../pipeline.ts"

/** A route whose destination has no schema of its own gives the fields its plugin declares, or none. */
export const liveFields = Effect.fnUntraced(function* (
  pipelines: ReadonlyArray<Pipeline>,
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<Field>>, ConnectionError, ConnectServices> {
  const found = new Map<string, ReadonlyArray<Field>>()
  for (const [pipeline, route] of pipelines.flatMap((each) => each.routes.map((route) => [each, route] as const))) {
    if (found.has(route.name)) continue
    const name = route.sink.endpoint.name
    const fields = Effect.gen(function* () {
      const connection = (yield* openSinks(pipeline, [route])).get(name)
      if (connection === undefined) return []
      return (yield* fieldsOf(connection, route)) ?? route.spec.fields ?? []
    })
    found.set(route.name, yield* Effect.scoped(fields))
  }
  return found
})

/** Undefined where the destination does not say. */
export const fieldsOf = Effect.fnUntraced(function* (connection: Connection, route: Route) {
  const writer = yield* openWriter(connection, route, undefined)
  return writer.fields === undefined ? undefined : yield* writer.fields.pipe(on(route.sink.endpoint.name))
})
