import { assert, describe, it } from "@effect/vitest"
import { addJobs, type JobTally, noJobs } from "../src/jobOracles.ts"
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

/** SEEDS=3000: more of them, by hand. */
const runAll = (name: string, play: typeof simulate, usual: number): { seeds: number; jobs: JobTally } => {
  const seeds = process.env.SEEDS === undefined ? usual : Number(process.env.SEEDS)
  const jobs = noJobs()
  const began = performance.now()
  let [lives, crashes, writes] = [0, 0, 0]
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = run(play, seed)
    lives += result.lives
    crashes += result.crashes
    writes += result.writes
    addJobs(jobs, result.jobs)
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(
    `${name}: ${seeds} seeds, ${lives} lives, ${crashes} crashes, ${writes} writes in ${seconds} s, jobs ${JSON.stringify(jobs)}\n`,
  )
  assert.isAbove(crashes, seeds / 2)
  assert.isAbove(writes, seeds)
  return { seeds, jobs }
}

describe("simulation", () => {
  it("rules 1-4, 7, 8, 11, 14, 15: the shipped engine keeps them on both lanes under faults, crashes and change", {
    timeout: 600_000,
  }, () => {
    const { jobs, seeds } = runAll("scripted vendors", simulate, 300)
    // So that the worlds cannot stop having jobs in silence.
    const perSeed = { submitted: 2, recovered: 0.4, drained: 0.8, lost: 0.08, deferred: 1, unnamed: 0.05, silent: 0.08 }
    for (const [what, least] of Object.entries(perSeed)) {
      assert.isAbove(Object.entries(jobs).find(([name]) => name === what)?.[1] ?? 0, least * seeds, what)
    }
  })

  it("the shipped Auth0 and Brevo plugins keep them over HTTP that breaks", { timeout: 600_000 }, () => {
    runAll("Auth0 to Brevo", simulateVendors, 100)
  })

  it("X01: a seed is the same each time", () => {
    for (const play of [simulate, simulateVendors]) {
      for (const seed of [2, 17, 58]) assert.strictEqual(run(play, seed).trace, run(play, seed).trace)
      assert.notStrictEqual(run(play, 2).trace, run(play, 3).trace)
    }
  })
})
