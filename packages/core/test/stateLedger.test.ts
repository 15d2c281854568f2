/** The ledger finds every row there is, however little it asks the database. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import fc from "fast-check"
import { emptyDatabase } from "../../cli/test/postgres/emptyDatabase.ts"
import { type LedgerRow, makeLedger } from "../src/state/ledger.ts"
import { migrate } from "../src/state/migrations.ts"
import { migrations } from "../src/state/schema.ts"

const row = (id: string): LedgerRow => ({ id, row_key: id, hash: "h", version: null, remote_id: null })

const found = (rows: ReadonlyArray<LedgerRow>): ReadonlyArray<string> => rows.map(({ id }) => id).toSorted()

/** Sorted by UTF-16 and by bytes these are not in the same order. */
const id = fc.constantFrom("", "a", "ab", "a\u{e000}", "a\u{1f600}")
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 3 })
const step = fc.oneof(
  fc.record({ kind: fc.constant("write"), ids }),
  fc.record({ kind: fc.constant("forget"), ids }),
  fc.record({ kind: fc.constant("find"), ids }),
  fc.record({ kind: fc.constant("next run"), ids: fc.constant<ReadonlyArray<string>>([]) }),
)

describe("ledger", () => {
  it.live("finds what this run and those before it have written, whatever the order of ids", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrate(migrations)
      const samples = fc.sample(fc.array(step, { minLength: 2, maxLength: 12 }), { numRuns: 150, seed: 1 })
      for (const [ns, steps] of samples.entries()) {
        const written = new Set<string>()
        let ledger = makeLedger(sql, ns)
        for (const { kind, ids } of steps) {
          if (kind === "next run") ledger = makeLedger(sql, ns)
          if (kind === "write") yield* ledger.upsert(ids.map(row))
          if (kind === "forget") yield* ledger.forget(ids.map(row))
          if (kind === "write" || kind === "forget") for (const each of ids) written.add(each)
          const expected = ids.filter((each) => written.has(each)).toSorted()
          assert.deepStrictEqual(found(yield* ledger.byIds(ids)), expected, JSON.stringify(steps))
        }
      }
    }).pipe(Effect.provide(emptyDatabase())),
  )

  it.live("is not asked for ids beyond all it has: a first run in order", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrate(migrations)
      let statements = 0
      const counted = new Proxy(sql, {
        apply: (target, self, args) => {
          statements += 1
          return Reflect.apply(target, self, args)
        },
      })
      const ledger = makeLedger(counted, 1)
      const asked = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
        const before = statements
        yield* ledger.byIds(ids)
        return statements - before
      })
      assert.strictEqual(yield* asked(["auth0|1", "auth0|2"]), 1, "for the greatest id")
      yield* ledger.upsert([row("auth0|1"), row("auth0|2")])
      assert.strictEqual(yield* asked(["auth0|3", "auth0|4"]), 0)
      assert.strictEqual(yield* asked(["auth0|3", "auth0|1"]), 1)
    }).pipe(Effect.provide(emptyDatabase())),
  )
})
