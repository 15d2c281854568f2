/** What the ledger costs: CPU with it less CPU without it, of the same round. */
import type { Bench } from "../bench.ts"
import type { Keys } from "../counterpart/users.ts"
import { type Line, whole } from "../line.ts"
import { measure, type Round, type Variant } from "../rounds.ts"

const BATCH = 1_000

const goals = { ordered: { floor: 6, aim: 4 }, random: { floor: 20, aim: 12 } } as const

export const ledgerCost = async ({ newState, origin, size, sluice }: Bench): Promise<ReadonlyArray<Line>> => {
  const users = size === "full" ? 60_000 : 5_000
  const variant = (keys: Keys, ledger: "on" | "off"): Variant => ({
    name: `${keys} ${ledger}`,
    settings: { users, keys },
    rows: users,
    run: () => sluice({ batch: BATCH, stateFile: newState(), ledger }),
  })
  const kinds: ReadonlyArray<Keys> = ["ordered", "random"]
  const median = await measure(
    origin,
    kinds.flatMap((keys) => [variant(keys, "off"), variant(keys, "on")]),
    size === "full" ? 5 : 1,
  )
  return kinds.map((keys): Line => {
    const cpu = (ledger: "on" | "off") => (round: Round) => round(`${keys} ${ledger}`).cpuPerUser
    const [on, off] = [cpu("on"), cpu("off")]
    return {
      name: `ledger a user, ${keys} keys`,
      measured: median((round) => on(round) - off(round)),
      unit: "µs",
      better: "less",
      ...goals[keys],
      detail: `${median(on).toFixed(1)} less ${median(off).toFixed(1)} µs of CPU, ${whole(users)} users`,
    }
  })
}
