/** `pnpm bench:million`: a million users through a small heap, all lanes. --users N, --few N, --heap MIB, --lane NAME, --json, --write. */
import { parseArgs } from "node:util"
import { whole } from "../line.ts"
import { writePart } from "../page.ts"
import { machine } from "../render.ts"
import { type LaneName, type LaneRun, laneNames, peakOf, runLane, wrongCounts } from "./lanes.ts"

const { values } = parseArgs({
  options: {
    users: { type: "string", default: "1000000" },
    few: { type: "string", default: "100000" },
    heap: { type: "string", default: "192" },
    lane: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
})

const heap = `--max-old-space-size=${values.heap}`

/** Memory at many users may be so many times that at few. */
const BOUND = 1.2

const lanes = laneNames.filter((lane) => values.lane?.includes(lane) ?? true)
const heading = ["lane", "users", "run", "seconds", "users/s", "peak RSS, MiB", "delivered", "unchanged"]

const cells = (run: LaneRun): ReadonlyArray<string> => [
  run.lane,
  whole(run.users),
  run.run,
  run.seconds.toFixed(1),
  whole(run.users / run.seconds),
  run.peakMib.toFixed(0),
  whole(run.delivered),
  whole(run.unchanged),
]

const runs: Array<LaneRun> = []
const ratios: Array<{ readonly lane: LaneName; readonly ratio: number }> = []
for (const lane of lanes) {
  const few = await runLane(lane, Number(values.few), [heap])
  const many = await runLane(lane, Number(values.users), [heap])
  runs.push(...few, ...many)
  ratios.push({ lane, ratio: peakOf(many) / peakOf(few) })
  for (const run of [...few, ...many]) process.stderr.write(`${cells(run).join("  ")}\n`)
}

const wrong = wrongCounts(runs)
const sentences = ratios.map(
  ({ lane, ratio }) =>
    `${lane} lane: peak RSS at ${whole(Number(values.users))} users is ${ratio.toFixed(2)} times that at ` +
    `${whole(Number(values.few))} (at most ${BOUND}).`,
)
const table = [heading, heading.map(() => "---"), ...runs.map(cells)].map((row) => `| ${row.join(" | ")} |`).join("\n")
const text = [`Measured on ${machine()}, ${heap}.`, table, ...sentences, ...wrong].join("\n\n")
process.stdout.write(values.json ? `${JSON.stringify({ runs, ratios, wrong }, null, 2)}\n` : `${text}\n`)
if (values.write) writePart("million", text)
if (wrong.length > 0 || ratios.some(({ ratio }) => ratio > BOUND)) process.exitCode = 1
