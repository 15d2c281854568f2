/** Asks the vendors whether a pipeline can work: credentials, scopes, fields. Reads only (rule 6). */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Identity } from "../../plugin/services.ts"
import type { Connection, Field } from "../../plugin/sink.ts"
import { Digest } from "../../state/digest.ts"
import { type ConnectionError, type ConnectServices, on, openSinks, openSource } from "../connect.ts"
import { fieldChanges } from "../lock/drift.ts"
import { fingerprint } from "../lock/liveLock.ts"
import { isOutdated, lockedObject, lockedSink, lockFields, NEWS, type SchemaLock } from "../lock/schemaLock.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { fieldsOf } from "./liveFields.ts"
import { routeProblems } from "./routeProblems.ts"

export interface CheckFinding {
  readonly severity: "error" | "warning"
  /** Stable: `unknown_field`, or the reason a vendor's answer came down to (`Unauthorized`). */
  readonly code: string
  readonly pipeline: string
  readonly connection: string
  readonly route?: string
  /** Below the route: `map`, `COMPANY`. */
  readonly path?: ReadonlyArray<string>
  readonly message: string
}

export interface CheckReport {
  readonly ok: boolean
  /** Who the credentials turned out to be, by connection. */
  readonly accounts: { readonly [connection: string]: string }
  readonly findings: ReadonlyArray<CheckFinding>
}

/** Looks at every connection of every pipeline, so that all problems come at once. */
export const checkConnected = Effect.fnUntraced(function* (
  pipelines: ReadonlyArray<Pipeline>,
  /** What was saved of the destinations: how they differ now is a warning. */
  lock?: SchemaLock,
): Effect.fn.Return<CheckReport, never, ConnectServices | Digest> {
  const accounts = new Map<string, string>()
  const findings: Array<CheckFinding> = []
  for (const pipeline of pipelines) {
    const parts = [
      checkSource(pipeline, accounts),
      ...pipeline.routes.map((route) => checkRoute(pipeline, route, accounts, lock)),
    ]
    for (const part of parts) findings.push(...(yield* Effect.scoped(part)))
  }
  return {
    ok: findings.every((finding) => finding.severity !== "error"),
    accounts: Object.fromEntries(accounts),
    findings: distinct(findings),
  }
})

type Part = Effect.Effect<ReadonlyArray<CheckFinding>, never, ConnectServices | Digest | Scope>

const checkSource = (pipeline: Pipeline, accounts: Map<string, string>): Part => {
  const connection = pipeline.source.endpoint.name
  return Effect.gen(function* () {
    const reader = yield* openSource(pipeline)
    const identity = yield* reader.identify.pipe(on(connection))
    accounts.set(connection, identity.label)
    return ofIdentity(pipeline, connection, identity)
  }).pipe(Effect.catchTag("ConnectionError", (error) => Effect.succeed([ofError(pipeline, error)])))
}

const checkRoute = (
  pipeline: Pipeline,
  route: Route,
  accounts: Map<string, string>,
  lock: SchemaLock | undefined,
): Part =>
  Effect.gen(function* () {
    const name = route.sink.endpoint.name
    const connection = (yield* openSinks(pipeline, [route])).get(name)
    if (connection === undefined) return []
    const identity = yield* connection.identify.pipe(on(name))
    accounts.set(name, identity.label)
    const found = ofIdentity(pipeline, name, identity)
    return found.some((each) => each.severity === "error")
      ? found
      : [...found, ...(yield* checkFields(pipeline, route, connection, identity.account, lock))]
  }).pipe(Effect.catchTag("ConnectionError", (error) => Effect.succeed([ofError(pipeline, error, route)])))

const checkFields = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  route: Route,
  connection: Connection,
  account: string,
  lock: SchemaLock | undefined,
) {
  const { sha256 } = yield* Digest
  const live = (yield* fieldsOf(connection, route)) ?? []
  const drift =
    lock === undefined || live.length === 0 ? [] : ofDrift(pipeline, route, live, fingerprint(sha256, account), lock)
  const problems = live.length === 0 ? [] : routeProblems(route, live)
  const found = problems.map((problem): CheckFinding => {
    const hint = problem.suggestion === undefined ? "" : `; did you mean ${problem.suggestion}?`
    return {
      severity: "error",
      code: problem.code,
      pipeline: pipeline.name,
      connection: route.sink.endpoint.name,
      route: route.name,
      path: problem.path,
      message: `${problem.message}${hint}`,
    }
  })
  return [...found, ...drift]
})

const ofDrift = (
  pipeline: Pipeline,
  route: Route,
  live: ReadonlyArray<Field>,
  account: string,
  lock: SchemaLock,
): ReadonlyArray<CheckFinding> => {
  const connection = route.sink.endpoint.name
  const drift = { severity: "warning", code: "drift", pipeline: pipeline.name, connection, route: route.name } as const
  const saved = lockedSink(lock, route)
  const fields = lockedObject(lock, pipeline.name, route)
  if (saved === undefined || fields === undefined) return []
  if (saved.account !== account) {
    return [{ ...drift, message: `${connection} is another account than the one whose fields are saved` }]
  }
  const mapped = new Set(route.mapping.fields.map(({ field }) => field))
  const isOld = isOutdated(lock)
  const old: CheckFinding = {
    ...drift,
    code: "lock.old",
    message: `the saved fields of ${connection} lack ${NEWS}`,
  }
  const changes = fieldChanges(fields, lockFields(live), isOld).map(({ field, message }) => ({
    ...drift,
    ...(mapped.has(field) ? { path: ["map", field] } : {}),
    message: `${field} ${message}`,
  }))
  return isOld ? [old, ...changes] : changes
}

const ofIdentity = (pipeline: Pipeline, connection: string, identity: Identity): ReadonlyArray<CheckFinding> =>
  (identity.findings ?? []).map(({ severity, message }) => ({
    severity,
    code: "account",
    pipeline: pipeline.name,
    connection,
    message: `${connection}: ${message}`,
  }))

const ofError = (pipeline: Pipeline, error: ConnectionError, route?: Route): CheckFinding => ({
  severity: "error",
  code: error.reason._tag,
  pipeline: pipeline.name,
  connection: error.connection,
  ...(route === undefined ? {} : { route: route.name }),
  message: error.message,
})

/** Two routes of one sink say the same about its credentials: once is enough. */
const distinct = (findings: ReadonlyArray<CheckFinding>): ReadonlyArray<CheckFinding> => {
  const seen = new Map<string, CheckFinding>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.connection, finding.code, finding.message])
    if (!seen.has(key)) seen.set(key, finding)
  }
  return [...seen.values()]
}
