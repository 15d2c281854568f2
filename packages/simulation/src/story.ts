/** How a pipeline lives, crashes and lives again until all is still, under the eyes of the oracles. */
import { digestLayer, runLockMemory } from "@sluice/cli/node"
import {
  CurrentLimiters,
  makeLimiters,
  type Pipeline,
  type PipelineReport,
  type PluginModule,
  PluginNotFound,
  Plugins,
  plan,
  type RunOptions,
  run,
} from "@sluice/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { Dice } from "./dice.ts"
import { cipher, type Disk } from "./disk.ts"
import type { JobTally } from "./jobOracles.ts"
import type { Crash, Machine } from "./machine.ts"
import {
  checkConverged,
  checkLedger,
  checkNothingLeft,
  checkReport,
  checkSettled,
  type Handed,
  type RouteUnderTest,
} from "./oracles.ts"
import type { Truth } from "./people.ts"
import { Violation } from "./violation.ts"

export interface SeedResult {
  readonly seed: number
  readonly lives: number
  readonly crashes: number
  readonly writes: number
  readonly jobs: JobTally
  readonly trace: string
}

/** What a story is told of. */
export interface World {
  readonly seed: number
  readonly machine: Machine
  readonly disk: Disk
  readonly script: Dice
  readonly people: Truth
  readonly routes: ReadonlyArray<RouteUnderTest>
  readonly pipelines: ReadonlyArray<Pipeline>
  readonly client: Layer.Layer<HttpClient>
  readonly sync: "full" | "incremental"
  readonly users: number
  readonly crashes: number
  readonly hasJobs: boolean
  readonly tally: JobTally
  readonly lagMillis: number
  readonly sharesEmails: boolean
  /** Something happens at the source. Says what. */
  readonly churn: (what?: "create") => string
  /** A process begins. */
  readonly began: () => void
  /** What the source has handed over since. */
  readonly handed: () => ReadonlyArray<Handed>
  /** A process came to its end and reported. */
  readonly ended: (report: PipelineReport) => void
  /** Faults are drawn for the next process. */
  readonly storm: () => void
  /** No more faults. */
  readonly calm: () => void
}

/** The file's pipelines, as the shipped planner reads it. */
export const pipelinesOf = (text: string, modules: ReadonlyMap<string, PluginModule>): ReadonlyArray<Pipeline> => {
  const plugins = Layer.succeed(Plugins)({
    load: (use) => {
      const found = modules.get(use)
      return found === undefined ? Effect.fail(new PluginNotFound({ message: use })) : Effect.succeed(found)
    },
  })
  return Effect.runSync(
    plan({ file: "simulation.yaml", text, env: {}, readSecretFile: () => Effect.die("no file") }).pipe(
      Effect.map((planned) => planned.pipelines),
      Effect.provide(plugins),
    ),
  )
}

/** Anywhere, or where it hurts: around a commit or a write. */
const drawCrash = (dice: Dice, early: boolean, hasJobs: boolean): Crash => {
  const when = dice.pick(["before", "after"] as const)
  if (hasJobs && dice.chance(0.4)) {
    const jobs = dice.pick(["job", "job", "sql INSERT INTO jobs", "sql DELETE FROM spool"] as const)
    return { of: jobs, at: 1 + dice.below(6), when }
  }
  if (early) return { of: "", at: 15 + dice.below(30), when }
  const draw = dice.below(4)
  if (draw === 0) return { of: "", at: 1 + dice.below(dice.pick([40, 120, 400])), when }
  if (draw === 1) return { of: "write", at: 1 + dice.below(8), when }
  return { of: "sql COMMIT", at: 2 + dice.below(dice.pick([6, 20])), when }
}

export const makeStory = (world: World): { readonly play: () => SeedResult } => {
  const { seed, machine, disk, script, people, routes, pipelines, churn } = world
  let lives = 0
  let crashes = 0
  let isCalm = false

  /** What was being written when the process died is in doubt from now on. */
  const lose = (): void => {
    for (const { probe, destination } of routes) {
      const marked = disk.marked(destination.options.route)
      destination.lost(marked)
      // Marked and perhaps never sent: what was meant to be written only the engine knows.
      for (const id of marked) destination.attempted(id, "?")
      probe.died()
    }
  }

  /** The report of a life, or undefined where it crashed. */
  const live = (options: RunOptions, mayCrash: boolean, failing: RegExp | undefined): PipelineReport | undefined => {
    lives += 1
    world.began()
    const from = disk.checkpoint()?.position
    for (const { probe } of routes) probe.began()
    const crash = mayCrash ? drawCrash(script, options.fullRefresh === true, world.hasJobs) : undefined
    const failsAt = 1 + script.below(3)
    let matches = 0
    const fails = (sql: string): boolean => {
      if (failing === undefined || !failing.test(sql)) return false
      matches += 1
      return matches === failsAt
    }
    machine.note(`life ${lives}`)
    const services = Layer.mergeAll(disk.open(machine, fails), cipher, runLockMemory, digestLayer, world.client)
    const ended = machine.live(
      seed * 1000 + lives,
      run(pipelines, options).pipe(Effect.provide(services), Effect.provideService(CurrentLimiters, makeLimiters())),
      crash,
    )
    if (ended._tag === "Crashed") {
      crashes += 1
      disk.rollback()
      lose()
      machine.note("crashed")
      checkSettled(disk, routes, people, world.handed(), { from })
      checkLedger(disk, routes, people)
      return undefined
    }
    if (disk.isTransaction()) throw new Violation("state", "a transaction is still open after the run")
    if (Exit.isFailure(ended.exit)) throw new Violation("run", Cause.pretty(ended.exit.cause))
    const report = ended.exit.value.pipelines[0]
    if (report === undefined) throw new Violation("run", "no report")
    machine.note(`${report.status} ${report.error?.code ?? ""} ${JSON.stringify(report.routes)}`)
    const isFaulty = matches >= failsAt
    if (isFaulty) lose()
    for (const { probe } of routes) probe.ended()
    checkReport(report, routes, isFaulty)
    world.ended(report)
    checkLedger(disk, routes, people)
    if (report.status === "completed") checkNothingLeft(disk)
    checkSettled(disk, routes, people, world.handed(), report.status === "completed" ? "all" : { from })
    return report
  }

  const statements = [
    /INSERT INTO\s+dead_letters/,
    /INSERT INTO\s+dead_letters/,
    /INSERT INTO\s+ledger/,
    /INSERT INTO\s+checkpoints/,
    /INSERT INTO\s+sending/,
    /DELETE FROM sending/,
    ...(world.hasJobs ? [/INSERT INTO\s+jobs/, /INSERT INTO\s+spool/, /DELETE FROM spool/, /DELETE FROM jobs/] : []),
  ]

  const options = (): RunOptions => ({
    graceMillis: 5000,
    ...(world.sync === "incremental" ? { reconcile: isCalm || script.chance(0.5) } : {}),
    ...(!isCalm && script.chance(0.15) ? { stop: Effect.sleep(script.below(3000)) } : {}),
    ...(!isCalm && script.chance(0.25) ? { fullRefresh: true } : {}),
  })

  const play = (): SeedResult => {
    for (let user = 0; user < world.users; user += 1) churn("create")
    machine.wait(10_000)
    const stormy = world.crashes + 1 + script.below(2)
    for (let life = 0; life < stormy; life += 1) {
      world.storm()
      const failing = script.chance(0.2) ? script.pick(statements) : undefined
      live(options(), life < world.crashes, failing)
      machine.wait(script.below(8000))
      for (let change = script.below(7); change > 0; change -= 1) machine.note(churn())
    }
    isCalm = true
    world.calm()
    machine.wait(world.lagMillis + 60_000)
    // The first may resume a scan that passed some users before they changed; the second reads everything there is.
    calmDown()
    calmDown()
    checkConverged(disk, routes, people)
    settleDown()
    return { seed, lives, crashes, writes: writes(), jobs: world.tally, trace: machine.trace() }
  }

  /** A11. A key that was given up goes to the next who claims it, one run at a time. */
  const settleDown = (): void => {
    const mostRuns = world.sharesEmails ? 8 : 1
    for (let attempt = 1; ; attempt += 1) {
      const before = writes()
      const last = live(options(), false, undefined)
      if (last?.status !== "completed") throw new Violation("A11", "a run without changes did not complete")
      const made = writes() - before
      if (made === 0) return
      if (attempt >= mostRuns) throw new Violation("A11", `a run without changes wrote ${made} times`)
    }
  }

  const writes = (): number => routes.reduce((sum, { destination }) => sum + destination.writes(), 0)

  /** A route whose first batch is all poison stops once; its dead letters are known then. */
  const mostRuns = 6

  const calmDown = (): void => {
    for (let attempt = 1; attempt <= mostRuns; attempt += 1) {
      const report = live(options(), false, undefined)
      if (report?.status === "completed") return
      const code = report?.error?.code
      if (code !== "FirstBatchRefused" && code !== "MaxRejected") {
        throw new Violation("I3", `a run without faults ended with ${code}: ${report?.error?.message}`)
      }
    }
    throw new Violation("I3", `no run completed in ${mostRuns} without faults`)
  }

  return { play }
}
