/** The state database of a simulated machine: in memory, and all that a crash leaves. */
import { DatabaseSync } from "node:sqlite"
import { sqliteOver } from "@sluice/cli/node"
import { layerPlain, migrate, migrations, plainText } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import type { Machine } from "./machine.ts"

export interface StoredCheckpoint {
  readonly position: string | null
  readonly scan: string
  readonly open: boolean
}

export interface StoredJob {
  readonly ref: string | null
  /** Null while its spool fills, and when it is over. */
  readonly rows: number | null
}

export interface Disk {
  /** A new process opens the database. */
  readonly open: (machine: Machine, fails: (sql: string) => boolean) => Layer.Layer<SqlClient.SqlClient>
  /** What happens to an open transaction when its process dies. */
  readonly rollback: () => void
  readonly isTransaction: () => boolean
  readonly checkpoint: () => StoredCheckpoint | undefined
  readonly deadLetters: (route: string) => ReadonlyMap<string, string>
  readonly ledger: (route: string) => ReadonlyMap<string, { readonly hash: string | null; readonly row_key: string }>
  /** Records of batches that were being sent, and of jobs that may have been handed over. */
  readonly marked: (route: string) => ReadonlyArray<string>
  readonly jobs: (route: string) => ReadonlyMap<string, StoredJob>
  /** Records of jobs that are known at the vendor. */
  readonly inJobs: (route: string) => ReadonlyArray<string>
  /** Batches that were being sent, jobs and spooled rows. */
  readonly leftovers: () => { readonly marks: number; readonly jobs: number; readonly spooled: number }
  readonly close: () => void
}

/** The tables as the shipped migrations make them, made once. */
let schema: string | undefined

const tables = (): string => {
  if (schema !== undefined) return schema
  const database = new DatabaseSync(":memory:")
  const client = Layer.effect(SqlClient.SqlClient)(sqliteOver(database, "made once")).pipe(
    Layer.provide(Reactivity.layer),
  )
  Effect.runSync(migrate(migrations).pipe(Effect.provide(client)))
  const rows = database.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").all()
  schema = rows.map((row) => `${String(row.sql)};`).join("\n")
  database.close()
  return schema
}

const full = (sql: string): SqlError =>
  new SqlError({
    reason: classifySqliteError(Object.assign(new Error("database or disk is full"), { errno: 13 }), {
      message: `database or disk is full: ${sql.slice(0, 40)}`,
      operation: "execute",
    }),
  })

const brief = (sql: string): string => `sql ${sql.trim().replaceAll(/\s+/g, " ").slice(0, 60)}`

export const makeDisk = (latencyMillis: () => number = () => 0): Disk => {
  const database = new DatabaseSync(":memory:")
  database.exec(tables())

  const through =
    (machine: Machine, fails: (sql: string) => boolean) =>
    (connection: Connection): Connection => {
      const held = <A>(sql: string, act: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> => {
        const done = machine.operation(
          brief(sql),
          Effect.suspend(() => (fails(sql) ? Effect.fail(full(sql)) : act)),
        )
        return Effect.suspend(() => {
          const millis = latencyMillis()
          return millis === 0 ? done : Effect.andThen(Effect.sleep(millis), done)
        })
      }
      return {
        ...connection,
        execute: (sql, params, transform) => held(sql, connection.execute(sql, params, transform)),
        executeRaw: (sql, params) => held(sql, connection.executeRaw(sql, params)),
        executeValues: (sql, params) => held(sql, connection.executeValues(sql, params)),
        executeValuesUnprepared: (sql, params) => held(sql, connection.executeValuesUnprepared(sql, params)),
        executeUnprepared: (sql, params, transform) => held(sql, connection.executeUnprepared(sql, params, transform)),
      }
    }

  const all = (sql: string, ...params: ReadonlyArray<string>) => database.prepare(sql).all(...params)
  const count = (table: string) => Number(all(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.n)
  const spooled = (route: string, which: string) =>
    all(
      `SELECT content FROM spool WHERE batch IN
         (SELECT batch FROM jobs WHERE rows IS NOT NULL AND ${which} AND ${ofRoute})`,
      route,
    ).map((row) => String(JSON.parse(plainText(String(row.content)) ?? "").row.id))
  const ofRoute = "ns IN (SELECT id FROM namespaces WHERE route = ?)"

  return {
    open: (machine, fails) =>
      Layer.effect(SqlClient.SqlClient)(sqliteOver(database, "state", through(machine, fails))).pipe(
        Layer.provide(Reactivity.layer),
      ),
    rollback: () => {
      if (database.isTransaction) database.exec("ROLLBACK")
    },
    isTransaction: () => database.isTransaction,
    checkpoint: () => {
      const row = all("SELECT position, scan, open FROM checkpoints")[0]
      if (row === undefined) return undefined
      return {
        position: row.position === null ? null : String(row.position),
        scan: String(row.scan),
        open: Number(row.open) === 1,
      }
    },
    deadLetters: (route) =>
      new Map(
        all(`SELECT id, kind FROM dead_letters WHERE ${ofRoute}`, route).map((row) => [
          String(row.id),
          String(row.kind),
        ]),
      ),
    ledger: (route) =>
      new Map(
        all(`SELECT id, hash, row_key FROM ledger WHERE ${ofRoute}`, route).map((row) => [
          String(row.id),
          { hash: row.hash === null ? null : String(row.hash), row_key: String(row.row_key) },
        ]),
      ),
    marked: (route) => [
      ...all(`SELECT json_extract(value, '$[0]') AS id FROM sending, json_each(rows) WHERE ${ofRoute}`, route).map(
        (row) => String(row.id),
      ),
      ...spooled(route, "ref IS NULL"),
    ],
    jobs: (route) =>
      new Map(
        all(`SELECT batch, ref, rows FROM jobs WHERE ${ofRoute}`, route).map((row) => [
          String(row.batch),
          { ref: row.ref === null ? null : String(row.ref), rows: row.rows === null ? null : Number(row.rows) },
        ]),
      ),
    inJobs: (route) => spooled(route, "ref IS NOT NULL"),
    leftovers: () => ({ marks: count("sending"), jobs: count("jobs"), spooled: count("spool") }),
    close: () => database.close(),
  }
}

export const cipher = layerPlain
