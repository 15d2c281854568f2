/**
 * Preloaded into a run whose state is in Postgres: kills it just before or just after the n-th COMMIT, as
 * SLUICE_TEST_COMMIT says, `{"at":"before","commit":2}`.
 */
import pg from "pg"

const wanted = JSON.parse(process.env.SLUICE_TEST_COMMIT ?? "{}")
let commits = 0
const die = (): boolean => process.kill(process.pid, "SIGKILL")

const original: unknown = pg.Client.prototype.query
if (typeof original !== "function") throw new Error("pg.Client has no query")

Object.assign(pg.Client.prototype, {
  query(query: { readonly text?: string }, done: (...answer: ReadonlyArray<unknown>) => void): unknown {
    const isTheOne = query.text === "COMMIT" && ++commits === wanted.commit
    if (isTheOne && wanted.at === "before") die()
    const then = isTheOne ? die : done
    return Reflect.apply(original, this, [query, then])
  },
})
