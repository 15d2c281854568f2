/** kill -9 at seeded instants with the state in Postgres: the next process, wherever it runs, ends with the right contacts. */
import pg from "pg"
import { assert, describe, it } from "vitest"
import type { Instant } from "./killing.ts"
import { judgeLife, judgeRun, makeSendings } from "./killJudging.ts"
import { benchFor, KILLS, type Life, live } from "./killLives.ts"
import { newPostgresState, schemaOf } from "./postgres/database.ts"

const life = (seed: number, age: Life["age"]): Life => ({
  lane: "memory",
  seed,
  users: 120,
  age,
  moving: false,
  fate: undefined,
  plan: [],
})

const leftIn = async (state: string): Promise<ReadonlyArray<unknown>> => {
  const client = new pg.Client({ connectionString: state.replace(/\?.*/, "") })
  await client.connect()
  try {
    const from = (table: string) => `SELECT batch FROM ${schemaOf(state)}.${table}`
    return (await client.query(["sending", "jobs", "spool"].map(from).join(" UNION ALL "))).rows
  } finally {
    await client.end()
  }
}

describe("B01, B02: kill -9 anywhere, with the state in Postgres", () => {
  it.each([life(201, "young"), life(202, "stirred")])(
    "seed $seed: nothing is lost, nothing made twice, nothing invented",
    { timeout: 600_000 },
    async (each) => {
      const state = await newPostgresState()
      const bench = await benchFor(each, state)
      const kills: Array<Instant> = []
      const sendings = makeSendings()
      const judge = judgeRun(each)
      try {
        await live(each, bench, kills, (attempt) => {
          sendings.add(bench.sandbox.control.journal())
          judge(attempt)
        })
        await judgeLife(bench, kills, sendings)
        assert.deepStrictEqual(await leftIn(state), [])
        assert.strictEqual(kills.length, KILLS)
      } catch (cause) {
        throw new Error(`${JSON.stringify({ seed: each.seed, age: each.age, kills })}: ${cause}`, { cause })
      } finally {
        await bench.close()
      }
    },
  )
})
