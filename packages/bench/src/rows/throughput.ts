/** Without latency: how much of a hand-written loop's speed is left, and what that costs in CPU. */
import type { Bench } from "../bench.ts"
import { type Line, seen, whole } from "../line.ts"
import { pull, raw, usual } from "../loops.ts"
import { measure, type Round, type Sample } from "../rounds.ts"

const BATCH = 1_000

type Side = (round: Round) => Pick<Sample, "usersPerSecond" | "cpuPerUser">

const run =
  (name: string): Side =>
  (round) =>
    round(name)

/** It stands in each round twice. */
const rawLoop: Side = (round) => {
  const [first, again] = [round("raw"), round("raw again")]
  return {
    usersPerSecond: (first.usersPerSecond + again.usersPerSecond) / 2,
    cpuPerUser: (first.cpuPerUser + again.cpuPerUser) / 2,
  }
}

export const throughput = async ({ newState, origin, size, sluice }: Bench): Promise<ReadonlyArray<Line>> => {
  const users = size === "full" ? 100_000 : 5_000
  const few = size === "full" ? 2_000 : 200
  let state = newState()
  const settings = { users }
  const first = () => {
    state = newState()
    return sluice({ batch: BATCH, stateFile: state, ledger: "on" })
  }
  const median = await measure(
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
    size === "full" ? 5 : 1,
  )

  const speed = (a: Side, b: Side) => {
    const [perSecond, other] = [a, b].map((side) => whole(median((round) => side(round).usersPerSecond)))
    return {
      measured: median((round) => a(round).usersPerSecond / b(round).usersPerSecond),
      unit: "×",
      better: "more",
      detail: `${perSecond} against ${other} users/s`,
    } as const
  }
  const cost = (a: Side, b: Side) => {
    const [cpu, other] = [a, b].map((side) => median((round) => side(round).cpuPerUser).toFixed(1))
    return {
      measured: median((round) => a(round).cpuPerUser / b(round).cpuPerUser),
      unit: "×",
      better: "less",
      detail: `${cpu} against ${other} µs a user`,
    } as const
  }
  const [off, on, second, pulled, loop] = [run("off"), run("first"), run("second"), run("pull"), run("usual")]
  const control = speed(run("raw again"), run("raw"))
  const withLedger = speed(on, loop)
  return [
    seen("control: the raw loop against itself", control.measured, control.detail),
    { name: "throughput against the raw loop, ledger off", ...speed(off, rawLoop), floor: 0.6, aim: 0.75 },
    { name: "first run with ledger, against the raw loop", ...speed(on, rawLoop), floor: 0.45, aim: 0.6 },
    {
      name: "second run, nothing changed, against the raw pull alone",
      ...speed(second, pulled),
      floor: 0.6,
      aim: 0.75,
    },
    { name: "CPU a user against the raw loop, ledger off", ...cost(off, rawLoop), floor: 1.6, aim: 1.35 },
    { name: "CPU a user against the raw loop, ledger on", ...cost(on, rawLoop), floor: 2.2, aim: 1.8 },
    { name: "against the usual loop, ledger off", ...speed(off, loop), floor: 10, aim: 15 },
    seen("against the usual loop, with ledger", withLedger.measured, withLedger.detail),
  ]
}
