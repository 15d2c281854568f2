/** Brings the state's tables to this version, and refuses a state that a newer Sluice has written. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { StateError } from "./errors.ts"

/** Written by a newer version, which may mean things this one would break. Exit code 3. */
export class StateTooNew extends Schema.TaggedError<StateTooNew>()("StateTooNew", {
  /** The newest migration found in the state. */
  found: Schema.String,
  /** The newest one this version knows. */
  known: Schema.String,
}) {
  override get message(): string {
    return (
      `the state was written by a newer version of Sluice (its tables are at ${this.found}, this version knows ` +
      `${this.known}). Update Sluice, or give another state with --state`
    )
  }
}

/** Migrations by `NNNN_name`; a number is used once and for ever. */
export type Migrations = Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>

const TABLE = "sluice_migrations"

const label = (id: number, name: string): string => `${String(id).padStart(4, "0")}_${name}`

const asStateError = (cause: Migrator.MigrationError | SqlError): StateError => {
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : ""
  return new StateError({ message: `the tables of the state could not be prepared: ${cause.message}${inner}`, cause })
}

/**
 * Applies what is missing, in one transaction. Safe to run by several processes at once. Gives the names of the
 * migrations it applied.
 */
export const migrate = (
  migrations: Migrations,
): Effect.Effect<ReadonlyArray<string>, StateError | StateTooNew, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const loader = Migrator.fromRecord(migrations)
    const known = (yield* loader.pipe(Effect.mapError(asStateError))).map(([id, name]) => label(id, name))
    // Where the state is ahead, the migrator finds nothing to do; what it found then decides.
    const applied = yield* Migrator.make({})({ loader, table: TABLE }).pipe(Effect.mapError(asStateError))
    const sql = yield* SqlClient.SqlClient
    const found = yield* sql<{ migration_id: number; name: string }>`
      SELECT migration_id, name FROM ${sql(TABLE)} ORDER BY migration_id`.pipe(Effect.mapError(asStateError))
    const unknown = found.map((row) => label(row.migration_id, row.name)).filter((name) => !known.includes(name))
    const newest = unknown.at(-1)
    if (newest !== undefined) {
      return yield* new StateTooNew({ found: newest, known: known.at(-1) ?? "none" })
    }
    return applied.map(([id, name]) => label(id, name))
  })
