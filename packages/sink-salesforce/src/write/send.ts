/** The calls that write: one chunk by Collections, several by a Composite of Collections. */
import type { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { JsonObject } from "effect/Schema"
import type { Connected } from "../connection.ts"
import type { Column } from "../describe/columns.ts"
import { type Trouble, troubleOf } from "../errors.ts"
import { decode, type Result } from "../shapes.ts"
import type { Chunk, Unit } from "./plan.ts"
import { toRecord } from "./record.ts"

/** What became of a chunk: a result for each row in order, or one trouble for all. */
export type Answered = { readonly _tag: "Done"; readonly value: ReadonlyArray<Result> } | Trouble

export interface Writing {
  readonly connected: Connected
  readonly key: string
  readonly columns: ReadonlyArray<Column>
  /** On every write, and on every part of one. */
  readonly headers: Readonly<Record<string, string>>
}

const pathOf = ({ type, isByKey }: Chunk, key: string): string =>
  isByKey ? `/composite/sobjects/${type}/${key}` : "/composite/sobjects"

/** Each row stands or falls alone. */
const bodyOf = ({ aims }: Chunk, columns: ReadonlyArray<Column>): JsonObject => ({
  allOrNone: false,
  records: aims.map((aim) => toRecord(aim, columns)),
})

const json = (request: HttpClientRequest.HttpClientRequest, body: JsonObject) =>
  HttpClientRequest.bodyText(request, JSON.stringify(body), "application/json; charset=UTF-8")

const collections = ({ connected, key, columns, headers }: Writing, chunk: Chunk) =>
  connected.ask({
    name: "collections",
    request: json(HttpClientRequest.patch(pathOf(chunk, key)), bodyOf(chunk, columns)).pipe(
      HttpClientRequest.setHeaders(headers),
    ),
    decode: decode.results(chunk.aims.length),
  })

/** A part of a Composite fails by itself, in an answer of 200. */
const partOf = (chunk: Chunk, status: number, body: unknown) =>
  status >= 200 && status < 300
    ? Effect.map(decode.results(chunk.aims.length)(body), (value): Answered => ({ _tag: "Done", value }))
    : Effect.succeed<Answered>(troubleOf({ status, body: Array.isArray(body) ? body : undefined }))

/** Parts inherit no header but the credentials, so each has its own. */
const composite = Effect.fnUntraced(function* ({ connected, key, columns, headers }: Writing, unit: Unit) {
  const root = yield* connected.root
  const compositeRequest = unit.map((chunk, n) => ({
    method: "PATCH",
    url: `${root}${pathOf(chunk, key)}`,
    referenceId: `part${n}`,
    httpHeaders: headers,
    body: bodyOf(chunk, columns),
  }))
  return yield* connected.ask({
    name: "composite",
    request: json(HttpClientRequest.post("/composite"), { allOrNone: false, compositeRequest }).pipe(
      HttpClientRequest.setHeaders(headers),
    ),
    decode: (body) =>
      Effect.flatMap(decode.composite(unit.length)(body), (parts) =>
        Effect.forEach(unit, (chunk, n) => partOf(chunk, parts[n]?.httpStatusCode ?? 0, parts[n]?.body)),
      ),
  })
})

/** One answer for each chunk of a call. */
export const sendUnit = Effect.fnUntraced(function* (
  writing: Writing,
  unit: Unit,
): Effect.fn.Return<ReadonlyArray<Answered>, SinkError> {
  const [only] = unit
  if (unit.length === 1 && only !== undefined) return [yield* collections(writing, only)]
  const reply = yield* composite(writing, unit)
  return reply._tag === "Done" ? reply.value : unit.map(() => reply)
})
