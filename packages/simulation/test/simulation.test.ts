import { assert, describe, it } from "@effect/vitest"
import { simulate } from "../src/simulate.ts"
import type { SeedResult } from "../src/story.ts"
import { simulateVendors } from "../src/vendors.ts"

/** Says how to see a failing seed again. */
const run = (play: typeof simulate, seed: number): SeedResult => {
  try {
    return play(seed)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const world = play === simulate ? "" : "WORLD=vendors "
    throw new Error(`${message} (${world}SEED=${seed} node packages/simulation/src/main.ts)`, { cause })
  }
}

const runAll = (name: string, play: typeof simulate, seeds: number) => {
  const began = performance.now()
  let [lives, crashes, writes] = [0, 0, 0]
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = run(play, seed)
    lives += result.lives
    crashes += result.crashes
    writes += result.writes
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(
    `${name}: ${seeds} seeds, ${lives} lives, ${crashes} crashes, ${writes} writes in ${seconds} s\n`,
  )
  assert.isAbove(crashes, seeds / 2)
  assert.isAbove(writes, seeds)
}

describe("simulation", () => {
  it(
    "rules 1-4, 7, 8, 14, 15: the shipped engine keeps them under faults, crashes and change",
    { timeout: 120_000 },
    () => runAll("scripted vendors", simulate, 300),
  )

  it("the shipped Auth0 and Brevo plugins keep them over HTTP that breaks", { timeout: 120_000 }, () =>
    runAll("Auth0 to Brevo", simulateVendors, 100),
  )

  it("X01: a seed is the same each time", () => {
    for (const play of [simulate, simulateVendors]) {
      for (const seed of [2, 17, 58]) assert.strictEqual(run(play, seed).trace, run(play, seed).trace)
      assert.notStrictEqual(run(play, 2).trace, run(play, 3).trace)
    }
  })
})
