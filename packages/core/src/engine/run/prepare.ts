/** START: asks both sides who they are, picks what part of the state is theirs, and decides where to read from. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Meter } from "../../http/meter.ts"
import { checkMapping } from "../../mapping/validate.ts"
import { Misconfigured } from "../../plugin/errors.ts"
import type { Connection, Writer } from "../../plugin/sink.ts"
import type { ScanRequest } from "../../plugin/source.ts"
import { Cipher } from "../../state/cipher.ts"
import { Digest } from "../../state/digest.ts"
import { stateFailure } from "../../state/errors.ts"
import { makeFencedTransaction, makeRuns, openNamespace, unsettledRoutes } from "../../state/runs.ts"
import { ConnectionError, on, openSinks, openSource, openWriter, scanRequest } from "../connect.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import type { Traffic } from "../report.ts"
import type { RunContext } from "./context.ts"
import { makeFrontier } from "./frontier.ts"
import type { Opening, RunOptions } from "./options.ts"
import { resumePoint } from "./resume.ts"
import { makeRouteState, makeStore, type StoreOptions } from "./routeState.ts"

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
    const reader = yield* openSource(pipeline, opening.meters)
    const source = yield* reader.identify.pipe(on(pipeline.source.endpoint.name))
    const store = { sql, cipher, sha256 }
    const states = yield* openRoutes(opening, notices, store)

    const resume = yield* resumePoint({ opening, account: source.account, states, sql, sha256 })
    const routes = states.map((state) => state.route)
    const request: ScanRequest = {
      ...scanRequest(pipeline, routes, "run"),
      from: resume.position,
      since: Option.fromUndefinedOr(options.since),
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
      abandoned: yield* abandoned(pipeline, store),
      force: options.force ?? false,
      halt: opening.halt,
      frontier: makeFrontier(),
      scan: resume.scan,
      scanned: false,
      read: 0,
      batches: 0,
      committedMillis: yield* Clock.currentTimeMillis,
      checkpoints: resume.checkpoints,
      transact: (body) => transact(body).pipe(Effect.mapError(stateFailure)),
      committing: Semaphore.makeUnsafe(1),
      saveProgress: (counts) => runs.progress(runId, counts),
      sha256,
      cipher,
      notices,
      emit: options.onEvent ?? (() => Effect.void),
      waitedMillis: () => waited(opening.meters),
      traffic: () => trafficOf(opening.meters),
    }
    return context
  })

export const trafficOf = (meters: ReadonlyMap<string, Meter>): Readonly<Record<string, Traffic>> => {
  const traffic: Record<string, Traffic> = {}
  for (const [name, { calls, throttled, waitedMillis }] of meters) {
    traffic[name] = { calls, throttled, waited_ms: Math.round(waitedMillis) }
  }
  return traffic
}

export const waited = (meters: ReadonlyMap<string, Meter>): number =>
  [...meters.values()].reduce((sum, meter) => sum + meter.waitedMillis, 0)

const abandoned = (pipeline: Pipeline, options: StoreOptions) =>
  Effect.gen(function* () {
    const names = new Set(pipeline.routes.map((route) => route.name))
    const left = yield* unsettledRoutes(options.sql, pipeline.id).pipe(Effect.mapError(stateFailure))
    return left.filter(({ route }) => !names.has(route)).map(({ ns, route }) => ({ ...makeStore(options, ns), route }))
  })

/** The routes of this run. */
export const selected = (pipeline: Pipeline, options: RunOptions): ReadonlyArray<Route> =>
  options.routes === undefined
    ? pipeline.routes
    : pipeline.routes.filter((route) => options.routes?.includes(route.name) === true)

const openRoutes = (opening: Opening, notices: Array<string>, store: StoreOptions) =>
  Effect.gen(function* () {
    const { meters, options, pipeline } = opening
    const routes = selected(pipeline, options)
    const connections = yield* openSinks(pipeline, routes, meters)
    const accounts = new Map<string, string>()
    for (const [name, connection] of connections) {
      accounts.set(name, (yield* connection.identify.pipe(on(name))).account)
    }
    return yield* Effect.forEach(routes, (route) => {
      const { name } = route.sink.endpoint
      const connection = connections.get(name)
      const account = accounts.get(name)
      if (connection === undefined || account === undefined) return Effect.die(new Error(`${name} was not opened`))
      return openRoute(opening, route, connection, account, notices, store)
    })
  })

const openRoute = (
  opening: Opening,
  route: Route,
  connection: Connection,
  account: string,
  notices: Array<string>,
  store: StoreOptions,
) =>
  Effect.gen(function* () {
    const writer = yield* openWriter(connection, route, undefined)
    const fields = yield* checkedFields(route, writer)
    const key = { pipeline: opening.pipeline.id, route: route.name, account, object: route.object }
    const namespace = yield* openNamespace(store.sql, key).pipe(Effect.mapError(stateFailure))
    if (namespace.isNew && namespace.hasOthers) {
      notices.push(`${route.name}: the destination is another account than before: it gets everything`)
    }
    return yield* makeRouteState({ route, ns: namespace.id, writer, fields, store }).pipe(Effect.mapError(stateFailure))
  })

/** What the destination has now, held against the mapping: a field it lacks would be dropped in silence. */
const checkedFields = (route: Route, writer: Writer) =>
  Effect.gen(function* () {
    const fields = writer.fields === undefined ? [] : yield* writer.fields.pipe(on(route.sink.endpoint.name))
    const problems = fields.length === 0 ? [] : checkMapping(fields, route.mapping)
    if (problems.length > 0) {
      const message = problems.map((problem) => problem.message).join("; ")
      return yield* new ConnectionError({ connection: route.name, reason: new Misconfigured({ message }) })
    }
    return fields
  })
