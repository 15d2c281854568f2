/** Runs seeds in a process of its own: `node main.ts <from> <to>`, one seed with its trace: `SEED=n node main.ts`. WORLD=vendors: the shipped plugins. */
import { addJobs, noJobs } from "./jobOracles.ts"
import { simulate } from "./simulate.ts"
import { simulateVendors } from "./vendors.ts"

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const only = process.env.SEED
const [from = 1, to = 300] = only === undefined ? process.argv.slice(2).map(Number) : [Number(only), Number(only)]
const play = process.env.WORLD === "vendors" ? simulateVendors : simulate
const began = performance.now()
let crashes = 0
let failed = 0
const jobs = noJobs()
for (let seed = from; seed <= to; seed += 1) {
  try {
    const result = play(seed, only === undefined ? undefined : say)
    crashes += result.crashes
    addJobs(jobs, result.jobs)
  } catch (error) {
    failed += 1
    say(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
    if (only !== undefined && error instanceof Error) say(error.stack ?? "")
    if (process.env.FIRST !== undefined) break
  }
}
say(`jobs: ${JSON.stringify(jobs)}`)
say(`${to - from + 1} seeds, ${crashes} crashes, ${failed} failed, ${Math.round(performance.now() - began)} ms`)
process.exitCode = failed > 0 ? 1 : 0
