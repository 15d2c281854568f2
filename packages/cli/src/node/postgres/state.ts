/** A state in a Postgres database: what the server must be, and how the schema comes into being. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError, SqlErrorReason } from "effect/sql/SqlError"
import { StateUnusable } from "../stateFile.ts"
import { layer as clientLayer } from "./client.ts"
import { lockKey } from "./lock.ts"
import type { PostgresServer } from "./url.ts"

const OLDEST = 140_000

interface Found {
  readonly version: number
  readonly encoding: string
  readonly read_only: string
  readonly has_schema: boolean
  readonly has_state: boolean
}

/** What the user does about an error, by its class; a missing database has none of its own. */
const REPAIRS: ReadonlyMap<SqlErrorReason["_tag"], string> = new Map([
  ["ConnectionError", "See that the server runs, and that this machine may reach it."],
  [
    "AuthenticationError",
    "Give the user's password as PGPASSWORD or in PGPASSFILE; for TLS see sslmode and sslrootcert.",
  ],
  ["AuthorizationError", "Grant this user what the message names."],
])

const unusable = (server: PostgresServer, problem: string, repair: string): StateUnusable =>
  new StateUnusable({ file: server.name, problem, repair })

const ofSqlError = (server: PostgresServer, { reason, message }: SqlError): StateUnusable => {
  const repair = REPAIRS.get(reason._tag) ?? "See that its URL names a database that exists and that this user may use."
  return unusable(server, message.replace(`${server.name}: `, ""), repair)
}

const look = Effect.fnUntraced(function* (server: PostgresServer) {
  const sql = yield* SqlClient.SqlClient
  // In a transaction, which is not waited for where nobody answers. Nothing of ours need be there.
  const rows = yield* sql.withTransaction(sql<Found>`
    SELECT current_setting('server_version_num')::bigint AS version, current_setting('server_encoding') AS encoding,
      current_setting('transaction_read_only') AS read_only, to_regnamespace(${`"${server.schema}"`}) IS NOT NULL AS has_schema,
      to_regclass(${`"${server.schema}".checkpoints`}) IS NOT NULL AS has_state`)
  const found = rows[0]
  if (found === undefined) return yield* unusable(server, "it answers nothing", "See that it is a Postgres server.")
  if (found.version < OLDEST) {
    return yield* unusable(server, "its version is older than 14", "Update the server.")
  }
  if (found.encoding !== "UTF8") {
    return yield* unusable(server, `its encoding is ${found.encoding}`, "Create a database with ENCODING 'UTF8'.")
  }
  if (found.read_only === "on") {
    return yield* unusable(server, "it may only be read, as a standby", "Name the server that takes writes.")
  }
  return found
})

/** The client. Fails where the server does not do, whatever is in it. */
export const layer = (server: PostgresServer): Layer.Layer<SqlClient.SqlClient, StateUnusable> => {
  const looked = look(server).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(ofSqlError(server, error))))
  return Layer.provideMerge(Layer.effectDiscard(looked), clientLayer(server))
}

/** Whether a state has been made there. */
export const hasState = (server: PostgresServer): Effect.Effect<boolean, StateUnusable> =>
  look(server).pipe(
    Effect.map((found) => found.has_state),
    Effect.catchTag("SqlError", (error) => Effect.fail(ofSqlError(server, error))),
    Effect.provide(clientLayer(server)),
  )

/** The client, with the schema made when it is missing and `prepare` run in it: one process at a time, all or nothing. */
export const stateLayer = <E, R>(
  server: PostgresServer,
  prepare: Effect.Effect<unknown, E, R>,
): Layer.Layer<SqlClient.SqlClient, E | StateUnusable | SqlError, Exclude<R, SqlClient.SqlClient>> =>
  Layer.provideMerge(Layer.effectDiscard(inSchema(server, prepare)), layer(server))

const inSchema = Effect.fnUntraced(function* <A, E, R>(server: PostgresServer, prepare: Effect.Effect<A, E, R>) {
  const sql = yield* SqlClient.SqlClient
  const schema = `"${server.schema}"`
  const body = Effect.gen(function* () {
    yield* sql`SELECT pg_advisory_xact_lock(${lockKey(server.schema, "migrations")})`
    const found = yield* sql`SELECT 1 AS found WHERE to_regnamespace(${schema}) IS NOT NULL`
    if (found.length === 0) yield* createSchema(server, sql)
    return yield* prepare
  })
  return yield* sql.withTransaction(body)
})

const createSchema = (server: PostgresServer, sql: SqlClient.SqlClient) =>
  sql.unsafe(`CREATE SCHEMA "${server.schema}"`).pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "AuthorizationError",
      () => {
        const command = `CREATE SCHEMA "${server.schema}" AUTHORIZATION "${server.user}"`
        return Effect.fail(unusable(server, "its schema is missing", `Let an administrator run: ${command}`))
      },
    ),
  )
