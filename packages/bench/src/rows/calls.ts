/** Calls that a run of the shipped plugins costs, counted at the sandbox. */
import { join } from "node:path"
import { environment } from "@sluice/sandbox"
import type { Bench } from "../bench.ts"
import { type Line, whole } from "../line.ts"
import { commandLine, output, root, serveSandbox } from "../processes.ts"
import { tally } from "../tally.ts"

const config = join(root, "configs/auth0-to-brevo.yaml")

export const calls = async ({ newState, size }: Bench): Promise<ReadonlyArray<Line>> => {
  const users = size === "full" ? 10_000 : 1_000
  const { close, origin } = await serveSandbox(users)
  try {
    const args = ["run", config, "--state", newState(), "--json"]
    const env = environment(origin)
    await output(commandLine, args, { env })
    const first = await tally(origin)
    await output(commandLine, [...args, "--full-refresh"], { env })
    const second = await tally(origin)
    const listed = first.routes["auth0 GET /api/v2/users"] ?? 0
    const writes = second.requests.brevo.writes - first.requests.brevo.writes
    const per = (count: number) => (count * 1_000) / users
    return [
      {
        name: "calls per 1,000 users: Auth0 list",
        measured: per(listed),
        unit: "calls",
        better: "less",
        floor: 10,
        aim: 10,
        detail: `${whole(listed)} searches for ${whole(users)} users`,
      },
      {
        name: "calls per 1,000 users: unchanged rows",
        measured: per(writes),
        unit: "calls",
        better: "less",
        floor: 0,
        aim: 0,
        detail: `${whole(writes)} writes in the second run, ${whole(first.contacts)} contacts`,
      },
    ]
  } finally {
    await close()
  }
}
