/** With a slow other side: whether reading and writing overlap, and what faults cost. */
import type { Bench } from "../bench.ts"
import { type Line, seen, whole } from "../line.ts"
import { pull, push, usual } from "../loops.ts"
import { measure } from "../rounds.ts"

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
  const measured = await measure(
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
  const [pulled, pushed, both] = [measured("pull"), measured("push"), measured("both")]
  const [whole_, faulty] = [measured("sluice"), measured("faulty")]
  const slower = Math.max(pulled.seconds, pushed.seconds)
  const overlap: Line = {
    name: `total time over the slower of pull and push, at ${latency} ms`,
    measured: whole_.seconds / slower,
    unit: "×",
    better: "less",
    floor: 1.1,
    aim: 1.03,
    detail: `${whole_.seconds.toFixed(2)} s; pull ${pulled.seconds.toFixed(2)} s, push ${pushed.seconds.toFixed(2)} s`,
  }
  const beside = seen(
    `the same of raw pull and raw push side by side, at ${latency} ms`,
    both.seconds / slower,
    `${both.seconds.toFixed(2)} s`,
  )
  const goodput = whole_.seconds / faulty.seconds
  const seconds = `${faulty.seconds.toFixed(2)} against ${whole_.seconds.toFixed(2)} s`
  const name = `goodput with 5 % transient faults against none, at ${latency} ms`
  if (!near) {
    return [
      overlap,
      beside,
      { name, measured: goodput, unit: "×", better: "more", floor: 0.85, aim: 0.93, detail: seconds },
    ]
  }
  const [thousands, loop] = [measured("thousands"), measured("usual")]
  return [
    {
      name: "against the usual loop at 20 ms",
      measured: thousands.perSecond / loop.perSecond,
      unit: "×",
      better: "more",
      floor: 80,
      aim: 90,
      detail: `${whole(thousands.perSecond)} against ${whole(loop.perSecond)} users/s`,
    },
    overlap,
    beside,
    seen(name, goodput, seconds),
  ]
}
