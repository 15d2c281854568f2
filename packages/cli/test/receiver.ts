/** An OTLP/HTTP receiver that reads what it gets by OpenTelemetry's own protobuf definitions. */
import * as http from "node:http"
import { createRequire } from "node:module"
import { gunzipSync } from "node:zlib"
import * as Schema from "effect/Schema"

/** Made from the .proto files by protobufjs; its types do not say what is in it. */
const { opentelemetry } = createRequire(import.meta.url)("@opentelemetry/otlp-transformer/build/src/generated/root.js")
const { trace, metrics } = opentelemetry.proto.collector

const Attributes = Schema.Array(
  Schema.Struct({ key: Schema.String, value: Schema.Record(Schema.String, Schema.Unknown) }),
)
const Span = Schema.Struct({
  name: Schema.String,
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  attributes: Schema.optionalKey(Attributes),
  status: Schema.optionalKey(Schema.Struct({ code: Schema.optionalKey(Schema.String) })),
})
const Traces = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      resource: Schema.Struct({ attributes: Attributes }),
      scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })),
    }),
  ),
})
const Point = Schema.Struct({ attributes: Schema.optionalKey(Attributes), asDouble: Schema.optionalKey(Schema.Finite) })
const Metrics = Schema.Struct({
  resourceMetrics: Schema.Array(
    Schema.Struct({
      scopeMetrics: Schema.Array(
        Schema.Struct({
          metrics: Schema.optionalKey(
            Schema.Array(
              Schema.Struct({ name: Schema.String, sum: Schema.Struct({ dataPoints: Schema.Array(Point) }) }),
            ),
          ),
        }),
      ),
    }),
  ),
})

export interface Received {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly bytes: Buffer
}

export interface SpanSeen {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly failed: boolean
}

const attributesOf = (list: typeof Attributes.Type = []): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]))

/** protobufjs writes bytes as base64. */
const hex = (base64 = "") => Buffer.from(base64, "base64").toString("hex")

const listening = (server: http.Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

/** `answer`: what becomes of a request; by custom a 200. */
export const receive = async (answer: (response: http.ServerResponse) => void = (response) => response.end()) => {
  const received: Array<Received> = []
  const server = http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const whole = Buffer.concat(chunks)
      const bytes = request.headers["content-encoding"] === "gzip" ? gunzipSync(whole) : whole
      received.push({ path: request.url ?? "", headers: request.headers, bytes })
      answer(response)
    })
  })
  const port = await listening(server)
  const at = (path: string) => received.filter((each) => each.path === path)

  const traces = () =>
    at("/v1/traces").flatMap(({ bytes }) => {
      const message = trace.v1.ExportTraceServiceRequest.decode(bytes)
      return Schema.decodeUnknownSync(Traces)(message.toJSON()).resourceSpans
    })

  const spans = (): ReadonlyArray<SpanSeen> =>
    traces()
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
      .map((span) => ({
        name: span.name,
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        attributes: attributesOf(span.attributes),
        failed: span.status?.code === "STATUS_CODE_ERROR",
      }))

  /** The last value of each series: `sluice.rows{outcome=created,…}`. */
  const points = (): ReadonlyMap<string, number> => {
    const found = new Map<string, number>()
    for (const { bytes } of at("/v1/metrics")) {
      const message = metrics.v1.ExportMetricsServiceRequest.decode(bytes)
      const { resourceMetrics } = Schema.decodeUnknownSync(Metrics)(message.toJSON())
      const all = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics ?? []))
      for (const { name, sum } of all) {
        for (const { attributes, asDouble } of sum.dataPoints) {
          const { unit: _, ...series } = attributesOf(attributes)
          const labels = Object.entries(series).map(([label, value]) => `${label}=${value}`)
          found.set(`${name}{${labels.sort().join(",")}}`, asDouble ?? 0)
        }
      }
    }
    return found
  }

  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    spans,
    resources: () => traces().map(({ resource }) => attributesOf(resource.attributes)),
    points,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
