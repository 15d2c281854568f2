/** A source and a sink that a test scripts, and a state in memory: the shipped engine runs over them. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { JsonObject } from "effect/Schema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { digestLayer, runLockMemory, stateLayer } from "../../../cli/src/node/index.ts"
import { newPostgresState, onPostgres } from "../../../cli/test/postgres/database.ts"
import type { Pipeline, Route } from "../../src/engine/pipeline.ts"
import { compileMapping } from "../../src/mapping/compile.ts"
import type { MapEntry } from "../../src/mapping/entry.ts"
import {
  PositionLost,
  SinkError,
  type SinkReason,
  SinkReason as SinkReasonSchema,
  SourceError,
  type SourceReason,
} from "../../src/plugin/errors.ts"
import { Outcome } from "../../src/plugin/outcome.ts"
import type { Batch, Page, Row, SourceRecord } from "../../src/plugin/record.ts"
import type { Sink, Writer } from "../../src/plugin/sink.ts"
import type { ScanRequest, Source } from "../../src/plugin/source.ts"

const noClient = Layer.succeed(HttpClient.HttpClient)(HttpClient.make(() => Effect.die("no HTTP in this test")))

/** A state of its own for each test that builds it: in memory, and in Postgres in the project of that name. */
export const services = (): ReturnType<typeof servicesOver> =>
  onPostgres
    ? Layer.unwrap(
        Effect.map(
          Effect.promise(() => newPostgresState()),
          (url) => servicesOver(url),
        ),
      )
    : servicesOver(":memory:")

export const servicesOver = (stateFile: string, env: { readonly [name: string]: string } = {}) =>
  Layer.mergeAll(stateLayer({ stateFile, env }), runLockMemory, digestLayer, noClient)

export const record = (key: string, data: JsonObject = {}, version?: string): SourceRecord => ({
  key,
  change: "upsert",
  ...(version === undefined ? {} : { version }),
  data: { id: key, ...data },
})

export interface FakeSource extends Source {
  /** The pages of the next scan. The position of a page is its number; a scan resumes after it. */
  pages: ReadonlyArray<ReadonlyArray<SourceRecord>>
  /** Fails the scan after so many pages of it. */
  failAfter: { readonly pages: number; readonly reason: SourceReason } | undefined
  /** What every scan says is missing. */
  gap: string | undefined
  /** Accepts no position but the start. */
  losesPositions: boolean
  account: string
  /** What happens before a page is handed over. */
  before: (page: number) => Effect.Effect<void>
  readonly scans: Array<ScanRequest>
  /** What `find` answers by key; the pages where undefined. */
  live: ReadonlyMap<string, SourceRecord> | undefined
}

export const fakeSource = (pages: ReadonlyArray<ReadonlyArray<SourceRecord>> = []): FakeSource => {
  const source: FakeSource = {
    name: "fake",
    config: Schema.Unknown,
    streams: {},
    pages,
    failAfter: undefined,
    gap: undefined,
    losesPositions: false,
    account: "tenant",
    before: () => Effect.void,
    scans: [],
    live: undefined,
    open: () =>
      Effect.succeed({
        identify: Effect.sync(() => ({ account: source.account, label: source.account })),
        findBy: ["key"],
        completeness: Effect.sync(() => ({ expected: undefined, delivered: 0, gap: source.gap, facts: {} })),
        find: (_request: ScanRequest, by: { readonly value: string }) =>
          Effect.sync(() => {
            const found = source.live?.get(by.value) ?? source.pages.flat().findLast((each) => each.key === by.value)
            return found === undefined ? [] : [found]
          }),
        read: (request: ScanRequest) =>
          Stream.suspend(() => {
            source.scans.push(request)
            if (source.losesPositions && Option.isSome(request.from)) {
              return Stream.fail(new SourceError({ reason: new PositionLost({ message: "expired" }) }))
            }
            const done = Option.match(request.from, { onNone: () => 0, onSome: (at) => Number(at) })
            const { failAfter } = source
            const pagesLeft = source.pages
              .map((records, index): Page => ({ records, position: index + 1 }))
              .slice(request.sync === "full" || done < source.pages.length ? done : source.pages.length)
            const handed = Stream.fromArray(pagesLeft.slice(0, failAfter?.pages)).pipe(
              Stream.rechunk(1),
              Stream.tap(({ position }) => source.before(Number(position))),
            )
            if (failAfter === undefined || pagesLeft.length <= failAfter.pages) return handed
            return Stream.concat(handed, Stream.fail(new SourceError({ reason: failAfter.reason })))
          }),
      }),
  }
  return source
}

export type Answer = ReadonlyArray<Outcome> | SinkReason

export interface FakeSink extends Sink {
  /** What the destination holds, by row key. */
  readonly contents: Map<string, JsonObject>
  readonly batches: Array<Batch>
  account: string
  writer: Partial<Writer>
  /** Answers a batch; by default every row is delivered. */
  answer: (batch: Batch) => Answer | Effect.Effect<Answer>
}

// Reasons are errors, and errors are effects too: those first.
const isReason = Schema.is(SinkReasonSchema)
const isOutcomes = (given: Answer | Effect.Effect<Answer>): given is ReadonlyArray<Outcome> => Array.isArray(given)

export const fakeSink = (name = "fake"): FakeSink => {
  const sink: FakeSink = {
    name,
    config: Schema.Unknown,
    objects: () => ({ description: "anything", options: Schema.Unknown, deletes: ["delete"] }),
    contents: new Map(),
    batches: [],
    account: "account",
    writer: {},
    answer: (batch) => batch.rows.map((row) => deliver(sink, row)),
    open: () =>
      Effect.succeed({
        identify: Effect.sync(() => ({ account: sink.account, label: sink.account })),
        writer: () =>
          Effect.succeed({
            limits: { rows: 2 },
            repeatable: true,
            write: (batch: Batch) =>
              Effect.gen(function* () {
                sink.batches.push(batch)
                const given = sink.answer(batch)
                const answer = isReason(given) || isOutcomes(given) ? given : yield* given
                return isReason(answer) ? yield* new SinkError({ reason: answer }) : answer
              }),
            ...sink.writer,
          }),
      }),
  }
  return sink
}

/** Applies a row to the fake destination. */
export const deliver = (sink: FakeSink, row: Row): Outcome => {
  if (row.change === "delete") {
    sink.contents.delete(row.key)
    return Outcome.Delivered({ id: row.id, effect: "deleted" })
  }
  const held = sink.contents.get(row.key)
  sink.contents.set(row.key, { ...held, ...row.fields })
  return Outcome.Delivered({ id: row.id, effect: held === undefined ? "created" : "updated", remoteId: `r-${row.key}` })
}

export interface RouteSetup extends Partial<Pick<Route, "maxRejected" | "onKeyConflict" | "onDelete" | "onLeave">> {
  readonly sink: FakeSink
  readonly where?: string
  readonly map?: { readonly [field: string]: MapEntry }
  readonly options?: string
  readonly irreversible?: ReadonlyArray<string>
}

const endpoint = (name: string) => ({ name, baseUrl: undefined, share: undefined, insecure: false })

export const pipelineOf = (
  source: FakeSource,
  routes: { readonly [name: string]: RouteSetup },
  over: Partial<Pick<Pipeline, "sync" | "deadLetters">> = {},
): Pipeline => ({
  name: "users",
  id: "test.users",
  source: { plugin: source, config: {}, endpoint: endpoint("tenant") },
  stream: {
    name: "users",
    spec: {
      description: "",
      options: Schema.Unknown,
      record: Schema.Unknown,
      modes: ["full", "incremental"],
      snapshot: true,
    },
    options: {},
    written: {},
  },
  sync: "full",
  deadLetters: { payload: "full" },
  ...over,
  routes: Object.entries(routes).map(([name, setup]): Route => {
    const { sink, where, map, options, irreversible = [], ...rest } = setup
    const route = { key: "id", map: map ?? { id: "id", name: "name" }, ...(where === undefined ? {} : { where }) }
    return {
      name: `${name}.things`,
      sink: { plugin: sink, config: {}, endpoint: endpoint(name) },
      object: "things",
      spec: { description: "", options: Schema.Unknown, deletes: ["delete"], irreversible },
      options: {},
      written: {},
      optionsFingerprint: options ?? "",
      mapping: Result.getOrThrow(compileMapping(route)),
      maxRejected: { percent: undefined, count: undefined },
      onKeyConflict: "reject",
      onDelete: "keep",
      onLeave: "keep",
      ...rest,
    }
  }),
})
