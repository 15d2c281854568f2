/** Asks the vendors whether a pipeline can work: credentials, scopes, fields. Reads only (rule 6). */
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import { suggest } from "../config/suggest.ts"
import type { Identity, PluginServices, PluginState } from "../plugin/services.ts"
import type { Connection, Field } from "../plugin/sink.ts"
import { type ConnectionError, on, openSinks, openSource, openWriter } from "./connect.ts"
import type { Pipeline, Route } from "./pipeline.ts"

export interface CheckFinding {
  readonly severity: "error" | "warning"
  /** Stable: `unknown_field`, or the reason a vendor's answer came down to (`Unauthorized`). */
  readonly code: string
  readonly pipeline: string
  readonly connection: string
  readonly route?: string
  readonly field?: string
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
): Effect.fn.Return<CheckReport, never, HttpClient | PluginState> {
  const accounts = new Map<string, string>()
  const findings: Array<CheckFinding> = []
  for (const pipeline of pipelines) {
    const parts = [
      checkSource(pipeline, accounts),
      ...pipeline.routes.map((route) => checkRoute(pipeline, route, accounts)),
    ]
    for (const part of parts) findings.push(...(yield* Effect.scoped(part)))
  }
  return {
    ok: findings.every((finding) => finding.severity !== "error"),
    accounts: Object.fromEntries(accounts),
    findings: distinct(findings),
  }
})

type Part = Effect.Effect<ReadonlyArray<CheckFinding>, never, PluginServices>

const checkSource = (pipeline: Pipeline, accounts: Map<string, string>): Part => {
  const connection = pipeline.source.endpoint.name
  return Effect.gen(function* () {
    const reader = yield* openSource(pipeline)
    const identity = yield* reader.identify.pipe(on(connection))
    accounts.set(connection, identity.label)
    return ofIdentity(pipeline, connection, identity)
  }).pipe(Effect.catchTag("ConnectionError", (error) => Effect.succeed([ofError(pipeline, error)])))
}

const checkRoute = (pipeline: Pipeline, route: Route, accounts: Map<string, string>): Part =>
  Effect.gen(function* () {
    const name = route.sink.endpoint.name
    const connection = (yield* openSinks([route])).get(name)
    if (connection === undefined) return []
    const identity = yield* connection.identify.pipe(on(name))
    accounts.set(name, identity.label)
    const found = ofIdentity(pipeline, name, identity)
    return found.some((each) => each.severity === "error")
      ? found
      : [...found, ...(yield* checkFields(pipeline, route, connection))]
  }).pipe(Effect.catchTag("ConnectionError", (error) => Effect.succeed([ofError(pipeline, error, route)])))

const checkFields = Effect.fnUntraced(function* (pipeline: Pipeline, route: Route, connection: Connection) {
  const writer = yield* openWriter(connection, route, undefined)
  if (writer.fields === undefined) return []
  const live = new Map((yield* writer.fields.pipe(on(route.sink.endpoint.name))).map((field) => [field.name, field]))
  const mapped = new Set(route.mapping.fields.map((each) => each.field))
  const findings = route.mapping.fields.flatMap(({ field }) => fieldProblem(field, route, live) ?? [])
  for (const field of live.values()) {
    if (field.required === true && field.writable && !mapped.has(field.name)) {
      findings.push({ field: field.name, code: "required_field", message: `requires ${field.name}; map it` })
    }
  }
  return findings.map(
    (finding): CheckFinding => ({
      severity: "error",
      code: finding.code,
      pipeline: pipeline.name,
      connection: route.sink.endpoint.name,
      route: route.name,
      field: finding.field,
      message: `${route.name} ${finding.message}`,
    }),
  )
})

const fieldProblem = (name: string, route: Route, live: ReadonlyMap<string, Field>) => {
  const field = live.get(name)
  if (field === undefined) {
    const near = suggest(name, [...live.keys()])
    const hint = near === undefined ? "create it there, or leave it out" : `did you mean ${near}?`
    return [{ field: name, code: "unknown_field", message: `has no field ${name}; ${hint}` }]
  }
  if (!field.writable && name !== route.mapping.key) {
    return [{ field: name, code: "read_only_field", message: `does not let ${name} be written; leave it out` }]
  }
  const keys = [...live.values()].filter((each) => each.key === true).map((each) => each.name)
  if (name === route.mapping.key && keys.length > 0 && field.key !== true) {
    const message = `cannot match rows by ${name}; it can by ${keys.join(", ")}`
    return [{ field: name, code: "not_a_key", message }]
  }
  return undefined
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
