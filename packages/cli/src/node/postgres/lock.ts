/**
 * `RunLock` by an advisory lock on a connection of its own: the server frees it when the connection ends, as by kill -9
 * of its holder. It decides who may begin; that nobody else writes is for the fence to see to (rule 10).
 */
import { createHash } from "node:crypto"
import * as os from "node:os"
import { LockHeld, RunLock, StateError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { SqlError } from "effect/sql/SqlError"
import { openSession, type Session } from "./session.ts"
import type { PostgresServer } from "./url.ts"

/** A holder that is stopped, or whose machine sleeps, says nothing for so long and then holds nothing. */
const SILENT = "60s"
const SIGN_OF_LIFE = "15 seconds"

/** Postgres cuts a longer name. */
const LONGEST_NAME = 63

/** Both of one number of 64 bits; advisory locks know no names. */
export const lockKey = (schema: string, pipeline: string): bigint =>
  createHash("sha256")
    .update(JSON.stringify(["sluice", schema, pipeline]))
    .digest()
    .readBigInt64BE()

/** Who asks, as the server shows it to the next one. */
const me = (): string => `sluice process ${process.pid} on ${os.hostname()}`.slice(0, LONGEST_NAME)

interface Holder {
  readonly application_name: string
  readonly since: string
}

const HOLDER = `
  SELECT a.application_name::text AS application_name, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_database d ON d.oid = l.database
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND d.datname = current_database()
    AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`

/** The server shows the sessions of other users to administrators only. */
const describe = (rows: ReadonlyArray<Holder>): string => {
  const holder = rows[0]
  if (holder === undefined || !holder.application_name.startsWith("sluice ")) return "its holder is not known"
  return `${holder.application_name.slice("sluice ".length)}, started at ${holder.since}`
}

const tryLock = Effect.fnUntraced(function* (session: Session, server: PostgresServer, pipeline: string) {
  const key = lockKey(server.schema, pipeline)
  const { rows } = yield* session.query("SELECT pg_try_advisory_lock($1) AS taken", [key])
  if (rows[0]?.taken === true) return
  const found = yield* session.query(HOLDER, [key])
  return yield* new LockHeld({ pipeline, holder: describe(found.rows) })
})

/** Locked until `scope` ends. */
const take = (server: PostgresServer, pipeline: string) =>
  Effect.gen(function* () {
    const settings = [["idle_session_timeout", SILENT]] as const
    const session = yield* openSession(server, { application: me(), settings })
    yield* tryLock(session, server, pipeline)
    return session
  })

/** Fails when the connection is lost. */
const watch = (session: Session): Effect.Effect<unknown, SqlError> =>
  Effect.repeat(session.query("SELECT 1", []), Schedule.spaced(SIGN_OF_LIFE))

/** A lock that was lost is taken again. Where another was quicker, the fence stops this run at its next step. */
const keep = (server: PostgresServer, pipeline: string, session: Session): Effect.Effect<void> => {
  const again = Effect.scoped(Effect.flatMap(take(server, pipeline), watch)).pipe(
    Effect.retry({ while: ({ _tag }) => _tag === "SqlError", schedule: Schedule.spaced(SIGN_OF_LIFE) }),
  )
  return watch(session).pipe(
    Effect.catch(() => again),
    Effect.ignore,
  )
}

const failed = (error: SqlError): StateError =>
  new StateError({ message: `the lock of the pipeline could not be asked for: ${error.message}`, cause: error })

export const layer = (server: PostgresServer): Layer.Layer<RunLock> =>
  Layer.succeed(RunLock)({
    acquire: (pipeline) =>
      take(server, pipeline).pipe(
        Effect.tap((session) => Effect.forkScoped(keep(server, pipeline, session))),
        Effect.asVoid,
        Effect.catchTag("SqlError", (error) => Effect.fail(failed(error))),
      ),
  })
