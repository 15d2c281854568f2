/** Runs queries: five in a call, and every page of each. */
import { Protocol, SinkError } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { JsonObject } from "effect/Schema"
import type { Connected } from "../connection.ts"
import { callFailed, type Trouble, troubleOf, writeReason } from "../errors.ts"
import { decode, type Page } from "../shapes.ts"

/** A Composite takes so many queries. */
const QUERIES_PER_CALL = 5

/** What is too large for a call may do in two: the rows it asks about are halved with their batch. */
const unanswered = (trouble: Trouble): Effect.Effect<never, SinkError> => {
  const isRefusal = trouble.problem.handling === "config" || trouble.problem.handling === "data"
  return Effect.fail(
    isRefusal ? callFailed("a query was refused", trouble) : new SinkError({ reason: writeReason(trouble) }),
  )
}

export type Search = (queries: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<JsonObject>, SinkError>

export const makeSearch = (connected: Connected): Search => {
  const single = Effect.fnUntraced(function* (path: string) {
    const reply = yield* connected.ask({ name: "query", request: HttpClientRequest.get(path), decode: decode.page })
    return reply._tag === "Done" ? reply.value : yield* unanswered(reply)
  })

  const alone = (query: string) => single(`/query?q=${encodeURIComponent(query)}`)

  const together = Effect.fnUntraced(function* (queries: ReadonlyArray<string>) {
    const root = yield* connected.root
    const compositeRequest = queries.map((query, n) => ({
      method: "GET",
      url: `${root}/query?q=${encodeURIComponent(query)}`,
      referenceId: `query${n}`,
    }))
    const reply = yield* connected.ask({
      name: "query",
      request: HttpClientRequest.post("/composite").pipe(
        HttpClientRequest.bodyJsonUnsafe({ allOrNone: false, compositeRequest }),
      ),
      decode: decode.composite(queries.length),
    })
    if (reply._tag === "Trouble") {
      return reply.problem.handling === "smaller" ? yield* Effect.forEach(queries, alone) : yield* unanswered(reply)
    }
    return yield* Effect.forEach(reply.value, ({ body, httpStatusCode: status }) => {
      if (status >= 200 && status < 300) return Effect.mapError(decode.page(body), unreadable)
      return unanswered(troubleOf({ status, body: Array.isArray(body) ? body : undefined }))
    })
  })

  /** The addresses of further pages are followed as they are. */
  const whole = Effect.fnUntraced(function* (first: Page) {
    const records = [...first.records]
    for (let page = first; !page.done; ) {
      // Records that nobody sees would be made again.
      if (typeof page.nextRecordsUrl !== "string") return yield* unreadable()
      page = yield* single(page.nextRecordsUrl)
      records.push(...page.records)
    }
    return records
  })

  return Effect.fnUntraced(function* (queries) {
    const records: Array<JsonObject> = []
    for (const part of Arr.chunksOf(queries, QUERIES_PER_CALL)) {
      const [only] = part
      const pages = part.length === 1 && only !== undefined ? [yield* alone(only)] : yield* together(part)
      for (const page of pages) records.push(...(yield* whole(page)))
    }
    return records
  })
}

const unreadable = () =>
  new SinkError({ reason: new Protocol({ message: "Salesforce: a query's part of an answer is not as described" }) })

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The object that a record is of. */
export const typeIn = ({ attributes }: JsonObject): string | undefined =>
  isObject(attributes) ? textIn(attributes, "type") : undefined

/** The text of a field; undefined where it has none. */
export const textIn = (record: JsonObject, field: string): string | undefined => {
  const value = Object.hasOwn(record, field) ? record[field] : undefined
  if (typeof value === "string") return value === "" ? undefined : value
  return typeof value === "number" ? String(value) : undefined
}
