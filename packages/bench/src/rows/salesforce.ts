/** Calls that Salesforce's write paths cost, counted at the sandbox. */
import { join } from "node:path"
import type { Bench } from "../bench.ts"
import { type Line, whole } from "../line.ts"
import { root } from "../processes.ts"
import type { Tally } from "../tally.ts"
import { twice } from "./calls.ts"

const contacts = join(root, "packages/bench/src/million/bulk.yaml")

const base = "/services/data/:version"
const jobs = `${base}/jobs/ingest`

/** Calls to addresses that begin so; signing in and reading descriptions are once a run, whatever its volume. */
const callsTo = ({ routes }: Tally, places: ReadonlyArray<string>): number =>
  Object.entries(routes).reduce((sum, [route, count]) => {
    const [vendor, , pattern = ""] = route.split(" ")
    return vendor === "salesforce" && places.some((place) => pattern.startsWith(place)) ? sum + count : sum
  }, 0)

/** Every path writes by one of these, and Bulk asks for the day's batches. */
const writing = [`${base}/composite`, `${base}/sobjects/:object/:`, jobs, `${base}/limits`]

/** Full calls: of 200 rows, and of five times as many. */
const most = { collections: 5, composite: 1 } as const

const line = (name: string, measured: number, goal: number, detail: string): Line => ({
  name,
  measured,
  unit: "calls",
  better: "less",
  floor: goal,
  aim: goal,
  detail,
})

export const salesforceCalls = async (bench: Bench): Promise<ReadonlyArray<Line>> => {
  const users = bench.size === "full" ? 20_000 : 2_000
  const per = (count: number) => (count * 1_000) / users
  const lines: Array<Line> = []
  let again = 0
  const count = async (path: string) => {
    const { first, second } = await twice(bench, contacts, users, { BENCH_PATH: path })
    const calls = callsTo(first, writing)
    again += callsTo(second, writing) - calls
    return { calls, first }
  }
  for (const path of ["collections", "composite"] as const) {
    const { calls } = await count(path)
    const name = `calls per 1,000 users: Salesforce by ${path}`
    lines.push(line(name, per(calls), most[path], `${whole(calls)} calls for ${whole(users)} users`))
  }
  const { calls, first } = await count("bulk")
  const made = first.routes[`salesforce POST ${jobs}`] ?? 0
  const detail = `${whole(calls)} calls for ${whole(users)} users, jobs: ${made}`
  lines.push(line("calls per job: Salesforce by bulk", calls / made, 12, detail))
  const repeated = `${whole(again)} calls in the second runs of all three`
  lines.push(line("calls per 1,000 users: unchanged rows, Salesforce", per(again), 0, repeated))
  return lines
}
