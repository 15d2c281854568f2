/** What Node gives to core: the layers a program needs to run pipelines, one by one and as one. */
import * as fs from "node:fs"
import * as path from "node:path"
import {
  type Cipher,
  checkKey,
  type Digest,
  migrate,
  migrations,
  type Plugins,
  type RunLock,
  type StateError,
  type StateTooNew,
  type Unsealable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as cipher from "./cipher.ts"
import * as digest from "./digest.ts"
import type { EnvironmentRefused } from "./environment.ts"
import * as http from "./http.ts"
import * as plugins from "./plugins.ts"
import { isPostgresUrl, type PostgresServer, readPostgresUrl } from "./postgres/url.ts"
import * as runLock from "./runLock.ts"
import * as sqlite from "./sqliteClient.ts"
import type { StateUnusable } from "./stateFile.ts"

export { type CipherOptions, layer as cipherLayer } from "./cipher.ts"
export { tuneCollector } from "./collector.ts"
export { layer as digestLayer } from "./digest.ts"
export { type EnvironmentOptions, EnvironmentRefused, readEnvironment, readSecretFile } from "./environment.ts"
export { type HttpOptions, layer as httpLayer } from "./http.ts"
export { layer as pluginsLayer } from "./plugins.ts"
export { layer as runLockLayer, layerMemory as runLockMemory, type RunLockOptions } from "./runLock.ts"
export { layer as sqliteLayer, over as sqliteOver, type SqliteOptions } from "./sqliteClient.ts"
export { StateUnusable } from "./stateFile.ts"

export interface NodeOptions {
  /** A file, with locks beside it; `:memory:`; or a `postgres://` URL. By default SLUICE_STATE, else `.sluice/state.db`. */
  readonly stateFile?: string | undefined
  /** Of the process and its files: SLUICE_STATE, SLUICE_STATE_KEY, SLUICE_STATE_KEY_PREVIOUS, HTTP_PROXY and the like. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export type NodeServices = SqlClient | Cipher | RunLock | Digest | HttpClient | Plugins

export type StateProblem = StateUnusable | StateTooNew | StateError | Unsealable | SqlError | EnvironmentRefused

const secret = (text: string | undefined): Redacted.Redacted | undefined =>
  text === undefined || text === "" ? undefined : Redacted.make(text)

const prepare = Effect.andThen(migrate(migrations), checkKey)

/** Which state is meant. */
export const stateOf = ({ stateFile, env }: NodeOptions): string =>
  stateFile ?? (env.SLUICE_STATE === undefined || env.SLUICE_STATE === "" ? ".sluice/state.db" : env.SLUICE_STATE)

/** What a `postgres://` URL stands for. Loaded only then: most states are files. */
const inPostgres = <A, E, R>(options: NodeOptions, use: (server: PostgresServer) => Promise<Layer.Layer<A, E, R>>) =>
  Layer.unwrap(
    Effect.flatMap(readPostgresUrl(stateOf(options), options.env), (server) => Effect.promise(() => use(server))),
  )

/** The database with its tables in place and its key checked. */
export const stateLayer = (options: NodeOptions): Layer.Layer<SqlClient | Cipher, StateProblem> => {
  const { SLUICE_STATE_KEY: key, SLUICE_STATE_KEY_PREVIOUS: previousKey } = options.env
  const sealing = cipher.layer({ key: secret(key), previousKey: secret(previousKey) })
  const state = stateOf(options)
  if (isPostgresUrl(state)) {
    const opened = inPostgres(options, async (server) => {
      const postgres = await import("./postgres/state.ts")
      return postgres.stateLayer(server, prepare)
    })
    return Layer.provideMerge(opened, sealing)
  }
  const opened = Layer.mergeAll(sqlite.layer({ filename: state }), sealing)
  return Layer.provideMerge(Layer.effectDiscard(prepare), opened)
}

/** Whether a state has been made. Makes none. */
export const stateExists = (options: NodeOptions): Effect.Effect<boolean, StateProblem> =>
  Effect.gen(function* () {
    const state = stateOf(options)
    if (!isPostgresUrl(state)) return fs.existsSync(state)
    const server = yield* readPostgresUrl(state, options.env)
    const postgres = yield* Effect.promise(() => import("./postgres/state.ts"))
    return yield* postgres.hasState(server)
  })

/** What to call it before people: a URL without its password. */
export const stateName = (options: NodeOptions): Effect.Effect<string, StateProblem> => {
  const state = stateOf(options)
  return isPostgresUrl(state)
    ? Effect.map(readPostgresUrl(state, options.env), ({ name }) => name)
    : Effect.succeed(state)
}

const lockLayer = (options: NodeOptions): Layer.Layer<RunLock, StateProblem> => {
  const state = stateOf(options)
  if (isPostgresUrl(state)) return postgresLockLayer(options)
  return state === ":memory:" ? runLock.layerMemory : runLock.layer({ folder: path.dirname(path.resolve(state)) })
}

/** The client of a `postgres://` URL, without tables. */
export const postgresLayer = (options: NodeOptions): Layer.Layer<SqlClient, StateUnusable | EnvironmentRefused> =>
  inPostgres(options, async (server) => (await import("./postgres/state.ts")).layer(server))

export const postgresLockLayer = (options: NodeOptions): Layer.Layer<RunLock, StateUnusable | EnvironmentRefused> =>
  inPostgres(options, async (server) => (await import("./postgres/lock.ts")).layer(server))

/** Everything core asks for. Plugins share this process's copy of effect and core from here on. */
export const layer = (options: NodeOptions): Layer.Layer<NodeServices, StateProblem> =>
  Layer.mergeAll(stateLayer(options), lockLayer(options), digest.layer, http.layer({ env: options.env }), plugins.layer)
