/** A database without any table: SQLite in memory, or a new schema in the project of Postgres. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { postgresLayer, sqliteLayer } from "../../src/node/index.ts"
import { newPostgresState, onPostgres, schemaOf } from "./database.ts"

/** With its schema made. */
const postgres = (url: string) =>
  Layer.effectDiscard(SqlClient.SqlClient.use((sql) => sql.unsafe(`CREATE SCHEMA ${schemaOf(url)}`))).pipe(
    Layer.provideMerge(postgresLayer({ stateFile: url, env: {} })),
  )

export const emptyDatabase = () =>
  onPostgres
    ? Layer.unwrap(
        Effect.map(
          Effect.promise(() => newPostgresState()),
          postgres,
        ),
      )
    : Layer.fresh(sqliteLayer({ filename: ":memory:" }))
