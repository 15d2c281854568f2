/** Sink.simple in pipelines: the webhook of the guide, an append-only one, and sinks that each break one promise. */
import { assert, describe, it } from "@effect/vitest"
import { Outcome, RateLimited, type SimpleSink, Sink, SinkError, Unavailable } from "@sluice/core"
import {
  type ConformanceCase,
  type Destination,
  jsonClient,
  type SinkConformance,
  sinkPipelineConformance,
} from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import { sink as webhook } from "../../../examples/custom-sink/webhook.ts"
import { layer } from "../../cli/src/node/index.ts"

const state = layer({ stateFile: ":memory:", env: {} })

const Row = Schema.Struct({ id: Schema.String, key: Schema.String, fields: Schema.Record(Schema.String, Schema.Json) })
type Row = typeof Row.Type
const decode = Schema.decodeUnknownSync(Schema.Struct({ rows: Schema.Array(Row) }))

/** Takes posts of rows and refuses marked ones. `keyed`: one row per key; else every row is one more. */
const receiver = (keyed: boolean) => (): Destination => {
  const rows: Array<Row> = []
  const bad = new Set<string>()
  const client = jsonClient(({ body }) => {
    const refused: Array<Row> = []
    for (const row of decode(body).rows) (bad.has(row.key) ? refused : rows).push(row)
    return { status: 200, body: { rejected: refused.map(({ id }) => ({ id, code: "bad", message: "not wanted" })) } }
  })
  const stored = () => {
    const byKey = new Map<string, Row["fields"]>()
    for (const { key, fields } of rows) byKey.set(key, { ...byKey.get(key), ...fields })
    return byKey
  }
  return { client, stored, total: () => (keyed ? stored().size : rows.length), refuse: (key) => void bad.add(key) }
}

const base = { object: "users", key: "id", texts: ["name", "company"], json: "tags" } as const
const config = { url: "https://hook.example.com/rows", token: "test-secret" }
const webhookSuite: SinkConformance<unknown> = {
  ...base,
  sink: webhook,
  config,
  exhausted: { status: 403 },
  destination: receiver(true),
}

const inapplicable = (title: string) => /D04|D11|D12|P01/.test(title)

const checkEach = (cases: ReadonlyArray<ConformanceCase>) => {
  for (const { title, effect } of cases) {
    it.effect(title, () =>
      Effect.map(effect, (why) => assert.strictEqual(why !== undefined, inapplicable(title), why ?? "it applies")),
    )
  }
}

describe("the webhook of the guide", () => {
  checkEach(sinkPipelineConformance(webhookSuite, state))
})

const post = (rows: ReadonlyArray<Row>) =>
  HttpClientRequest.post(config.url).pipe(
    HttpClientRequest.bodyJsonUnsafe({ rows: rows.map(({ id, key, fields }) => ({ id, key, fields })) }),
    HttpClient.execute,
    Effect.flatMap(
      HttpClientResponse.schemaBodyJson(
        Schema.Struct({
          rejected: Schema.Array(Schema.Struct({ id: Schema.String, code: Schema.String, message: Schema.String })),
        }),
      ),
    ),
    Effect.map(({ rejected }) => {
      const refused = new Map(rejected.map((row) => [row.id, Outcome.Rejected(row)]))
      return rows.map(({ id }) => refused.get(id) ?? Outcome.Delivered({ id, effect: "created" }))
    }),
  )

const log: SimpleSink<unknown> = {
  name: "log",
  config: Schema.Struct({}),
  limits: { rows: 30 },
  write: (batch) => post(batch.rows),
}
const suiteOf = (over: Partial<SimpleSink<unknown>>, keyed: boolean): SinkConformance<unknown> => ({
  ...base,
  sink: Sink.simple({ ...log, ...over }),
  config: {},
  exhausted: { status: 403 },
  destination: receiver(keyed),
})

describe("a sink that writes a row twice if it is asked twice", () => {
  checkEach(sinkPipelineConformance(suiteOf({}, false), state))
})

/** What a case of the suite says about a sink. */
const verdict = (title: string, over: Partial<SimpleSink<unknown>>, keyed: boolean) => {
  const cases = sinkPipelineConformance(suiteOf(over, keyed), state)
  const found = cases.find((each) => each.title === `in a pipeline: ${title}`)
  return found === undefined ? Effect.succeed("no such case") : Effect.flip(found.effect)
}

const write = log.write
const failed = (error: Effect.Error<ReturnType<typeof write>>) => (error._tag === "HttpClientError" ? error : undefined)

const mutants: ReadonlyArray<
  readonly [title: string, caught: string, over: Partial<SimpleSink<unknown>>, keyed?: boolean]
> = [
  ["says repeatable and is not", "A04: answer 1 is lost", { repeatable: true }, false],
  [
    "hammers",
    "D10: a used-up allowance stops the run within three calls",
    {
      write: (batch, ...rest) => Effect.retry(write(batch, ...rest), { times: 5 }),
    },
  ],
  [
    "makes an outage a refusal",
    "D09: an outage leaves no dead letters and can be resumed",
    {
      write: (batch, ...rest) =>
        Effect.catch(write(batch, ...rest), () =>
          Effect.succeed(batch.rows.map(({ id }) => Outcome.Rejected({ id, code: "failed", message: "failed" }))),
        ),
    },
  ],
  [
    "does not wait",
    "429 is waited for as long as it says, and nothing is sent twice",
    {
      write: (batch, ...rest) =>
        Effect.catch(write(batch, ...rest), (error) =>
          failed(error)?.response?.status === 429
            ? Effect.fail(new SinkError({ reason: new RateLimited({ message: "wait", retryAfterMillis: 10 }) }))
            : Effect.fail(error),
        ),
    },
  ],
  [
    "drops the batch when one row is refused",
    "D01: rows 0, 57 and 199 of 200 are refused",
    {
      write: (batch, ...rest) =>
        Effect.map(write(batch, ...rest), (outcomes) =>
          outcomes.some(({ _tag }) => _tag === "Rejected")
            ? batch.rows.map(({ id }) => Outcome.Rejected({ id, code: "bad", message: "bad" }))
            : outcomes,
        ),
    },
  ],
  [
    "takes 413 for an outage",
    "D03: too many bytes are split, and a row that is too large is a dead letter",
    {
      write: (batch, ...rest) =>
        Effect.catch(write(batch, ...rest), (error) =>
          failed(error)?.response?.status === 413
            ? Effect.fail(new SinkError({ reason: new Unavailable({ message: "413", inDoubt: false }) }))
            : Effect.fail(error),
        ),
    },
  ],
  [
    "sends null as absent",
    "D13: absent leaves and null clears what an earlier run wrote",
    {
      write: (batch) =>
        post(
          batch.rows.map((row) => ({
            ...row,
            fields: Object.fromEntries(Object.entries(row.fields).filter(([, value]) => value !== null)),
          })),
        ),
    },
  ],
  [
    "quotes the row",
    "D01: rows 0, 57 and 199 of 200 are refused",
    {
      write: (batch, ...rest) =>
        Effect.map(write(batch, ...rest), (outcomes) =>
          outcomes.map((outcome, n) =>
            outcome._tag === "Rejected" ? { ...outcome, message: JSON.stringify(batch.rows[n]) } : outcome,
          ),
        ),
    },
  ],
  [
    "forgets a row",
    "a second run sends nothing",
    {
      write: (batch, ...rest) => Effect.map(write(batch, ...rest), (outcomes) => outcomes.slice(1)),
    },
  ],
]

describe("the pipeline suite finds a sink that", () => {
  for (const [title, caught, over, keyed = true] of mutants) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const found = yield* verdict(caught, { repeatable: true, ...over }, keyed)
        assert.strictEqual(typeof found === "string" ? found : found._tag, "ConformanceError")
      }),
    )
  }
})
