/** START: asks both sides who they are, picks what part of the state is theirs, and decides where to read from. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import { CurrentMeter, type Meter, makeMeter } from "../http/meter.ts"
import { canonicalJson } from "../mapping/canonical.ts"
import { checkMapping } from "../mapping/validate.ts"
import { Misconfigured, SinkError, type SourceError } from "../plugin/errors.ts"
import { PluginState } from "../plugin/services.ts"
import type { Connection, Writer } from "../plugin/sink.ts"
import type { ScanRequest } from "../plugin/source.ts"
import { type Checkpoint, makeCheckpoints } from "../state/checkpoints.ts"
import { Cipher } from "../state/cipher.ts"
import { Digest } from "../state/digest.ts"
import { type StateFailure, stateFailure } from "../state/errors.ts"
import { makePluginState } from "../state/pluginState.ts"
import { makeFencedTransaction, makeRuns, openNamespace } from "../state/runs.ts"
import type { RunContext, Scan } from "./context.ts"
import { makeFrontier } from "./frontier.ts"
import type { Halting } from "./halt.ts"
import type { Pipeline, Route } from "./pipeline.ts"
import { makeRouteState, type RouteState } from "./routeState.ts"
import type { RunOptions } from "./run.ts"

export interface Opening {
  readonly pipeline: Pipeline
  readonly options: RunOptions
  readonly runId: string
  readonly startMillis: number
  readonly fence: number
  readonly halt: Halting
  /** By connection name; filled while connections open, so that a run that fails here still reports its calls. */
  readonly meters: Map<string, Meter>
}

/** A run's name: sorts by time, and says it in the file listing of a person. */
export const newRunId = Effect.gen(function* () {
  const now = DateTime.formatIso(yield* DateTime.now)
  const random = yield* Random.nextIntBetween(0, 36 ** 6)
  return `${now.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${random.toString(36).padStart(6, "0")}`
})

/** Opens everything a run needs. Scoped: what plugins acquire is released when the run ends. */
export const prepare = (opening: Opening) =>
  Effect.gen(function* () {
    const { pipeline, options, runId } = opening
    const sql = yield* SqlClient.SqlClient
    const { sha256 } = yield* Digest
    const cipher = yield* Cipher
    const notices: Array<string> = []
    const reader = yield* inConnection(opening, pipeline.source.endpoint.name, openReader(pipeline))
    const source = yield* reader.identify
    const states = yield* openRoutes(opening, selected(pipeline, options), notices, sql)

    const resume = yield* resumePoint(opening, source.account, states, sql, sha256, notices)
    const request: ScanRequest = {
      stream: pipeline.stream.name,
      options: pipeline.stream.options,
      sync: pipeline.sync,
      fields: fieldsRead(states.map((state) => state.route)),
      from: resume.position,
      since: Option.fromUndefinedOr(options.since),
      purpose: "run",
    }
    const transact = makeFencedTransaction(sql, pipeline.id, opening.fence)
    const runs = makeRuns(sql)
    const context: RunContext = {
      pipeline,
      runId,
      startMillis: opening.startMillis,
      reader,
      request,
      states,
      force: options.force ?? false,
      halt: opening.halt,
      frontier: makeFrontier(),
      scan: resume.scan,
      read: 0,
      batches: 0,
      committedMillis: yield* Clock.currentTimeMillis,
      checkpoints: resume.checkpoints,
      transact: (body) => transact(body).pipe(Effect.mapError(stateFailure)),
      committing: Semaphore.makeUnsafe(1),
      saveProgress: (counts) => runs.progress(runId, counts).pipe(Effect.mapError(stateFailure)),
      sha256,
      cipher,
      notices,
      emit: options.onEvent ?? (() => Effect.void),
      waitedMillis: () => waited(opening.meters),
    }
    return context
  })

export const waited = (meters: ReadonlyMap<string, Meter>): number =>
  [...meters.values()].reduce((sum, meter) => sum + meter.waitedMillis, 0)

/** The routes of this run. */
export const selected = (pipeline: Pipeline, options: RunOptions): ReadonlyArray<Route> =>
  options.routes === undefined
    ? pipeline.routes
    : pipeline.routes.filter((route) => options.routes?.includes(route.name) === true)

const openReader = (pipeline: Pipeline) => pipeline.source.plugin.open(pipeline.source.config, pipeline.source.endpoint)

/** Gives a plugin HTTP that is counted and state of its own, under the connection's name. */
const inConnection = <A, E, R>(opening: Opening, name: string, open: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const meter = opening.meters.get(name) ?? makeMeter()
    opening.meters.set(name, meter)
    const client = yield* HttpClient.HttpClient
    const counted = HttpClient.tapRequest(client, () =>
      Effect.sync(() => {
        meter.calls += 1
      }),
    )
    return yield* open.pipe(
      Effect.provideService(HttpClient.HttpClient, counted),
      Effect.provideService(PluginState, yield* makePluginState(`${opening.pipeline.id}/${name}`)),
      Effect.provideService(CurrentMeter, meter),
    )
  })

const openRoutes = (opening: Opening, routes: ReadonlyArray<Route>, notices: Array<string>, sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    const connections = new Map<string, { readonly connection: Connection; readonly account: string }>()
    const states: Array<RouteState> = []
    for (const route of routes) {
      const { plugin, config, endpoint } = route.sink
      let opened = connections.get(endpoint.name)
      if (opened === undefined) {
        const connection = yield* inConnection(opening, endpoint.name, plugin.open(config, endpoint))
        opened = { connection, account: (yield* connection.identify).account }
        connections.set(endpoint.name, opened)
      }
      states.push(yield* openRoute(opening, route, opened.connection, opened.account, notices, sql))
    }
    return states
  })

const openRoute = (
  opening: Opening,
  route: Route,
  connection: Connection,
  account: string,
  notices: Array<string>,
  sql: SqlClient.SqlClient,
) =>
  Effect.gen(function* () {
    const writer = yield* connection.writer(route.object, {
      key: route.mapping.key,
      fields: route.mapping.fields.map((each) => each.field),
      options: route.options,
      on_delete: route.onDelete,
      expected: undefined,
    })
    const fields = yield* liveFields(route, writer)
    const key = { pipeline: opening.pipeline.id, route: route.name, account, object: route.object }
    const namespace = yield* openNamespace(sql, key).pipe(Effect.mapError(stateFailure))
    if (namespace.isNew && namespace.hasOthers) {
      notices.push(`${route.name}: the destination is another account than before: it gets everything`)
    }
    return yield* makeRouteState({ route, ns: namespace.id, writer, fields, sql }).pipe(Effect.mapError(stateFailure))
  })

/** What the destination has now, held against the mapping: a field it lacks would be dropped in silence. */
const liveFields = (route: Route, writer: Writer) =>
  Effect.gen(function* () {
    const fields = writer.fields === undefined ? [] : yield* writer.fields
    const problems = fields.length === 0 ? [] : checkMapping(fields, route.mapping)
    if (problems.length > 0) {
      const message = problems.map((problem) => problem.message).join("; ")
      return yield* new SinkError({ reason: new Misconfigured({ message: `${route.name}: ${message}` }) })
    }
    return fields
  })

const fieldsRead = (routes: ReadonlyArray<Route>): ReadonlyArray<string> | "all" => {
  const names = new Set<string>()
  for (const { mapping } of routes) {
    if (mapping.reads === "all") return "all"
    for (const name of mapping.reads) names.add(name)
  }
  return [...names]
}

/** Where this run reads from: the saved position, if it speaks for these routes, destinations and mappings. */
const resumePoint = (
  opening: Opening,
  account: string,
  states: ReadonlyArray<RouteState>,
  sql: SqlClient.SqlClient,
  sha256: (text: string) => string,
  notices: Array<string>,
) =>
  Effect.gen(function* () {
    const { pipeline, options, runId } = opening
    const stream = sha256(canonicalJson([pipeline.stream.name, pipeline.stream.written, pipeline.sync]))
    // A run of some routes must not move the position of the others: it has one of its own.
    const routes = options.routes === undefined ? null : states.map((state) => state.route.name).sort()
    const scope = sha256(canonicalJson([pipeline.id, account, stream, routes]))
    const checkpoints = makeCheckpoints(
      sql,
      { scope, pipeline: pipeline.id, account, stream: pipeline.stream.name },
      sha256,
    )
    const covers = coverage(states, sha256)
    const saved = Option.getOrUndefined(yield* checkpoints.load.pipe(Effect.mapError(stateFailure)))

    const isTrial = options.limit !== undefined || options.since !== undefined
    const tracksKeys = pipeline.sync === "full" && pipeline.stream.spec.snapshot && !isTrial
    const lost = saved === undefined ? [] : yield* notCovered(saved, covers, states)
    notices.push(...lost)
    const keeps =
      saved !== undefined && lost.length === 0 && options.fullRefresh !== true && options.since === undefined
    const scan: Scan = {
      id: keeps && saved.open ? saved.scan : runId,
      covers: JSON.stringify(covers),
      saves: !isTrial,
      tracksKeys,
    }
    if (saved !== undefined && scan.id !== saved.scan && scan.saves) {
      yield* checkpoints.clearSeen(saved.scan).pipe(Effect.mapError(stateFailure))
    }
    return { checkpoints, scan, position: keeps ? saved.position : Option.none() }
  })

type Covers = { readonly [route: string]: readonly [ns: number, fingerprint: string] }

const coverage = (states: ReadonlyArray<RouteState>, sha256: (text: string) => string): Covers =>
  Object.fromEntries(
    states.map(({ route, ns }) => [
      route.name,
      [ns, sha256(`${route.mapping.fingerprint}\n${route.optionsFingerprint}`)],
    ]),
  )

/** Why a saved position does not do: what it covered is not what this run writes (rule 14). */
const notCovered = (saved: Checkpoint, covers: Covers, states: ReadonlyArray<RouteState>) =>
  Effect.gen(function* () {
    const before: Covers = JSON.parse(saved.covers)
    const reasons: Array<string> = []
    for (const state of states) {
      const { name } = state.route
      const [ns, fingerprint] = before[name] ?? []
      const [currentNs, currentFingerprint] = covers[name] ?? []
      if (ns === currentNs && fingerprint === currentFingerprint) continue
      const known = yield* state.ledger.count.pipe(Effect.mapError(stateFailure))
      reasons.push(
        ns === currentNs
          ? `${name}: mapping changed: all records are read again and up to ${known} rows will be sent again`
          : `${name}: not written to by the last run: all records are read again`,
      )
    }
    return reasons
  })

export type PrepareFailure = SourceError | SinkError | StateFailure
