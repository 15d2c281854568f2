/** Runs of the command line over many users, each lane a first and a second time, with the most memory they took. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { environment } from "@sluice/sandbox"
import * as Schema from "effect/Schema"
import { counterpart } from "../bench.ts"
import { arrived, reset } from "../counterpart/control.ts"
import { commandLine, output, type Served, serve, serveSandbox } from "../processes.ts"
import { contactsMade, endJobsAtOnce } from "../salesforce.ts"
import { tally } from "../tally.ts"

/**
 * `memory`: a batch at a time through the process. `job`: Auth0's export and Brevo's import, spooled on disk. `bulk`:
 * likewise to Salesforce, 100,000 rows a job.
 */
export const laneNames = ["memory", "job", "bulk"] as const
export type LaneName = (typeof laneNames)[number]

export interface LaneRun {
  readonly lane: LaneName
  readonly users: number
  readonly run: "first" | "second"
  readonly seconds: number
  readonly peakMib: number
  /** What the report says. */
  readonly delivered: number
  readonly unchanged: number
  /** What the destination had counted by then. */
  readonly arrived: number
}

const Counts = Schema.Struct({ delivered: Schema.Int, unchanged: Schema.Int })
const Report = Schema.Struct({
  pipelines: Schema.Array(Schema.Struct({ ok: Schema.Boolean, routes: Schema.Record(Schema.String, Counts) })),
})
const decodeReport = Schema.decodeUnknownSync(Schema.fromJsonString(Report))

interface Surroundings {
  /** Node's flags for the command line. */
  readonly flags: ReadonlyArray<string>
  readonly folder: string
  readonly sandbox: Served
  readonly store: Served
}

const written: { readonly [lane in LaneName]: (around: Surroundings) => Promise<number> } = {
  memory: async ({ store }) => (await arrived(store.origin)).keys,
  job: async ({ sandbox }) => (await tally(sandbox.origin)).contacts,
  bulk: ({ sandbox }) => contactsMade(sandbox.origin),
}

const runOnce = async (around: Surroundings, lane: LaneName, users: number, run: LaneRun["run"]): Promise<LaneRun> => {
  const { flags, folder, sandbox, store } = around
  const PEAK_FILE = join(folder, "peak")
  const again = run === "second" ? ["--full-refresh"] : []
  const start = performance.now()
  const printed = await output(
    commandLine,
    ["run", join(import.meta.dirname, `${lane}.yaml`), "--state", join(folder, "state.db"), "--json", ...again],
    {
      flags: [...flags, "--import", join(import.meta.dirname, "peak.ts")],
      env: { ...environment(sandbox.origin), BENCH_ORIGIN: store.origin, PEAK_FILE },
    },
  )
  const seconds = (performance.now() - start) / 1000
  const [counts] = decodeReport(printed).pipelines.flatMap(({ routes }) => Object.values(routes))
  return {
    lane,
    users,
    run,
    seconds,
    peakMib: Number(readFileSync(PEAK_FILE, "utf8")) / 1024,
    delivered: counts?.delivered ?? 0,
    unchanged: counts?.unchanged ?? 0,
    arrived: await written[lane](around),
  }
}

/** Each of both runs has to account for every user: the first delivers all, the second finds all unchanged. */
export const runLane = async (
  lane: LaneName,
  users: number,
  flags: ReadonlyArray<string>,
): Promise<ReadonlyArray<LaneRun>> => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-million-"))
  const around = { flags, folder, sandbox: await serveSandbox(users), store: await serve(counterpart) }
  try {
    await reset(around.store.origin, { users: 0 })
    await endJobsAtOnce(around.sandbox.origin)
    const first = await runOnce(around, lane, users, "first")
    const second = await runOnce(around, lane, users, "second")
    return [first, second]
  } finally {
    await Promise.all([around.sandbox.close(), around.store.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

export const peakOf = (runs: ReadonlyArray<LaneRun>): number => Math.max(...runs.map(({ peakMib }) => peakMib))

/** What is wrong with these counts; nothing where every user is accounted for. */
export const wrongCounts = (runs: ReadonlyArray<LaneRun>): ReadonlyArray<string> =>
  runs.flatMap(({ arrived, delivered, lane, run, unchanged, users }) => {
    const [wantDelivered, wantUnchanged] = run === "first" ? [users, 0] : [0, users]
    const isRight = delivered === wantDelivered && unchanged === wantUnchanged && arrived === users
    return isRight
      ? []
      : [`${lane}, ${run} run of ${users}: ${delivered} delivered, ${unchanged} unchanged, ${arrived} arrived`]
  })
