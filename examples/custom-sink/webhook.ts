/** Posts each batch as JSON to a URL. The answer names the rows it refuses; all others count as accepted. */
import { describe, Outcome, Sink } from "@sluice/core"
import { Effect, Redacted, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

const Refusal = Schema.Struct({ id: Schema.String, code: Schema.String, message: Schema.String })
const decodeAnswer = HttpClientResponse.schemaBodyJson(Schema.Struct({ rejected: Schema.Array(Refusal) }))

export const sink = Sink.simple({
  name: "webhook",
  config: Schema.Struct({
    url: Schema.String.pipe(describe("Where batches are posted")),
    token: Schema.RedactedFromValue(Schema.String).pipe(describe("Sent as a bearer token")),
  }),
  limits: { rows: 100 },
  repeatable: true, // the receiver keeps one row per key, so a lost answer is sent again
  write: Effect.fn("webhook.write")(function* (batch, config, { object, key }) {
    const request = HttpClientRequest.post(config.url).pipe(
      HttpClientRequest.bearerToken(Redacted.value(config.token)),
      HttpClientRequest.bodyJsonUnsafe({ batch: batch.id, object, key, rows: batch.rows }),
    )
    const { rejected } = yield* HttpClient.execute(request).pipe(Effect.flatMap(decodeAnswer))
    const refusals = new Map(rejected.map((row) => [row.id, Outcome.Rejected(row)]))
    return batch.rows.map(({ id }) => refusals.get(id) ?? Outcome.Delivered({ id, effect: "accepted" }))
  }),
})
