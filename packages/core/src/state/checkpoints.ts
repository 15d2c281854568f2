/** Where a pipeline's scan of a stream can resume, and which keys the scan has passed. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { StateError } from "./errors.ts"
import { chunked } from "./ledger.ts"
import { makePlaceholders } from "./placeholders.ts"

export interface Checkpoint {
  /** JSON of the routes, destination accounts and mappings that the position speaks for. */
  readonly covers: string
  readonly position: Option.Option<Json>
  readonly scan: string
  /** The scan has not reached its end. */
  readonly open: boolean
}

export interface CheckpointScope {
  readonly scope: string
  readonly pipeline: string
  readonly account: string
  readonly stream: string
}

export const makeCheckpoints = (sql: SqlClient, scope: CheckpointScope, sha256: (text: string) => string) => {
  const { tuples } = makePlaceholders(sql)
  const checksum = (checkpoint: { covers: string; position: string | null; scan: string; open: number }): string =>
    sha256(JSON.stringify([scope.scope, checkpoint.covers, checkpoint.position, checkpoint.scan, checkpoint.open]))

  const load = Effect.gen(function* () {
    const rows = yield* sql<{ covers: string; position: string | null; scan: string; open: number; checksum: string }>`
      SELECT covers, position, scan, open, checksum FROM checkpoints WHERE scope = ${scope.scope}`
    const row = rows[0]
    if (row === undefined) return Option.none<Checkpoint>()
    if (row.checksum !== checksum(row)) {
      return yield* new StateError({
        message: `the checkpoint of ${scope.pipeline} is damaged; \`sluice state reset\` drops it and the next run scans from the start`,
      })
    }
    const position: Option.Option<Json> = row.position === null ? Option.none() : Option.some(JSON.parse(row.position))
    return Option.some<Checkpoint>({ covers: row.covers, position, scan: row.scan, open: row.open === 1 })
  })

  const save = (checkpoint: Checkpoint, at: string) => {
    const row = {
      covers: checkpoint.covers,
      position: Option.match(checkpoint.position, {
        onNone: () => null,
        onSome: (position) => JSON.stringify(position),
      }),
      scan: checkpoint.scan,
      open: checkpoint.open ? 1 : 0,
    }
    return sql`
      INSERT INTO checkpoints ${sql.insert({ ...scope, ...row, checksum: checksum(row), updated_at: at })}
      ON CONFLICT (scope) DO UPDATE SET covers = excluded.covers, position = excluded.position, scan = excluded.scan,
        open = excluded.open, checksum = excluded.checksum, updated_at = excluded.updated_at`
  }

  const see = (scan: string, ids: ReadonlyArray<string>) =>
    chunked(
      ids,
      (part) => sql`
        INSERT INTO seen (scan, id) VALUES ${tuples(
          part.length,
          part.flatMap((id) => [scan, id]),
          "",
        )} ON CONFLICT DO NOTHING`,
    )

  const clearSeen = (scan: string) => sql`DELETE FROM seen WHERE scan = ${scan}`

  return { load, save, see, clearSeen }
}

export type Checkpoints = ReturnType<typeof makeCheckpoints>
