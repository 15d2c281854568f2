import { assert, describe, it } from "@effect/vitest"
import { simulate } from "../src/simulate.ts"

const seeds = 300

/** Says how to see a failing seed again. */
const run = (seed: number) => {
  try {
    return simulate(seed)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${message} (SEED=${seed} node packages/simulation/src/main.ts)`, { cause })
  }
}

describe("simulation", () => {
  it("rules 1-4, 7, 8, 14, 15: the shipped engine keeps them under faults, crashes and change", {
    timeout: 120_000,
  }, () => {
    const began = performance.now()
    let [lives, crashes, writes] = [0, 0, 0]
    for (let seed = 1; seed <= seeds; seed += 1) {
      const result = run(seed)
      lives += result.lives
      crashes += result.crashes
      writes += result.writes
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stdout.write(
      `simulation: ${seeds} seeds, ${lives} lives, ${crashes} crashes, ${writes} writes in ${seconds} s\n`,
    )
    assert.isAbove(crashes, seeds / 2)
    assert.isAbove(writes, seeds)
  })

  it("X01: a seed is the same each time", () => {
    for (const seed of [2, 17, 58, 212]) assert.strictEqual(run(seed).trace, run(seed).trace)
    assert.notStrictEqual(run(2).trace, run(3).trace)
  })
})
