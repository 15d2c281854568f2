/** `pnpm bench`: measures the table of docs/benchmarks.md. --json, --quick, --only PART, --no-gate, --write. */
import { parseArgs } from "node:util"
import { type Bench, withBench } from "./bench.ts"
import { type Line, verdictOf } from "./line.ts"
import { writePart } from "./page.ts"
import { asMarkdown, asText, machine } from "./render.ts"
import { calls } from "./rows/calls.ts"
import { heap } from "./rows/heap.ts"
import { atLatency } from "./rows/latency.ts"
import { ledgerCost } from "./rows/ledger.ts"
import { salesforceCalls } from "./rows/salesforce.ts"
import { startup } from "./rows/startup.ts"
import { throughput } from "./rows/throughput.ts"

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    "no-gate": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
  },
})

const parts: { readonly [name: string]: (bench: Bench) => Promise<ReadonlyArray<Line>> } = {
  throughput,
  near: (bench) => atLatency(bench, 20),
  far: (bench) => atLatency(bench, 100),
  heap,
  startup,
  ledger: ledgerCost,
  calls,
  salesforce: salesforceCalls,
}

const chosen = Object.entries(parts).filter(([name]) => values.only?.includes(name) ?? true)
const lines = await withBench(values.quick ? "quick" : "full", async (bench) => {
  const all: Array<Line> = []
  for (const [name, part] of chosen) {
    process.stderr.write(`${name} …\n`)
    const found = await part(bench)
    process.stderr.write(`${asText(found)}\n\n`)
    all.push(...found)
  }
  return all
})

const judged = lines.map((line) => ({ ...line, verdict: verdictOf(line) }))
const about = machine()
process.stdout.write(
  values.json ? `${JSON.stringify({ machine: about, lines: judged }, null, 2)}\n` : `${about}\n\n${asText(lines)}\n`,
)
if (values.write) writePart("table", `Measured on ${about}.\n\n${asMarkdown(lines)}`)
if (!values["no-gate"] && judged.some(({ verdict }) => verdict === "MISSED")) process.exitCode = 1
