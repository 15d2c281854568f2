/** Without latency: how much of a hand-written loop's speed is left, and what that costs in CPU. */
import type { Bench } from "../bench.ts"
import { type Line, seen, whole } from "../line.ts"
import { pull, raw, usual } from "../loops.ts"
import { type Measured, measure } from "../rounds.ts"

const BATCH = 1_000

const compared = (a: Measured, b: Measured): string => `${whole(a.perSecond)} against ${whole(b.perSecond)} users/s`

const spent = (a: Measured, b: Measured): string =>
  `${a.cpuPerUser.toFixed(1)} against ${b.cpuPerUser.toFixed(1)} µs a user`

export const throughput = async ({ newState, origin, size, sluice }: Bench): Promise<ReadonlyArray<Line>> => {
  const users = size === "full" ? 30_000 : 5_000
  const few = size === "full" ? 2_000 : 200
  let state = newState()
  const settings = { users }
  const first = () => {
    state = newState()
    return sluice({ batch: BATCH, stateFile: state, ledger: "on" })
  }
  const measured = await measure(
    origin,
    [
      { name: "raw", settings, rows: users, run: () => raw(origin, users, BATCH) },
      {
        name: "off",
        settings,
        rows: users,
        run: () => sluice({ batch: BATCH, stateFile: newState(), ledger: "off" }),
      },
      { name: "first", settings, rows: users, run: first },
      {
        name: "second",
        settings,
        rows: 0,
        run: () => sluice({ batch: BATCH, stateFile: state, ledger: "on", again: true }),
      },
      { name: "pull", settings, rows: 0, run: () => pull(origin, users) },
      { name: "raw again", settings, rows: users, run: () => raw(origin, users, BATCH) },
      { name: "usual", settings: { users: few }, rows: few, run: () => usual(origin, few) },
    ],
    size === "full" ? 7 : 1,
  )
  const [a, b] = [measured("raw"), measured("raw again")]
  const [off, on, second, pulled, loop] = ["off", "first", "second", "pull", "usual"].map(measured)
  if (off === undefined || on === undefined || second === undefined || pulled === undefined || loop === undefined) {
    return []
  }
  return [
    seen("control: the raw loop against itself", b.perSecond / a.perSecond, compared(b, a)),
    {
      name: "throughput against the raw loop, ledger off",
      measured: off.perSecond / a.perSecond,
      unit: "×",
      better: "more",
      floor: 0.6,
      aim: 0.75,
      detail: compared(off, a),
    },
    {
      name: "first run with ledger, against the raw loop",
      measured: on.perSecond / a.perSecond,
      unit: "×",
      better: "more",
      floor: 0.45,
      aim: 0.6,
      detail: compared(on, a),
    },
    {
      name: "second run, nothing changed, against the raw pull alone",
      measured: second.perSecond / pulled.perSecond,
      unit: "×",
      better: "more",
      floor: 0.6,
      aim: 0.75,
      detail: compared(second, pulled),
    },
    {
      name: "CPU a user against the raw loop, ledger off",
      measured: off.cpuPerUser / a.cpuPerUser,
      unit: "×",
      better: "less",
      floor: 1.6,
      aim: 1.35,
      detail: spent(off, a),
    },
    {
      name: "CPU a user against the raw loop, ledger on",
      measured: on.cpuPerUser / a.cpuPerUser,
      unit: "×",
      better: "less",
      floor: 2.2,
      aim: 1.8,
      detail: spent(on, a),
    },
    {
      name: "against the usual loop, ledger off",
      measured: off.perSecond / loop.perSecond,
      unit: "×",
      better: "more",
      floor: 10,
      aim: 15,
      detail: compared(off, loop),
    },
    seen("against the usual loop, with ledger", on.perSecond / loop.perSecond, compared(on, loop)),
  ]
}
