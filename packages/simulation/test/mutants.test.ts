import { execFile } from "node:child_process"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Mutant } from "../src/mutant.ts"
import { mutants } from "../src/mutants.ts"

const mostSeeds = 600
const folder = path.join(import.meta.dirname, "../src")

interface Ended {
  readonly code: number | string
  readonly output: string
}

/** The simulation in a process of its own, on an engine with one fault in it, until a seed notices. */
const hunt = ({ name, from = 1 }: Mutant): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "./mutate.ts", "main.ts", String(from), String(from + mostSeeds - 1)],
      { cwd: folder, env: { ...process.env, MUTANT: name, FIRST: "1" } },
      (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, output: stdout + stderr })
      },
    )
  })

/** Two at a time: the machine has two cores. */
const makeQueue = () => {
  const waiting: Array<() => void> = []
  let free = 2
  return async <A>(job: () => Promise<A>): Promise<A> => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

describe("mutants of the engine are noticed by the simulation", () => {
  const queue = makeQueue()
  const hunts = new Map<string, Promise<Ended>>()
  const all = () => {
    if (hunts.size === 0)
      for (const mutant of mutants)
        hunts.set(
          mutant.name,
          queue(() => hunt(mutant)),
        )
    return hunts
  }

  for (const { name } of mutants) {
    it(name, { timeout: 180_000 }, async () => {
      const ended = await all().get(name)
      assert.strictEqual(ended?.code, 1, ended?.output)
      assert.match(ended?.output ?? "", /^seed \d+: /m)
    })
  }
})
