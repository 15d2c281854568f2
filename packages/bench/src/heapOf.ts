/** One run in a process started with --expose-gc: `node heapOf.ts <origin> <state file> <users>` prints its live heap. */
import { tuneCollector } from "@sluice/cli/node"
import * as Effect from "effect/Effect"
import { arrived, reset } from "./counterpart/control.ts"
import { sluice } from "./engine.ts"
import { median } from "./rounds.ts"

const [origin = "", stateFile = "", count = "0"] = process.argv.slice(2)
const users = Number(count)
const collect = globalThis.gc
if (collect === undefined) throw new Error("needs --expose-gc")

tuneCollector()
const SAMPLES = 20
const bytes: Array<number> = []

await reset(origin, { users })
await sluice({
  origin,
  stateFile,
  batch: 1_000,
  ledger: "on",
  onEvent: (event) =>
    Effect.sync(() => {
      const due = (users / 2) * (1 + bytes.length / SAMPLES)
      if (event._tag !== "Progress" || event.read < due || bytes.length === SAMPLES) return
      collect()
      bytes.push(process.memoryUsage().heapUsed)
    }),
})
const { rows } = await arrived(origin)
process.stdout.write(JSON.stringify({ bytes: Math.round(median(bytes)), rows }))
