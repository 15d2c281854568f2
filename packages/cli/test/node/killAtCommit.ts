/** Preloaded into a run: kills it just before or just after its n-th commit, as SLUICE_TEST_COMMIT says: `12 before`. */
import { DatabaseSync, type StatementSync } from "node:sqlite"

const { SLUICE_TEST_COMMIT = "" } = process.env
const [number = "", when] = SLUICE_TEST_COMMIT.split(" ")
let commits = 0

const commit = <A>(run: () => A): A => {
  commits += 1
  const isTheOne = commits === Number(number)
  if (isTheOne && when === "before") process.kill(process.pid, "SIGKILL")
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
      return isCommit(this, sql) ? commit(execute) : execute()
    }
  Object.assign(statement, { all: counted(statement.all), run: counted(statement.run) })
  return statement
}
