/** `PluginState` in the state database: what a connection keeps between runs, sealed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import { PluginState } from "../plugin/services.ts"
import { Cipher, pluginPlace } from "./cipher.ts"
import { StateError } from "./errors.ts"

/**
 * The values of one connection. A plugin cannot go on without them and cannot mend the state, so a failure of the
 * state is a defect (`StateError`), which ends the run.
 */
export const makePluginState = (connection: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const cipher = yield* Cipher
    const failed = (verb: string, key: string) => (cause: { readonly message: string }) =>
      new StateError({ message: `${connection}: cannot ${verb} the stored ${key}: ${cause.message}`, cause })

    const get = (key: string) =>
      Effect.gen(function* () {
        const rows = yield* sql<{ value: string }>`
          SELECT value FROM plugin_state WHERE connection = ${connection} AND key = ${key}`
        const sealed = rows[0]?.value
        return sealed === undefined
          ? Option.none()
          : Option.some(yield* cipher.open(sealed, pluginPlace(connection, key)))
      }).pipe(Effect.mapError(failed("read", key)), Effect.orDie)

    const set = (key: string, value: string) =>
      sql`
        INSERT INTO plugin_state ${sql.insert({ connection, key, value: cipher.seal(value, pluginPlace(connection, key)) })}
        ON CONFLICT (connection, key) DO UPDATE SET value = excluded.value`.pipe(
        Effect.mapError(failed("store", key)),
        Effect.orDie,
        Effect.asVoid,
      )

    return PluginState.of({ get, set })
  })

/** `connection` is the name of the source or sink in the pipeline file together with what makes it unique. */
export const pluginStateLayer = (connection: string): Layer.Layer<PluginState, never, SqlClient.SqlClient | Cipher> =>
  Layer.effect(PluginState)(makePluginState(connection))
