/** A source under test with its reader open, and whole scans of it. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { SourceError } from "../plugin/errors.ts"
import type { Page, Position } from "../plugin/record.ts"
import { PluginState } from "../plugin/services.ts"
import type { Reader, ScanRequest, Source, StreamSpec } from "../plugin/source.ts"
import { type ConformanceError, fail, given, unexpected } from "./case.ts"
import type { JsonAnswer, Origin } from "./destination.ts"
import { type Faulty, makeFaulty } from "./faulty.ts"
import { decode, memoryState } from "./sinkBench.ts"

export interface SourceConformance<Config> {
  readonly source: Source<Config>
  /** Tells the suites of one plugin apart. */
  readonly name?: string
  /** As in a pipeline file. Every text in it that is a secret must be at least eight characters. */
  readonly config: { readonly [key: string]: Schema.Json }
  readonly stream: string
  /** The pipeline's `with:`. */
  readonly options?: { readonly [key: string]: Schema.Json }
  /** The root field of a record that holds its key. */
  readonly key: string
  /** Root fields to ask for where a case does not ask for all. */
  readonly fields: ReadonlyArray<string>
  /** Root fields that the source asks for whatever the mapping reads, and hands over. */
  readonly own?: ReadonlyArray<string>
  /** The records are as found in the wild, of which some do not fit the schema. */
  readonly untidy?: boolean
  /** The most records that a scan from a saved position brings again. 0 where absent. */
  readonly repeats?: number
  /** How the vendor says that it is too fast and to wait seven seconds. Absent: 429 with Retry-After. */
  readonly throttled?: JsonAnswer
  /** A new one for each case, with records for at least three pages. */
  readonly origin: () => Origin | Effect.Effect<Origin>
}

export interface SourceBench {
  readonly suite: SourceConformance<unknown>
  readonly origin: Origin
  readonly faulty: Faulty
  readonly spec: StreamSpec
  /** Opens a reader, as a run does. */
  readonly open: Effect.Effect<Reader, ConformanceError>
  /** A complete scan of the fields of the suite. */
  readonly request: (over?: Partial<ScanRequest>) => ScanRequest
  /** Reads to the end with a reader of its own. */
  readonly scan: (over?: Partial<ScanRequest>) => Effect.Effect<Scanned, ConformanceError>
  /** As `scan`, with the pages that came before an error. */
  readonly attempt: (over?: Partial<ScanRequest>) => Effect.Effect<Attempted, ConformanceError>
}

export interface Scanned {
  readonly pages: ReadonlyArray<Page>
  /** In the order they came. */
  readonly keys: ReadonlyArray<string>
}

export interface Attempted extends Scanned {
  readonly error: SourceError | undefined
}

export const openOrigin = Effect.fnUntraced(function* (suite: SourceConformance<unknown>) {
  const origin = yield* given(suite.origin())
  const faulty = makeFaulty(origin.client)
  const { streams } = suite.source
  const spec = Object.hasOwn(streams, suite.stream) ? streams[suite.stream] : undefined
  if (spec === undefined) return yield* fail(`the source has no stream ${suite.stream}`)
  const config = yield* decode(suite.source.config, suite.config, "config")
  const options = yield* decode(spec.options, suite.options ?? {}, "options")
  const scope = yield* Effect.scope
  const state = memoryState()
  const open = suite.source
    .open(config, { name: "conformance", baseUrl: undefined, share: undefined, insecure: false })
    .pipe(
      Effect.provideService(HttpClient.HttpClient, faulty.client),
      Effect.provideService(PluginState, state),
      Effect.provideService(Scope.Scope, scope),
      Effect.mapError(unexpected("opening")),
    )
  const request = (over: Partial<ScanRequest> = {}): ScanRequest => ({
    stream: suite.stream,
    options,
    sync: spec.modes.includes("full") ? "full" : "incremental",
    fields: suite.fields,
    from: Option.none(),
    since: Option.none(),
    purpose: "run",
    ...over,
  })
  const attempt = (over?: Partial<ScanRequest>) => Effect.flatMap(open, (reader) => readAll(reader, request(over)))
  const bench: SourceBench = {
    suite,
    origin,
    faulty,
    spec,
    open,
    request,
    attempt,
    scan: (over) =>
      Effect.flatMap(attempt(over), (done) =>
        done.error === undefined ? Effect.succeed(done) : Effect.fail(unexpected("the scan")(done.error)),
      ),
  }
  return bench
})

export const readAll = (reader: Reader, request: ScanRequest): Effect.Effect<Attempted> =>
  Effect.gen(function* () {
    const pages: Array<Page> = []
    const error = yield* reader.read(request).pipe(
      Stream.runForEach((page) => Effect.sync(() => void pages.push(page))),
      Effect.match({ onFailure: (failure) => failure, onSuccess: () => undefined }),
    )
    return { pages, keys: pages.flatMap(({ records }) => records.map(({ key }) => key)), error }
  })

/** As the state gives it back. */
export const saved = (position: Position | undefined): Option.Option<Position> =>
  position === undefined ? Option.none() : Option.some(JSON.parse(JSON.stringify(position)))
