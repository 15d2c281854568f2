/** The first records of a pipeline's stream, whole, to see which fields they have. Reads only (rule 6). */
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ConnectionError, type ConnectServices, on, openSource, scanRequest } from "../connect.ts"
import type { Pipeline } from "../pipeline.ts"

/** Those of the first page, and at most so many. */
export const firstRecords = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  most: number,
): Effect.fn.Return<ReadonlyArray<JsonObject>, ConnectionError, ConnectServices> {
  const reading = Effect.gen(function* () {
    const reader = yield* openSource(pipeline)
    const pages = yield* reader
      .read({ ...scanRequest(pipeline, pipeline.routes, "preview"), fields: "all" })
      .pipe(Stream.take(1), Stream.runCollect, on(pipeline.source.endpoint.name))
    return pages.flatMap(({ records }) => records.map(({ data }) => data)).slice(0, most)
  })
  return yield* Effect.scoped(reading)
})
