/** The tables of the state, as forward migrations. A released migration is never edited. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const create = (...statements: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    for (const statement of statements) yield* sql.unsafe(statement)
  })

/** By `NNNN_name`, applied in that order. */
export const migrations: Record<string, Effect.Effect<void, SqlError, SqlClient.SqlClient>> = {
  "0001_memory_lane": create(
    // Rule 10: a revived process finds a higher number here and may not write.
    `CREATE TABLE fences (pipeline TEXT PRIMARY KEY, fence INTEGER NOT NULL)`,
    // Rule 14: whose ledger and dead letters they are.
    `CREATE TABLE namespaces (
       id INTEGER PRIMARY KEY, pipeline TEXT NOT NULL, route TEXT NOT NULL, account TEXT NOT NULL,
       object TEXT NOT NULL, UNIQUE (pipeline, route, account, object))`,
    // \`covers\`: the routes, destination accounts and mappings the position speaks for. \`scan\`: the open or last scan.
    `CREATE TABLE checkpoints (
       scope TEXT PRIMARY KEY, pipeline TEXT NOT NULL, account TEXT NOT NULL, stream TEXT NOT NULL,
       covers TEXT NOT NULL, position TEXT, scan TEXT NOT NULL, open INTEGER NOT NULL,
       checksum TEXT NOT NULL, updated_at TEXT NOT NULL)`,
    // What was last written for a record. \`hash\` is NULL where a write was lost and the content is unknown.
    `CREATE TABLE ledger (
       ns INTEGER NOT NULL, id TEXT NOT NULL, row_key TEXT NOT NULL, hash TEXT, version TEXT, remote_id TEXT,
       PRIMARY KEY (ns, id))`,
    `CREATE INDEX ledger_by_key ON ledger (ns, row_key)`,
    // The write-ahead mark: batches handed to a sink whose outcome is not committed. \`rows\` is JSON.
    `CREATE TABLE sending (batch TEXT PRIMARY KEY, ns INTEGER NOT NULL, rows TEXT NOT NULL)`,
    `CREATE TABLE dead_letters (
       number INTEGER PRIMARY KEY, ns INTEGER NOT NULL, id TEXT NOT NULL, row_key TEXT, kind TEXT NOT NULL,
       code TEXT NOT NULL, message TEXT NOT NULL, fields TEXT NOT NULL, hash TEXT, version TEXT, payload TEXT,
       position TEXT, attempts INTEGER NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, run TEXT NOT NULL,
       UNIQUE (ns, id))`,
    `CREATE TABLE dropped_fields (
       ns INTEGER NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
       run TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (ns, id, field))`,
    // The keys a full scan has passed: what is missing here at its end was deleted at the source.
    `CREATE TABLE seen (scan TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (scan, id))`,
    `CREATE TABLE runs (
       id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
       status TEXT NOT NULL, report TEXT)`,
    `CREATE TABLE plugin_state (
       connection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (connection, key))`,
  ),
  "0002_job_lane": create(
    // A batch for a vendor job. \`rows\` is NULL while its spool fills; \`ref\` is the vendor's, once it has one.
    `CREATE TABLE jobs (
       batch TEXT PRIMARY KEY, ns INTEGER NOT NULL, ref TEXT, rows INTEGER, bytes INTEGER NOT NULL,
       checksum TEXT NOT NULL)`,
    // The rows of a job, in order. \`content\` is JSON, sealed where a key is set (ADR 0019).
    `CREATE TABLE spool (batch TEXT NOT NULL, line INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (batch, line))`,
  ),
}
