/** With a slow other side: whether reading and writing overlap, and what faults cost. */
import type { Bench } from "../bench.ts"
import { type Line, seen, whole } from "../line.ts"
import { pull, push, usual } from "../loops.ts"
import { measure, type Round } from "../rounds.ts"

/** As many rows in a batch as users on a page: reading and writing take equally long, and one after the other twice. */
const BATCH = 100
const FAULTS = 0.05

/** 100 ms is what a vendor's API takes; 20 ms one next door. */
export const atLatency = async (bench: Bench, latency: 20 | 100): Promise<ReadonlyArray<Line>> => {
  const { newState, origin, size, sluice } = bench
  const users = size === "full" ? 10_000 : 1_000
  const few = size === "full" ? 100 : 20
  const settings = { users, latency }
  const run = (batch: number) => () => sluice({ batch, stateFile: newState(), ledger: "on" })
  const near = latency === 20
  const median = await measure(
    origin,
    [
      { name: "pull", settings, rows: 0, run: () => pull(origin, users) },
      { name: "push", settings, rows: users, run: () => push(origin, users, BATCH) },
      {
        name: "both",
        settings,
        rows: users,
        run: () => Promise.all([pull(origin, users), push(origin, users, BATCH)]),
      },
      { name: "sluice", settings, rows: users, run: run(BATCH) },
      { name: "faulty", settings: { ...settings, faults: FAULTS }, rows: users, run: run(BATCH) },
      ...(near
        ? [
            { name: "thousands", settings, rows: users, run: run(1_000) },
            { name: "usual", settings: { users: few, latency }, rows: few, run: () => usual(origin, few) },
          ]
        : []),
    ],
    size === "full" ? 3 : 1,
  )
  const seconds = (name: string) => median((round) => round(name).seconds).toFixed(2)
  const slower = (round: Round) => Math.max(round("pull").seconds, round("push").seconds)
  const overlap: Line = {
    name: `total time over the slower of pull and push, at ${latency} ms`,
    measured: median((round) => round("sluice").seconds / slower(round)),
    unit: "×",
    better: "less",
    floor: 1.1,
    aim: 1.03,
    detail: `${seconds("sluice")} s; pull ${seconds("pull")} s, push ${seconds("push")} s`,
  }
  const beside = seen(
    `the same of raw pull and raw push side by side, at ${latency} ms`,
    median((round) => round("both").seconds / slower(round)),
    `${seconds("both")} s`,
  )
  const goodput = median((round) => round("sluice").seconds / round("faulty").seconds)
  const compared = `${seconds("faulty")} against ${seconds("sluice")} s`
  const name = `goodput with 5 % transient faults against none, at ${latency} ms`
  if (!near) {
    return [
      overlap,
      beside,
      { name, measured: goodput, unit: "×", better: "more", floor: 0.85, aim: 0.93, detail: compared },
    ]
  }
  const perSecond = (of: string) => median((round) => round(of).usersPerSecond)
  return [
    {
      name: "against the usual loop at 20 ms",
      measured: median((round) => round("thousands").usersPerSecond / round("usual").usersPerSecond),
      unit: "×",
      better: "more",
      floor: 80,
      aim: 90,
      detail: `${whole(perSecond("thousands"))} against ${whole(perSecond("usual"))} users/s`,
    },
    overlap,
    beside,
    seen(name, goodput, compared),
  ]
}
