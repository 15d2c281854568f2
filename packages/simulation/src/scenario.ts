/** What a seed stands for: the pipeline, the sizes, what goes wrong and how often. */
import { type Dice, makeDice } from "./dice.ts"

/** A vendor that takes jobs too. */
export interface JobScenario {
  readonly rows: number
  readonly bytes: number | undefined
  /** The least rows that a job is worth. */
  readonly worth: number
  /** The reference is known before rows are handed over. */
  readonly refFirst: boolean
  readonly refusesBatches: boolean
  /** The longest that rows of a job wait to land. */
  readonly delayMillis: number
  /** The longest between two pieces of its result. */
  readonly resultMillis: number
  /** How much of what goes wrong makes the vendor lose a job. */
  readonly loses: number
}

export interface RouteScenario {
  readonly name: string
  readonly sink: string
  readonly repeatable: boolean
  readonly key: "user_id" | "email"
  readonly where: boolean
  readonly onDelete: "keep" | "delete"
  readonly onLeave: "keep" | "on_delete"
  readonly onKeyConflict: "reject" | "newest"
  readonly rows: number
  readonly concurrency: number
  readonly bytes: number | undefined
  readonly partitions: boolean
  readonly refusesBatches: boolean
  readonly jobs: JobScenario | undefined
}

export interface Scenario {
  readonly seed: number
  readonly sync: "full" | "incremental"
  readonly users: number
  readonly pageSize: number
  readonly hasFind: boolean
  /** Two users may have one e-mail, and e-mails change. */
  readonly sharesEmails: boolean
  readonly lagMillis: number
  readonly faults: number
  /** How often a row is not taken for now. */
  readonly busy: number
  /** How often search misses somebody. */
  readonly holes: number
  /** Changes at the source, for each answer of a vendor. */
  readonly churn: number
  readonly maxLatency: number
  /** The longest that a statement takes: other fibers go on meanwhile. */
  readonly maxDiskLatency: number
  /** Lives that end by a crash, if they last. */
  readonly crashes: number
  readonly payload: "full" | "none"
  readonly routes: ReadonlyArray<RouteScenario>
}

const drawRoute = (dice: Dice, sink: string, repeatable: boolean): RouteScenario => {
  const onDelete = dice.chance(0.5) ? "delete" : "keep"
  return {
    name: `${sink}.things`,
    sink,
    repeatable,
    key: dice.chance(0.25) ? "email" : "user_id",
    where: dice.chance(0.3),
    onDelete,
    onLeave: onDelete === "delete" && dice.chance(0.5) ? "on_delete" : "keep",
    onKeyConflict: dice.chance(0.25) ? "newest" : "reject",
    rows: 1 + dice.below(4),
    concurrency: 1 + dice.below(2),
    bytes: dice.chance(0.15) ? 260 : undefined,
    partitions: dice.chance(0.15),
    refusesBatches: dice.chance(0.3),
    jobs: dice.chance(0.6) ? drawJobs(dice) : undefined,
  }
}

const drawJobs = (dice: Dice): JobScenario => {
  const rows = 2 + dice.below(6)
  return {
    rows,
    bytes: dice.chance(0.25) ? 150 + dice.below(200) : undefined,
    worth: Math.min(rows, 2 + dice.below(2)),
    refFirst: dice.chance(0.5),
    refusesBatches: dice.chance(0.2),
    delayMillis: dice.pick([0, 3000, 12_000, 3_600_000]),
    resultMillis: dice.pick([0, 1500]),
    loses: dice.pick([0, 0.5, 2]),
  }
}

export const drawScenario = (seed: number): Scenario => {
  const dice = makeDice(seed, 1)
  const first = drawRoute(dice, "first", dice.chance(0.65))
  const second = dice.chance(0.5) ? [drawRoute(dice, "second", dice.chance(0.5))] : []
  return {
    seed,
    sync: dice.chance(0.5) ? "full" : "incremental",
    users: 3 + dice.below(9),
    pageSize: 1 + dice.below(4),
    hasFind: dice.chance(0.6),
    sharesEmails: dice.chance(0.2),
    lagMillis: dice.pick([0, 0, 4000, 30_000]),
    faults: dice.pick([0, 0.05, 0.12, 0.25]),
    busy: dice.pick([0, 0, 0.8]),
    holes: dice.pick([0, 0, 0.2]),
    churn: dice.pick([0, 0.1, 0.3]),
    maxLatency: dice.pick([0, 5, 400]),
    crashes: dice.below(5),
    payload: dice.chance(0.2) ? "none" : "full",
    routes: [first, ...second],
    maxDiskLatency: dice.pick([0, 0, 2]),
  }
}

/** The pipeline file, as JSON, which is YAML. */
export const fileOf = (scenario: Scenario): string =>
  JSON.stringify({
    name: "simulation",
    dead_letters: { payload: scenario.payload },
    sources: { tenant: { use: "./source.ts" } },
    sinks: Object.fromEntries(scenario.routes.map(({ sink }) => [sink, { use: `./${sink}.ts` }])),
    pipelines: {
      users: {
        from: "tenant.users",
        sync: scenario.sync,
        to: Object.fromEntries(
          scenario.routes.map((route) => [
            route.name,
            {
              key: route.key,
              map: { user_id: "user_id", email: "email", given_name: "given_name" },
              ...(route.where ? { where: "email_verified" } : {}),
              on_delete: route.onDelete,
              on_leave: route.onLeave,
              on_key_conflict: route.onKeyConflict,
            },
          ]),
        ),
      },
    },
  })
