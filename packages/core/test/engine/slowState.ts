/** A state whose database takes its time: with each statement the others get their turn. */
import { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { cipherLayer, digestLayer, runLockMemory, sqliteOver } from "../../../cli/src/node/index.ts"
import { migrate } from "../../src/state/migrations.ts"
import { migrations } from "../../src/state/schema.ts"

interface Pace {
  /** How often a statement lets the others go first. */
  readonly turns: number
  /** Sees every statement. */
  readonly watch: (sql: string) => void
}

const paced =
  ({ turns, watch }: Pace) =>
  (connection: Connection): Connection => ({
    ...connection,
    execute: (sql, params, transform) =>
      Effect.suspend(() => {
        watch(sql)
        const others = Effect.replicateEffect(Effect.yieldNow, turns, { discard: true })
        return Effect.andThen(others, connection.execute(sql, params, transform))
      }),
  })

const database = Effect.acquireRelease(
  Effect.sync(() => new DatabaseSync(":memory:")),
  (opened) => Effect.sync(() => opened.close()),
)

const client = (pace: Pace) =>
  Layer.effect(SqlClient.SqlClient)(
    Effect.flatMap(database, (opened) => sqliteOver(opened, "state", paced(pace))),
  ).pipe(Layer.provide(Reactivity.layer))

export const slowServices = (pace: Pace = { turns: 5, watch: () => {} }) =>
  Layer.mergeAll(
    Layer.provideMerge(Layer.effectDiscard(migrate(migrations)), client(pace)),
    cipherLayer({ key: undefined, previousKey: undefined }),
    runLockMemory,
    digestLayer,
    Layer.succeed(HttpClient.HttpClient)(HttpClient.make(() => Effect.die("no HTTP in this test"))),
  )
