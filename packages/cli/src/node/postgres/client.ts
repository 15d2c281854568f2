/** Effect's `SqlClient` over `pg`. The published driver does not load with effect 4.1.0; swap it in when it does. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pool from "effect/Pool"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { openSession, type Session } from "./session.ts"
import type { PostgresServer } from "./url.ts"

/** A run asks little at once; a database has few connections, and one more goes to the lock. */
const CONNECTIONS = 4

const compiler = Statement.makeCompiler({
  dialect: "pg",
  placeholder: (index) => `$${index}`,
  onIdentifier: Statement.defaultEscape('"'),
  onRecordUpdate: () => ["", []],
  onCustom: () => ["", []],
})

const makeConnection = (session: Session): Connection => {
  const execute: Connection["execute"] = (sql, params, transform) =>
    Effect.map(session.query(sql, params), ({ rows }) => (transform === undefined ? rows : transform(rows)))
  const executeValues: Connection["executeValues"] = (sql, params) =>
    Effect.map(session.queryArrays(sql, params), ({ rows }) => rows)
  return {
    execute,
    executeRaw: session.query,
    executeValues,
    executeValuesUnprepared: executeValues,
    // A connection that dies on the way ends its transaction by that.
    executeUnprepared: (sql, params, transform) =>
      sql === "ROLLBACK"
        ? Effect.orElseSucceed(execute(sql, params, transform), () => [])
        : execute(sql, params, transform),
    // All at once: what core reads in pages it reads by their keys.
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(execute(sql, params, transform)),
  }
}

/** COMMIT of a transaction with a failed statement rolls back, and says so by its tag alone. */
const commit = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) => {
    const tag = typeof result === "object" && result !== null && "command" in result ? result.command : undefined
    if (tag === "COMMIT") return Effect.void
    const message = "the transaction had failed before its COMMIT"
    return Effect.fail(
      new SqlError({ reason: new UnknownError({ message, operation: "commit", cause: new Error(message) }) }),
    )
  })

/** What only reads is asked again where a connection was lost. The server may be starting again elsewhere. */
const isRead = (sql: string): boolean => /^\s*SELECT\b/i.test(sql) && !/\bFOR\s+(SHARE|UPDATE)\b/i.test(sql)
const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.upTo({ duration: "30 seconds" }),
)

/** For statements outside of a transaction: each takes a connection for itself. */
const makePooled = (lease: Effect.Effect<Connection, SqlError, Scope.Scope>): Connection => {
  const once = <A>(
    sql: string,
    use: (connection: Connection) => Effect.Effect<A, SqlError>,
  ): Effect.Effect<A, SqlError> => {
    const asked = Effect.scoped(Effect.flatMap(lease, use))
    if (!isRead(sql)) return asked
    return Effect.retry(asked, { while: ({ reason }) => reason._tag === "ConnectionError", schedule: patience })
  }
  return {
    execute: (sql, params, transform) => once(sql, (each) => each.execute(sql, params, transform)),
    executeRaw: (sql, params) => once(sql, (each) => each.executeRaw(sql, params)),
    executeValues: (sql, params) => once(sql, (each) => each.executeValues(sql, params)),
    executeValuesUnprepared: (sql, params) => once(sql, (each) => each.executeValuesUnprepared(sql, params)),
    executeUnprepared: (sql, params, transform) => once(sql, (each) => each.executeUnprepared(sql, params, transform)),
    executeStream: (sql, params, transform) =>
      Stream.unwrap(Effect.map(lease, (each) => each.executeStream(sql, params, transform))),
  }
}

const make = Effect.fnUntraced(function* (server: PostgresServer) {
  const pool = yield* Pool.makeWithTTL({
    acquire: Effect.map(openSession(server, { application: "sluice" }), (session) => ({
      session,
      connection: makeConnection(session),
    })),
    min: 0,
    max: CONNECTIONS,
    timeToLive: "1 minute",
  })
  const lease = Pool.get(pool).pipe(
    Effect.tap((item) => (item.session.isBroken() ? Pool.invalidate(pool, item) : Effect.void)),
    Effect.repeat({ until: (item) => !item.session.isBroken() }),
    Effect.tap((item) =>
      Effect.addFinalizer(() => (item.session.isBroken() ? Pool.invalidate(pool, item) : Effect.void)),
    ),
    Effect.map((item) => item.connection),
  )
  return yield* SqlClient.make({
    acquirer: Effect.succeed(makePooled(lease)),
    transactionAcquirer: lease,
    compiler,
    driver: "pg",
    spanAttributes: [
      ["db.system.name", "postgresql"],
      ["server.address", server.host],
      ["server.port", server.port],
    ],
    // Whatever the server's default is. Each statement sees what was committed before it, after a wait for a lock too.
    beginTransaction: "BEGIN ISOLATION LEVEL READ COMMITTED",
    commit,
  })
})

/** The client of one server: a few connections, closed with the layer's scope. */
export const layer = (server: PostgresServer): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(SqlClient.SqlClient)(make(server)).pipe(Layer.provide(Reactivity.layer))
