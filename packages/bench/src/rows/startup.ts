/** How long the command line takes to start, by the measurement that lies beside it. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Line } from "../line.ts"
import { output, root } from "../processes.ts"

const script = join(root, "packages/cli/bench/startup.ts")

export const startup = async (): Promise<ReadonlyArray<Line>> => {
  if (!existsSync(script)) return []
  return JSON.parse(await output(script, ["--json"]))
}
