/** A pipeline from scripted records into the sink under test, run by the shipped engine. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { JsonObject } from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { listDeadLetters } from "../engine/deadLetters.ts"
import type { Pipeline } from "../engine/pipeline.ts"
import { preview } from "../engine/preview/preview.ts"
import type { PreviewReport } from "../engine/preview/previewReport.ts"
import type { PipelineReport, RouteCounts } from "../engine/report.ts"
import type { RunOptions } from "../engine/run/options.ts"
import { run } from "../engine/run/run.ts"
import type { SourceRecord } from "../plugin/record.ts"
import type { Cipher } from "../state/cipher.ts"
import type { ListedDeadLetter } from "../state/deadLetters.ts"
import type { Digest } from "../state/digest.ts"
import type { RunLock } from "../state/lock.ts"
import { ConformanceError, expect, fail, given, unexpected } from "./case.ts"
import { hides, secretsOf } from "./configCases.ts"
import type { Destination } from "./destination.ts"
import { type Fault, type Faulty, makeFaulty } from "./faulty.ts"
import { NAME, onlyPipeline, plainData, plainMap } from "./planning.ts"
import { type Script, scriptedSource } from "./scripted.ts"
import { fieldsFor, fieldsOf, keyOf, type SinkConformance, TEXT, totalOf } from "./sinkBench.ts"

/** A state with its tables, new each time it is built: `layer({ stateFile: ":memory:", env: {} })` of `@sluice/cli/node`. */
export type State = Layer.Layer<SqlClient | RunLock | Digest | Cipher, { readonly message: string }>

export interface Setup {
  /** Fields to map beside those of the suite. */
  readonly more?: ReadonlyArray<string>
  readonly on_delete?: string
  /** However many are refused or in doubt, the run goes on. */
  readonly tolerant?: boolean
}

export interface PipelineBench {
  readonly suite: SinkConformance<unknown>
  readonly destination: Destination
  readonly faulty: Faulty
  readonly script: Script
  readonly pipeline: Pipeline
  /** The next scan finds these, `size` to a page. */
  readonly records: (records: ReadonlyArray<SourceRecord>, size?: number) => void
  /** A record whose row has this name. */
  readonly record: (name: string, values?: JsonObject, change?: SourceRecord["change"]) => SourceRecord
  /** Switches a fault on when the source hands over its first page: all that comes before is opening. */
  readonly meet: (fault: Fault | undefined, when?: { readonly skip?: number; readonly times?: number }) => void
  readonly run: (options?: RunOptions) => Effect.Effect<Done, ConformanceError>
  readonly preview: Effect.Effect<PreviewReport, ConformanceError>
  readonly letters: Effect.Effect<ReadonlyArray<ListedDeadLetter>, ConformanceError>
}

/** What a case does with a suite; a text says that it does not apply. */
export type Body = (suite: SinkConformance<unknown>, state: State) => Effect.Effect<unknown, ConformanceError, Scope>

export interface Done {
  readonly report: PipelineReport
  readonly counts: RouteCounts
}

export const fileOf = (suite: SinkConformance<unknown>, { more = [], on_delete, tolerant }: Setup): JsonObject => ({
  sources: { script: { use: "scripted" } },
  sinks: { [NAME]: { use: "plugin", ...suite.config } },
  pipelines: {
    all: {
      from: "script.records",
      to: {
        [`${NAME}.${suite.object}`]: {
          key: suite.key,
          map: plainMap([...fieldsOf(suite), ...more]),
          with: suite.options ?? {},
          ...(on_delete === undefined ? {} : { on_delete }),
          ...(tolerant === true ? { max_rejected: { percent: 100 } } : {}),
        },
      },
    },
  },
})

export const openPipeline = Effect.fnUntraced(function* (
  suite: SinkConformance<unknown>,
  state: State,
  setup: Setup = {},
) {
  const destination = yield* given(suite.destination())
  const faulty = makeFaulty(destination.client)
  const script: Script = { pages: [], onPage: () => {} }
  const modules = { scripted: { source: scriptedSource(script) }, plugin: { sink: suite.sink } }
  const pipeline = yield* onlyPipeline(fileOf(suite, setup), modules)
  const services = yield* Layer.build(Layer.fresh(state)).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `the state does not open: ${error.message}` })),
  )
  const live = <A, E>(effect: Effect.Effect<A, E, SqlClient | RunLock | Digest | Cipher | HttpClient.HttpClient>) =>
    effect.pipe(Effect.provideService(HttpClient.HttpClient, faulty.client), Effect.provide(services))
  const fields = [...fieldsOf(suite), ...(setup.more ?? [])]
  const bench: PipelineBench = {
    suite,
    destination,
    faulty,
    script,
    pipeline,
    records: (records, size = 20) => {
      script.pages = pagesOf(records, size)
    },
    record: (name, values, change = "upsert") => ({
      key: `id-${name}`,
      change,
      data: plainData(fields, fieldsFor(suite, name, values)),
    }),
    meet: (fault, when) => {
      faulty.set(undefined)
      script.onPage = (n) => {
        if (n === 0) faulty.set(fault, when)
      }
    },
    run: (options) => live(run([pipeline], options)).pipe(Effect.mapError(unexpected("the run")), doneOf(suite)),
    preview: live(preview(pipeline, { limit: 1000, ids: [], emails: [], reveal: true })).pipe(
      Effect.mapError((error) => new ConformanceError({ message: `preview: ${error.message}` })),
    ),
    letters: live(listDeadLetters({ limit: 10_000 })).pipe(
      Effect.mapError(unexpected("reading dead letters")),
      Effect.tap((letters) => hides([...secretsOf(suite), TEXT], JSON.stringify(letters), "a dead letter's message")),
    ),
  }
  return bench
})

const pagesOf = (records: ReadonlyArray<SourceRecord>, size: number) =>
  Array.from({ length: Math.ceil(records.length / size) }, (_, n) => records.slice(n * size, (n + 1) * size))

/** What holds after every run: rule 2, rule 9, and no bug. */
const doneOf =
  (suite: SinkConformance<unknown>) =>
  <E>(running: Effect.Effect<{ readonly pipelines: ReadonlyArray<PipelineReport> }, E>) =>
    Effect.gen(function* () {
      const { pipelines } = yield* running
      const [report] = pipelines
      const counts = report === undefined ? undefined : Object.values(report.routes)[0]
      if (report === undefined || counts === undefined) return yield* fail("the run has no report")
      const { delivered, unchanged, filtered, superseded, rejected, in_doubt, pending } = counts
      const sum = delivered + unchanged + filtered + superseded + rejected + in_doubt + pending
      yield* expect(counts.read === sum, `rule 2: ${counts.read} rows were read and ${sum} are accounted for`)
      yield* expect(report.error?.code !== "Bug", `the run ended with a bug: ${report.error?.message}`)
      yield* hides([...secretsOf(suite), TEXT], JSON.stringify(report), "the report")
      const done: Done = { report, counts }
      return done
    })

export const names = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => `k${n}`)

export const usual = ({ record }: PipelineBench, count = 120): ReadonlyArray<SourceRecord> =>
  names(count).map((name) => record(name))

export const completed = ({ report }: Done) =>
  expect(
    report.status === "completed",
    `the run did not complete: ${report.error?.code ?? report.status}: ${report.error?.message ?? ""}`,
  )

/** Every usual row of these names is there with its texts, once, and nothing else is. */
export const holdsAll = Effect.fnUntraced(function* (bench: PipelineBench, expected: ReadonlyArray<string>) {
  const { destination, suite } = bench
  const stored = destination.stored()
  for (const name of expected) {
    const [held, fields] = [stored.get(keyOf(suite, name)), fieldsFor(suite, name)]
    const other = suite.texts.find((text) => held?.[text] !== fields[text])
    yield* expect(other === undefined, `${other} of row ${name} is stored as ${JSON.stringify(held)}`)
  }
  const total = totalOf(destination)
  yield* expect(total === expected.length, `the destination holds ${total} rows, not ${expected.length}`)
})

export const noLetters = Effect.fnUntraced(function* (bench: PipelineBench) {
  const letters = yield* bench.letters
  yield* expect(letters.length === 0, `there are ${letters.length} dead letters: ${letters[0]?.code}`)
})
