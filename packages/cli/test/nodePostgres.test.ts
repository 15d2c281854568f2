/** A state in Postgres: its URL, what is refused and how, TLS, transactions side by side, two processes preparing it. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as SqlClient from "effect/sql/SqlClient"
import { makeFencedTransaction, raiseFence } from "../../core/src/state/runs.ts"
import { migrations } from "../../core/src/state/schema.ts"
import { transaction } from "../../core/src/state/transaction.ts"
import { postgresLayer, type StateUnusable, stateLayer } from "../src/node/index.ts"
import { readPostgresUrl } from "../src/node/postgres/url.ts"
import { newPostgresState, postgres, schemaOf } from "./postgres/database.ts"
import { makeSevering } from "./postgres/severing.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-url-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

const refusedUrl = (url: string, env: Readonly<Record<string, string>> = {}) => Effect.flip(readPostgresUrl(url, env))

/** Opens the state and closes it again. */
const opened = (stateFile: string, env: Readonly<Record<string, string>> = {}) =>
  SqlClient.SqlClient.use((sql) => sql`SELECT 1 AS n`).pipe(
    Effect.provide(stateLayer({ stateFile, env }), { local: true }),
  )

const refusal = (stateFile: string, env: Readonly<Record<string, string>> = {}): Effect.Effect<StateUnusable> =>
  opened(stateFile, env).pipe(
    Effect.flip,
    Effect.orDie,
    Effect.map((error) => (error._tag === "StateUnusable" ? error : assert.fail(`${error._tag}: ${error.message}`))),
  )

const newState = Effect.promise(() => newPostgresState())
const withClient = <A, E>(url: string, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  SqlClient.SqlClient.use(use).pipe(Effect.provide(stateLayer({ stateFile: url, env: {} }), { local: true }))

/** As an administrator would. */
const administer = (...statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const url = yield* newState
    const all = SqlClient.SqlClient.use((sql) => Effect.forEach(statements, (statement) => sql.unsafe(statement)))
    yield* all.pipe(Effect.provide(postgresLayer({ stateFile: url, env: {} }), { local: true }))
  })

describe("the URL", () => {
  it.effect("says host, port, user, database and schema; what it leaves out comes from PGHOST and the like", () =>
    Effect.gen(function* () {
      const whole = yield* readPostgresUrl(
        "postgresql://ada:p%40ss@db.example.com:6432/ops?schema=etl&connect_timeout=3",
        {},
      )
      assert.deepInclude(whole, { host: "db.example.com", port: 6432, user: "ada", database: "ops", schema: "etl" })
      assert.strictEqual(yield* Effect.promise(whole.password), "p@ss")
      const env = { PGHOST: "/run/postgresql", PGUSER: "eva", PGPASSWORD: "test-secret", PGPORT: "5433" }
      const bare = yield* readPostgresUrl("postgres://", env)
      assert.deepInclude(bare, {
        host: "/run/postgresql",
        port: 5433,
        user: "eva",
        database: "eva",
        schema: "sluice",
        ssl: false,
      })
      assert.strictEqual(yield* Effect.promise(bare.password), "test-secret")
    }),
  )

  it.effect("S01: no name, error or text made of it holds its password", () =>
    Effect.gen(function* () {
      for (const url of [
        "postgres://ada:test-secret@h/d?sslmod=require",
        "postgres://ada:test-secret@h:99999/d",
        "postgres://ada:test-secret%@h/d",
      ]) {
        assert.notInclude(JSON.stringify(yield* refusedUrl(url)), "test-secret")
      }
      const server = yield* readPostgresUrl("postgres://ada:test-secret@h/d", {})
      assert.notInclude(JSON.stringify(server), "test-secret")
    }),
  )

  it.effect("an option that is misspelt, or that would fall back to plain text, is refused and not passed over", () =>
    Effect.gen(function* () {
      assert.include((yield* refusedUrl("postgres://h/d?sslmod=verify-full")).message, "unknown option sslmod")
      assert.include((yield* refusedUrl("postgres://h/d?sslmode=prefer")).message, "sslmode prefer")
      assert.include((yield* refusedUrl("postgres://h/d?schema=a-b")).message, "name of its schema")
      assert.include((yield* refusedUrl("postgres://h/d?connect_timeout=x")).message, "connect_timeout")
      assert.include(
        (yield* refusedUrl("postgres://h/d?sslrootcert=/nowhere.pem")).message,
        "/nowhere.pem cannot be read",
      )
    }),
  )

  it.effect("TLS is verified unless the server is on this machine or the URL says otherwise", () =>
    Effect.gen(function* () {
      const ssl = (url: string) => Effect.map(readPostgresUrl(url, {}), (server) => server.ssl)
      assert.isFalse(yield* ssl("postgres://127.0.0.1/d"))
      assert.notProperty(yield* ssl("postgres://db.example.com/d"), "rejectUnauthorized")
      assert.notProperty(yield* ssl("postgres://db.example.com/d"), "checkServerIdentity")
      assert.propertyVal(yield* ssl("postgres://db.example.com/d?sslmode=require"), "rejectUnauthorized", false)
    }),
  )
})

describe("what is refused", () => {
  it.effect("a wrong password, a missing database and a server that is not there, each with what to do", () =>
    Effect.gen(function* () {
      const { port, user } = yield* Effect.promise(postgres)
      const wrong = yield* refusal(`postgres://${user}:wrong-secret@127.0.0.1:${port}/postgres`)
      assert.include(wrong.message, "password authentication failed")
      assert.include(wrong.repair, "PGPASSWORD")
      assert.notInclude(JSON.stringify(wrong), "wrong-secret")
      const none = yield* refusal(`postgres://${user}@127.0.0.1:${port}/postgres`, { PGPASSFILE: "/nowhere" })
      assert.include(none.repair, "PGPASSWORD")
      const url = yield* newState
      assert.include(
        (yield* refusal(url.replace("/postgres?", "/nowhere?"))).message,
        'database "nowhere" does not exist',
      )
      const closed = yield* refusal("postgres://ada@127.0.0.1:1/d")
      assert.include(closed.message, "ECONNREFUSED")
      assert.include(closed.repair, "See that the server runs")
    }),
  )

  it.effect("a user who may not make the schema is told what to ask for, and needs no more than that", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.promise(postgres)
      const name = schemaOf(yield* newState)
      yield* administer(
        `CREATE ROLE ${name} LOGIN PASSWORD 'test-secret'`,
        `REVOKE CREATE ON DATABASE postgres FROM PUBLIC`,
      )
      const url = `postgres://${name}:test-secret@127.0.0.1:${port}/postgres?schema=${name}`
      const { message, repair } = yield* refusal(url)
      assert.include(message, "its schema is missing")
      const command = /CREATE SCHEMA .*/.exec(repair)?.[0] ?? ""
      assert.strictEqual(command, `CREATE SCHEMA "${name}" AUTHORIZATION "${name}"`)
      yield* administer(command)
      yield* opened(url)
    }),
  )

  it.effect("a database that is not in UTF-8 could not hold every name, and a standby could hold none", () =>
    Effect.gen(function* () {
      const url = yield* newState
      const name = schemaOf(url)
      yield* administer(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`)
      assert.include((yield* refusal(url.replace("/postgres?", `/${name}?`))).message, "encoding is LATIN1")
      yield* administer(`DROP DATABASE ${name}`)
      yield* administer(
        `CREATE ROLE ${name} LOGIN SUPERUSER PASSWORD 'test-secret'`,
        `ALTER ROLE ${name} SET default_transaction_read_only = on`,
      )
      const { port } = yield* Effect.promise(postgres)
      const reading = yield* refusal(`postgres://${name}:test-secret@127.0.0.1:${port}/postgres?schema=${name}`)
      assert.include(reading.message, "may only be read")
    }),
  )
})

describe("TLS", () => {
  it.effect("a server that nobody known vouches for is refused; with its authority it is taken, by its name only", () =>
    Effect.gen(function* () {
      const { authority } = yield* Effect.promise(postgres)
      const file = path.join(yield* temporary, "authority.pem")
      fs.writeFileSync(file, authority)
      const url = (yield* newState).replace("127.0.0.1", "localhost")
      assert.include((yield* refusal(`${url}&sslmode=verify-full`)).message, "certificate")
      yield* opened(`${url}&sslmode=verify-full&sslrootcert=${file}`)
      yield* opened(`${url}&sslmode=verify-full`, { PGSSLROOTCERT: file })
      yield* opened(`${url}&sslmode=verify-full`, { NODE_EXTRA_CA_CERTS: file })
      const byAddress = url.replace("localhost", "127.0.0.1")
      assert.match((yield* refusal(`${byAddress}&sslmode=verify-full&sslrootcert=${file}`)).message, /altnames|IP/)
      yield* opened(`${byAddress}&sslmode=verify-ca&sslrootcert=${file}`)
      yield* opened(`${url}&sslmode=require`)
      const used = yield* withClient(
        `${url}&sslmode=require`,
        (sql) => sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
      )
      assert.deepStrictEqual(used, [{ ssl: true }])
    }),
  )
})

describe("transactions side by side", () => {
  it.live("rule 10: a run that takes over waits for the transaction under way, and the next one is refused", () =>
    Effect.gen(function* () {
      const url = yield* newState
      const order: Array<string> = []
      yield* withClient(url, (sql) =>
        Effect.gen(function* () {
          const fence = yield* raiseFence(sql, "p")
          const fenced = makeFencedTransaction(sql, "p", fence)
          const inside = yield* Latch.make()
          const go = yield* Latch.make()
          const under = yield* Effect.forkChild(
            fenced(Effect.andThen(inside.open, go.await)).pipe(Effect.tap(Effect.sync(() => order.push("committed")))),
          )
          yield* inside.await
          const raised = yield* Effect.forkChild(
            Effect.tap(
              raiseFence(sql, "p"),
              Effect.sync(() => order.push("raised")),
            ),
            { startImmediately: true },
          )
          // It is seen to wait.
          const waiting = sql<{
            n: number
          }>`SELECT COUNT(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%fences%'`
          yield* Effect.repeat(waiting, { until: (rows) => rows[0]?.n === 1 })
          yield* go.open
          yield* Fiber.join(under)
          assert.strictEqual(yield* Fiber.join(raised), fence + 1)
          assert.deepStrictEqual(order, ["committed", "raised"])
          assert.strictEqual((yield* Effect.flip(fenced(Effect.void)))._tag, "Fenced")
        }),
      )
    }),
  )

  it.live("of two transactions that wait for each other the one that is ended begins again", () =>
    Effect.gen(function* () {
      const url = yield* newState
      yield* withClient(url, (sql) =>
        Effect.gen(function* () {
          yield* sql`INSERT INTO fences (pipeline, fence) VALUES ('a', 0), ('b', 0)`
          const raise = (name: string) => sql`UPDATE fences SET fence = fence + 1 WHERE pipeline = ${name}`
          let tries = 0
          const both = yield* Latch.make()
          const meet = Effect.suspend(() => (++tries >= 2 ? both.open : Effect.void)).pipe(Effect.andThen(both.await))
          const one = transaction(sql, raise("a").pipe(Effect.andThen(meet), Effect.andThen(raise("b"))))
          const other = transaction(sql, raise("b").pipe(Effect.andThen(meet), Effect.andThen(raise("a"))))
          yield* Effect.all([one, other], { concurrency: 2 })
          assert.isAbove(tries, 2)
          assert.deepStrictEqual(yield* sql`SELECT fence FROM fences`.values, [[2], [2]])
        }),
      )
    }),
  )

  it.live(
    "rule 8: a transaction whose statement failed does not pass for committed, though the failure was caught",
    () =>
      Effect.gen(function* () {
        const url = yield* newState
        yield* withClient(url, (sql) =>
          Effect.gen(function* () {
            const body = sql`INSERT INTO fences (pipeline, fence) VALUES ('a', 0)`.pipe(
              Effect.andThen(Effect.ignore(sql`INSERT INTO nowhere (a) VALUES (1)`)),
            )
            assert.isTrue(Exit.isFailure(yield* Effect.exit(sql.withTransaction(body))))
            assert.deepStrictEqual(yield* sql`SELECT * FROM fences`, [])
          }),
        )
      }),
  )

  it.live("B10: processes that prepare one state at once all find it prepared", () =>
    Effect.gen(function* () {
      const url = yield* newState
      yield* Effect.all([opened(url), opened(url), opened(url), opened(url)], { concurrency: 4 })
      const names = yield* withClient(url, (sql) => sql`SELECT migration_id FROM sluice_migrations`)
      assert.strictEqual(names.length, Object.keys(migrations).length)
    }),
  )

  it.live("a question that only reads is asked again when its connection was lost; the pool forgets those", () =>
    Effect.gen(function* () {
      const way = yield* Effect.acquireRelease(
        Effect.promise(async () => makeSevering((await postgres()).port)),
        ({ close }) => Effect.promise(close),
      )
      const url = yield* Effect.promise(() => newPostgresState(way.port))
      yield* withClient(url, (sql) =>
        Effect.gen(function* () {
          yield* sql`SELECT 1 AS n`
          way.sever()
          const asked = yield* Effect.forkChild(sql`SELECT 2 AS n`, { startImmediately: true })
          way.heal()
          assert.deepStrictEqual(yield* Fiber.join(asked), [{ n: 2 }])
        }),
      )
    }),
  )
})
