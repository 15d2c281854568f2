/** Effect's `SqlClient` over `node:sqlite`. The published driver does not load with effect 4.1.0; swap it in when it does. */
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { damaged, prepareStateFile, StateUnusable } from "./stateFile.ts"

export interface SqliteOptions {
  /** A path, or `:memory:`. The file and its folder (not the folder's parent) are made when missing. */
  readonly filename: string
  /** How long a statement waits for another process, 2,000 by default. The whole process waits with it. */
  readonly busyTimeoutMillis?: number
}

const CONSTRAINT_PRIMARYKEY = 1555
const CONSTRAINT_UNIQUE = 2067
const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26
const CACHED_STATEMENTS = 128
const STREAMED_ROWS = 500

const codeOf = (cause: unknown): number | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : undefined

/** What SQLite says; of a full disk also how large the file has become. */
const describe = (file: string, cause: unknown): string => {
  if (!(cause instanceof Error)) return "unknown failure"
  const bytes = codeOf(cause) === FULL ? fs.statSync(file, { throwIfNoEntry: false })?.size : undefined
  return bytes === undefined ? cause.message : `${cause.message}, the file has ${bytes} bytes`
}

/** Effect classifies by `errno`, `node:sqlite` calls it `errcode`; a second primary key is a unique violation too. */
const toSqlError = (file: string, operation: string, cause: unknown): SqlError => {
  const text = describe(file, cause)
  const code = codeOf(cause)
  const error = new Error(text)
  const errno = code === CONSTRAINT_PRIMARYKEY ? CONSTRAINT_UNIQUE : code
  const reason = classifySqliteError(Object.assign(error, { errno }), { message: `${file}: ${text}`, operation })
  return new SqlError({ reason })
}

const isInput = (value: unknown): value is SQLInputValue =>
  value === null || typeof value === "string" || typeof value === "number" || value instanceof Uint8Array

/** A statement has thousands of parameters, and hardly one that SQLite does not take as it is. */
const toInputs = (params: ReadonlyArray<unknown>): ReadonlyArray<SQLInputValue> =>
  params.every(isInput) ? params : params.map(toInput)

/** An object would be taken for named parameters, so anything unknown is refused before SQLite sees it. */
const toInput = (value: unknown): SQLInputValue => {
  if (value === undefined || value === null) return null
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return value
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return value.toISOString()
  throw new TypeError(`a ${typeof value} cannot be a SQL parameter`)
}

/** Least recently used statements go first; a `Map` keeps the order. */
const statementCache = (database: DatabaseSync, arrays: boolean) => {
  const cache = new Map<string, StatementSync>()
  return (sql: string): StatementSync => {
    let statement = cache.get(sql)
    if (statement !== undefined) {
      cache.delete(sql)
    } else {
      statement = database.prepare(sql)
      statement.setReturnArrays(arrays)
      const oldest = cache.size >= CACHED_STATEMENTS ? cache.keys().next().value : undefined
      if (oldest !== undefined) cache.delete(oldest)
    }
    cache.set(sql, statement)
    return statement
  }
}

/** By hand: the iterator's own `take` would close the cursor after the first rows. */
const nextRows = (cursor: NodeJS.Iterator<Record<string, SQLOutputValue>>): Array<Record<string, SQLOutputValue>> => {
  const rows: Array<Record<string, SQLOutputValue>> = []
  while (rows.length < STREAMED_ROWS) {
    const next = cursor.next()
    if (next.done === true) break
    rows.push(next.value)
  }
  return rows
}

type Rows = ReadonlyArray<Record<string, unknown>>

const makeConnection = (database: DatabaseSync, file: string): Connection => {
  const objects = statementCache(database, false)
  const arrays = statementCache(database, true)
  const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, SqlError> =>
    Effect.try({ try: run, catch: (cause) => toSqlError(file, operation, cause) })
  const all = (statement: StatementSync, params: ReadonlyArray<unknown>): Rows => statement.all(...toInputs(params))
  const values = (statement: StatementSync, params: ReadonlyArray<unknown>): ReadonlyArray<ReadonlyArray<unknown>> =>
    // The types know rows as objects only; `setReturnArrays` made them lists.
    statement.all(...toInputs(params)).map((row) => (Array.isArray(row) ? row : Object.values(row)))
  const unpreparedValues = (sql: string): StatementSync => {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }

  return {
    execute: (sql, params, transform) =>
      attempt("execute", () => {
        const rows = all(objects(sql), params)
        return transform === undefined ? rows : transform(rows)
      }),
    executeRaw: (sql, params) => attempt("execute", () => objects(sql).run(...toInputs(params))),
    executeValues: (sql, params) => attempt("execute", () => values(arrays(sql), params)),
    executeValuesUnprepared: (sql, params) => attempt("execute", () => values(unpreparedValues(sql), params)),
    executeUnprepared: (sql, params, transform) =>
      attempt("execute", () => {
        const rows = all(database.prepare(sql), params)
        return transform === undefined ? rows : transform(rows)
      }),
    executeStream: (sql, params, transform) =>
      Stream.unwrap(
        Effect.map(
          // A cursor of its own: a cached statement could be started again while this one is read.
          Effect.acquireRelease(
            attempt("execute", () => database.prepare(sql).iterate(...toInputs(params))),
            (cursor) => Effect.sync(() => cursor.return?.()),
          ),
          (cursor) =>
            Stream.paginate(undefined, () =>
              attempt("execute", () => {
                const rows = nextRows(cursor)
                const next = rows.length === STREAMED_ROWS ? Option.some(undefined) : Option.none()
                return [transform === undefined ? rows : transform(rows), next] as const
              }),
            ),
        ),
      ),
  }
}

const openFailure = (file: string, cause: unknown): StateUnusable => {
  const code = codeOf(cause)
  if (code === CORRUPT || code === NOT_A_DATABASE) return damaged(file, "it is damaged or no SQLite database")
  const problem = cause instanceof Error ? cause.message : "it does not open"
  const repair =
    code === BUSY ? "Another process is writing to it; try again." : "See that the path is right and may be written."
  return new StateUnusable({ file, problem, repair })
}

const open = (file: string, busyTimeoutMillis: number): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMillis, enableForeignKeyConstraints: true })
  try {
    // FULL: a commit that returned survives a power cut, which rules 1 and 4 rest on.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF")
    // Keys without an order touch a page each: 16 MB of pages in memory and as many in the log before they go to the
    // file (SQLite: 2 and 4) save a sixth of what writing 400,000 of them takes.
    database.exec("PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000")
    // I6: what is deleted, such as the rows of a job that is over, is overwritten; else it stays in the file's free pages.
    database.exec("PRAGMA secure_delete = ON")
    const found = database.prepare("PRAGMA quick_check(1)").get()?.quick_check
    if (found !== "ok") throw damaged(file, `a check of its pages failed (${String(found)})`)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

const acquire = (options: SqliteOptions): Effect.Effect<DatabaseSync, StateUnusable> => {
  const inMemory = options.filename === ":memory:"
  const file = inMemory ? options.filename : path.resolve(options.filename)
  const opened = Effect.try({
    try: () => open(file, options.busyTimeoutMillis ?? 2000),
    catch: (cause) => (cause instanceof StateUnusable ? cause : openFailure(file, cause)),
  })
  return inMemory ? opened : Effect.andThen(prepareStateFile(file), opened)
}

/** A client over a database that somebody else opened and closes. `through` sees each statement on its way. */
export const over = Effect.fnUntraced(function* (
  database: DatabaseSync,
  file: string,
  through: (connection: Connection) => Connection = (connection) => connection,
) {
  const semaphore = yield* Semaphore.make(1)
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(through(makeConnection(database, file))),
    semaphore,
    isTransaction: () => database.isTransaction,
  })
  return yield* SqlClient.make({
    ...acquirers,
    compiler: Statement.makeCompilerSqlite(),
    driver: "sqlite-node",
    spanAttributes: [["db.system.name", "sqlite"]],
    // The write lock is taken at once: a reader that turns writer half-way would be refused without any wait.
    beginTransaction: "BEGIN IMMEDIATE",
    prepareTransactionControls: true,
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
  })
})

const make = Effect.fnUntraced(function* (options: SqliteOptions) {
  const database = yield* Effect.acquireRelease(acquire(options), (opened) => Effect.sync(() => opened.close()))
  return yield* over(database, options.filename)
})

/** The client of one state file: one connection, closed with the layer's scope. */
export const layer = (options: SqliteOptions): Layer.Layer<SqlClient.SqlClient, StateUnusable> =>
  Layer.effect(SqlClient.SqlClient)(make(options)).pipe(Layer.provide(Reactivity.layer))
