/**
 * Preloaded into a run: kills it just before or just after one commit, as SLUICE_TEST_COMMIT says: the n-th of all, or
 * the n-th of one hook, `{"at":"before","commit":2,"hook":"ref"}`.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite"

const wanted = JSON.parse(process.env.SLUICE_TEST_COMMIT ?? "{}")
let commits = 0
/** What the open transaction wrote so far. */
let written = new Set<string>()

/** What a statement writes, as far as hooks are told by it. */
const writes = (sql: string, params: ReadonlyArray<unknown>): string | undefined => {
  const [, verb = "", table = ""] = /^\s*(INSERT INTO|DELETE FROM)\s+"?(\w+)/i.exec(sql) ?? []
  const inserts = /insert/i.test(verb)
  if (table === "sending") return inserts ? "mark" : "unmark"
  if (table === "ledger" && inserts) return "ledger"
  if (table === "spool" && inserts) return "spool"
  if (table !== "jobs") return undefined
  if (!inserts) return "over"
  const columns = (/\(([^)]*)\)/.exec(sql)?.[1] ?? "").split(",").map((name) => name.trim().replaceAll('"', ""))
  const [ref, rows, bytes] = ["ref", "rows", "bytes"].map((name) => params[columns.indexOf(name)])
  if (typeof ref === "string") return "ref"
  if (rows !== null) return "job"
  return bytes === 0 ? undefined : "giveBack"
}

/** The commit of an open job's rows names no batch; that of a batch takes its mark away. */
const hookOf = (kinds: ReadonlySet<string>): string => {
  if (kinds.has("ledger") && (kinds.has("unmark") || kinds.has("mark"))) return "settle"
  const own = ["mark", "job", "ref", "giveBack", "over", "spool"].find((kind) => kinds.has(kind))
  return own ?? (kinds.has("ledger") ? "outcomes" : "other")
}

const commit = <A>(run: () => A): A => {
  const isHook = wanted.hook === undefined || wanted.hook === hookOf(written)
  written = new Set()
  if (isHook) commits += 1
  const isTheOne = isHook && commits === wanted.commit
  if (isTheOne && wanted.at === "before") process.kill(process.pid, "SIGKILL")
  const result = run()
  if (isTheOne) process.kill(process.pid, "SIGKILL")
  return result
}

/** A statement outside of a transaction is one of its own. */
const isCommit = (database: DatabaseSync, sql: string): boolean =>
  /^\s*COMMIT\b/i.test(sql) || (!database.isTransaction && /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE)\b/i.test(sql))

const prepare = DatabaseSync.prototype.prepare
DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string): StatementSync {
  const statement = prepare.call(this, sql)
  const counted =
    (method: StatementSync["all"] | StatementSync["run"]) =>
    (...params: ReadonlyArray<unknown>): unknown => {
      const execute = (): unknown => Reflect.apply(method, statement, params)
      if (/^\s*(BEGIN|ROLLBACK)\b/i.test(sql)) written = new Set()
      const kind = writes(sql, params)
      if (kind !== undefined) written.add(kind)
      return isCommit(this, sql) ? commit(execute) : execute()
    }
  Object.assign(statement, { all: counted(statement.all), run: counted(statement.run) })
  return statement
}
