/** A connection to a Postgres server, set up as the state needs it. */

import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import pg from "pg"
import { toSqlError } from "./errors.ts"
import type { PostgresServer } from "./url.ts"
import { toParameter, types } from "./values.ts"

export interface Session {
  /** No more use: the server closed it, it did not answer, or a transaction could not be ended. Asked between uses. */
  readonly isBroken: () => boolean
  readonly query: (text: string, params: ReadonlyArray<unknown>) => Effect.Effect<pg.QueryResult, SqlError>
  readonly queryArrays: (text: string, params: ReadonlyArray<unknown>) => Effect.Effect<pg.QueryArrayResult, SqlError>
}

/** Limits of one statement on the server, and here for a server that is silent. */
const STATEMENT_SECONDS = 300
const SILENCE_MILLIS = 310_000

/**
 * A process that was stopped in a transaction keeps its fence locked no longer than another waits for it, and a machine
 * that is gone keeps nothing for longer than half a minute.
 */
const SETTINGS: ReadonlyArray<readonly [name: string, value: string]> = [
  ["statement_timeout", `${STATEMENT_SECONDS}s`],
  ["idle_in_transaction_session_timeout", "20s"],
  ["lock_timeout", "30s"],
  ["tcp_keepalives_idle", "10"],
  ["tcp_keepalives_interval", "5"],
  ["tcp_keepalives_count", "4"],
]

export interface SessionOptions {
  /** As others see it in `pg_stat_activity`. */
  readonly application: string
  readonly settings?: ReadonlyArray<readonly [name: string, value: string]>
}

/** Open until the scope ends. */
export const openSession = (
  server: PostgresServer,
  options: SessionOptions,
): Effect.Effect<Session, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    let broken = false
    const client = yield* Effect.acquireRelease(connect(server, options.application), close)
    const onEnd = () => {
      broken = true
    }
    client.on("error", onEnd).on("end", onEnd)

    const ask = <A>(send: (done: (error: unknown, result: A) => void) => void): Effect.Effect<A, SqlError> =>
      Effect.callback<A, SqlError>((resume) => {
        const fail = (cause: unknown) => {
          const error = toSqlError(server.name, "execute", cause)
          if (error.reason._tag === "ConnectionError") broken = true
          resume(Effect.fail(error))
        }
        try {
          send((error, result) =>
            error === null || error === undefined ? resume(Effect.succeed(result)) : fail(error),
          )
        } catch (cause) {
          fail(cause)
        }
      }).pipe(
        // What is under way on a connection cannot be left: the next statement would wait for it anyway.
        Effect.uninterruptible,
      )

    const query: Session["query"] = (text, params) =>
      ask((done) => client.query({ text, values: params.map(toParameter) }, done))
    const queryArrays: Session["queryArrays"] = (text, params) =>
      ask((done) => client.query({ text, values: params.map(toParameter), rowMode: "array" as const }, done))

    const settings = [...SETTINGS, ["search_path", `"${server.schema}"`] as const, ...(options.settings ?? [])]
    yield* query(
      // Rules 1 and 4 rest on commits that survive a crash of the server.
      `SELECT set_config(name, value, false) FROM (VALUES ${settings.map((_, at) => `($${2 * at + 1}, $${2 * at + 2})`).join(", ")},
         ('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END)
       ) AS given (name, value)`,
      settings.flat(),
    )
    return { isBroken: () => broken || client.getTransactionStatus() !== "I", query, queryArrays }
  })

const connect = (server: PostgresServer, application: string): Effect.Effect<pg.Client, SqlError> =>
  Effect.callback((resume) => {
    const { connectTimeoutMillis, database, host, port, ssl, user } = server
    const client = new pg.Client({
      ...{ host, port, user, database, ssl, types },
      // Without one `pg` would look at the variables of the process by itself.
      password: async () => (await server.password()) ?? "",
      application_name: application,
      connectionTimeoutMillis: connectTimeoutMillis,
      query_timeout: SILENCE_MILLIS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
    // Who uses it learns of it; unheard it would end the process.
    client.on("error", () => {})
    client.connect((error: Error | null | undefined) => {
      if (error === null || error === undefined) return resume(Effect.succeed(client))
      client.end(() => {})
      resume(Effect.fail(toSqlError(server.name, "connect", error)))
    })
  })

/** A server that is silent does not hold up the end of a run. */
const close = (client: pg.Client): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    client.end(() => resume(Effect.void))
  }).pipe(Effect.timeoutOption("1 second"), Effect.asVoid)
