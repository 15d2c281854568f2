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

describe("mutants of the engine are noticed by the simulation", () => {
  for (const mutant of mutants) {
    it(mutant.name, { timeout: 180_000 }, async () => {
      const { code, output } = await hunt(mutant)
      assert.strictEqual(code, 1, output)
      assert.match(output, /^seed \d+: /m)
    })
  }
})
