/** Calls that a run of the shipped plugins costs, counted at the sandbox. */
import { join } from "node:path"
import { environment } from "@sluice/sandbox"
import type { Bench } from "../bench.ts"
import { type Line, seen, whole } from "../line.ts"
import { commandLine, output, root, serveSandbox } from "../processes.ts"
import { type Tally, tally } from "../tally.ts"

/** Auth0's search to the bench's store. */
const listed = join(root, "packages/bench/src/million/memory.yaml")
const shipped = join(root, "configs/auth0-to-brevo.yaml")

export interface Counted {
  readonly users: number
  readonly first: Tally
  readonly second: Tally
}

/** Runs a file twice against a sandbox of its own. */
export const twice = async (
  { newState, origin }: Bench,
  file: string,
  users: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Counted> => {
  const sandbox = await serveSandbox(users)
  try {
    const args = ["run", file, "--state", newState(), "--json"]
    const env = { ...environment(sandbox.origin), BENCH_ORIGIN: origin, ...more }
    await output(commandLine, args, { env })
    const first = await tally(sandbox.origin)
    await output(commandLine, [...args, "--full-refresh"], { env })
    return { users, first, second: await tally(sandbox.origin) }
  } finally {
    await sandbox.close()
  }
}

const all = ({ requests: { auth0, brevo } }: Tally): number => auth0.reads + auth0.writes + brevo.reads + brevo.writes

/** Searches and export jobs alike. */
const reads = ({ routes }: Tally): number =>
  Object.entries(routes).reduce((sum, [route, count]) => sum + (route.startsWith("auth0 ") ? count : 0), 0)

export const calls = async (bench: Bench): Promise<ReadonlyArray<Line>> => {
  const users = bench.size === "full" ? 20_000 : 2_000
  const list = await twice(bench, listed, users)
  const ship = await twice(bench, shipped, users)
  const per = (count: number) => (count * 1_000) / users
  const writes = ship.second.requests.brevo.writes - ship.first.requests.brevo.writes
  const counted = (count: number) => `${whole(count)} calls for ${whole(users)} users`
  return [
    {
      name: "calls per 1,000 users: Auth0 list, as shipped (`read: auto`)",
      measured: per(reads(ship.first)),
      unit: "calls",
      better: "less",
      floor: 10,
      aim: 10,
      detail: counted(reads(ship.first)),
    },
    seen("the same by search alone (`read: search`)", per(reads(list.first)), counted(reads(list.first)), "calls"),
    {
      name: "calls per 1,000 users: unchanged rows",
      measured: per(writes),
      unit: "calls",
      better: "less",
      floor: 0,
      aim: 0,
      detail: `${whole(writes)} writes in the second run, ${whole(ship.first.contacts)} contacts`,
    },
    seen("calls per 1,000 users, both vendors, first run", per(all(ship.first)), counted(all(ship.first)), "calls"),
    seen(
      "the same, second run",
      per(all(ship.second) - all(ship.first)),
      counted(all(ship.second) - all(ship.first)),
      "calls",
    ),
  ]
}
