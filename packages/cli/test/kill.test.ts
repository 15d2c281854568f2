/** kill -9 at seeded instants: whatever dies where, resumed runs end with the right contacts (B01, B02, I1 to I5, I7). */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { assert, describe, it } from "vitest"
import { type Instant, killBench } from "./killing.ts"
import { judgeLife, judgeRun, makeSendings } from "./killJudging.ts"
import { benchFor, KILLS, type Life, live, livesFor } from "./killLives.ts"
import { makeTally } from "./killTally.ts"
import { sluice } from "./process.ts"

/** `pnpm test:kill` takes 200. */
const lives = livesFor(Number(process.env.KILLS ?? 40))
const tally = makeTally()

/** Two at a time: a run that is killed leaves its core to the next. */
const turns = Semaphore.makeUnsafe(2)
const inTurn = <A>(run: () => Promise<A>): Promise<A> =>
  Effect.runPromise(Effect.promise(run).pipe(turns.withPermits(1)))

const liveAndJudge = async (life: Life) => {
  const bench = await benchFor(life)
  const kills: Array<Instant> = []
  const sendings = makeSendings()
  const judge = judgeRun(life)
  try {
    await live(life, bench, kills, (attempt) => {
      sendings.add(bench.sandbox.control.journal())
      judge(attempt)
    })
    await judgeLife(bench, kills, sendings)
  } catch (cause) {
    const { age, fate, seed } = life
    throw new Error(`${life.lane} lane, ${JSON.stringify({ seed, age, fate, kills })}: ${cause}`, { cause })
  } finally {
    tally.add(life.lane, kills)
    await bench.close()
  }
}

describe.concurrent("B01, B02: kill -9 anywhere", () => {
  it.each(lives)(
    "$lane lane, seed $seed: nothing is lost, nothing made twice, nothing invented",
    { timeout: 600_000 },
    (life) => inTurn(() => liveAndJudge(life)),
  )

  it(
    "F01: around commits that hold dead letters: each is there once, and every user is a contact or a dead letter",
    {
      timeout: 300_000,
    },
    () =>
      inTurn(async () => {
        const bench = await killBench({ users: 90, seed: 5, messy: true })
        try {
          for (const commit of [7, 8, 9]) {
            for (const at of ["before", "after"] as const) {
              const { code, stderr } = await bench.attempt({ at, commit })
              assert.include([null, 0, 4], code, stderr)
            }
          }
          const { code, stdout } = await bench.attempt()
          assert.strictEqual(code, 4)
          assert.nestedPropertyVal(JSON.parse(stdout), "pipelines[0].status", "completed")
          const listed = await sluice(["dead-letters", "list", "--reveal", "--json", "--state", bench.state])
          const letters: ReadonlyArray<{ readonly id: string }> = JSON.parse(listed.stdout)
          const ids = [...letters.map(({ id }) => id), ...bench.sandbox.control.contacts().map(({ ext_id }) => ext_id)]
          const users = [...bench.sandbox.control.users()].map(({ user_id }) => user_id)
          assert.isAbove(letters.length, 2)
          assert.deepStrictEqual(ids.sort(), users.sort())
        } finally {
          await bench.close()
        }
      }),
  )
})

describe("the kills", () => {
  it("X06: strike at every hook of a job and anywhere in both lanes", () => {
    process.stdout.write(`kill -9 at ${tally.total()} instants:\n${tally.table()}`)
    assert.deepStrictEqual(tally.missing(lives.length >= 40), [])
    assert.strictEqual(tally.total(), lives.length * KILLS)
  })
})
