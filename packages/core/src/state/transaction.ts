/** Transactions of the state, tried again where the database asks for it. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlErrorReason } from "effect/sql/SqlError"

/** Two transactions stood in each other's way, or the connection was lost. */
const PASSING: ReadonlyArray<SqlErrorReason["_tag"]> = ["ConnectionError", "DeadlockError", "SerializationError"]

const isPassing = (error: unknown): boolean => isSqlError(error) && PASSING.includes(error.reason._tag)

/** A server that starts again, or hands over to another, takes some seconds. */
const patience = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.upTo({ duration: "30 seconds" }),
)

/**
 * Where the answer to a COMMIT was lost, it may have committed. Hence the rule for whatever is given here: done twice, it
 * leaves what it leaves done once. Nothing of another run comes between, since the fence is asked each time.
 */
export const transaction = <A, E, R>(sql: SqlClient, body: Effect.Effect<A, E, R>) =>
  Effect.retry(sql.withTransaction(body), { while: isPassing, schedule: patience })
