/** One seed: a pipeline lives, crashes and lives again until all is still, under the eyes of the oracles. */

import { digestLayer, runLockMemory } from "@sluice/cli/node"
import {
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
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { makeChurn } from "./churn.ts"
import { type Destination, makeDestination } from "./destination.ts"
import { type Dice, makeDice } from "./dice.ts"
import { cipher, makeDisk } from "./disk.ts"
import { type Crash, makeMachine } from "./machine.ts"
import { checkConverged, checkReport, checkSettled, type Handed } from "./oracles.ts"
import { makePeople, type Person } from "./people.ts"
import { drawScenario, fileOf, type RouteScenario, type Scenario } from "./scenario.ts"
import { type ScriptedSink, scriptedSink } from "./scriptedSink.ts"
import { scriptedSource } from "./scriptedSource.ts"
import { Violation } from "./violation.ts"

export interface SeedResult {
  readonly seed: number
  readonly lives: number
  readonly crashes: number
  readonly writes: number
  readonly trace: string
}

export interface RouteUnderTest {
  readonly scenario: RouteScenario
  readonly destination: Destination
  readonly scripted: ScriptedSink
}

const contentOf = (fields: { readonly [name: string]: unknown }): string =>
  JSON.stringify([fields.user_id ?? null, fields.email ?? null, fields.given_name ?? null])

/** Anywhere, or where it hurts: around a commit or a write. */
const drawCrash = (dice: Dice, early: boolean): Crash => {
  const when = dice.pick(["before", "after"] as const)
  if (early) return { of: "", at: 15 + dice.below(30), when }
  const draw = dice.below(4)
  if (draw === 0) return { of: "", at: 1 + dice.below(dice.pick([40, 120, 400])), when }
  if (draw === 1) return { of: "write", at: 1 + dice.below(8), when }
  return { of: "sql COMMIT", at: 2 + dice.below(dice.pick([6, 20])), when }
}

const isPoison = (name: unknown): boolean => name === "Poison"

export const simulate = (seed: number, log?: (line: string) => void): SeedResult => {
  const scenario = drawScenario(seed)
  log?.(JSON.stringify(scenario))
  const world = makeWorld(scenario, log)
  try {
    return world.play()
  } finally {
    world.close()
  }
}

const makeWorld = (scenario: Scenario, log: ((line: string) => void) | undefined) => {
  const { seed } = scenario
  const machine = makeMachine(Date.UTC(2026, 10, 2), log)
  const disk = makeDisk()
  const script = makeDice(seed, 2)
  const vendor = makeDice(seed, 3)
  const travel = makeDice(seed, 4)
  let isCalm = false
  const faults = () => (isCalm ? 0 : scenario.faults)
  const latencyMillis = () => travel.below(scenario.maxLatency + 1)
  const lag = makeDice(seed, 5)
  const people = makePeople(machine.now, () => (scenario.lagMillis === 0 ? 0 : lag.below(scenario.lagMillis)))
  const churn = makeChurn(people, makeDice(seed, 6), scenario)
  const turned = () => {
    if (!isCalm && script.chance(scenario.churn)) machine.note(churn())
  }

  let scanBegan = 0
  let handed: Array<Handed> = []

  const routes = scenario.routes.map((route): RouteUnderTest => {
    const destination = makeDestination({
      machine,
      route: route.name,
      repeatable: route.repeatable,
      keyMoves: route.key === "email",
      forgetsDeferred: scenario.payload === "none" && !scenario.hasFind,
      content: (person: Person) => (route.where && !person.email_verified ? undefined : contentOf({ ...person })),
      refuses: (person) => isPoison(person.given_name),
      versions: people.versions,
      mayDelete: (id) =>
        route.onDelete === "delete" &&
        (people.absentSince(id, scanBegan) ||
          (route.onLeave === "on_delete" && people.versions(id).some((person) => !person.email_verified))),
    })
    const scripted = scriptedSink({
      machine,
      destination,
      dice: vendor,
      rows: route.rows,
      concurrency: route.concurrency,
      bytes: route.bytes,
      partitions: route.partitions,
      refusesBatches: route.refusesBatches,
      faults,
      busy: () => (isCalm ? 0 : scenario.busy),
      latencyMillis,
      turned,
      contentOf: (row) => contentOf(row.fields),
      isRefused: (row) => isPoison(row.fields.given_name),
    })
    return { scenario: route, destination, scripted }
  })

  const source = scriptedSource({
    machine,
    people,
    dice: vendor,
    pageSize: scenario.pageSize,
    hasFind: scenario.hasFind,
    lagMillis: () => scenario.lagMillis,
    holes: () => (isCalm ? 0 : scenario.holes),
    faults: () => faults() / 2,
    latencyMillis,
    turned,
    began: () => {
      scanBegan = machine.now()
    },
    handed: (page) => {
      handed.push({ position: JSON.stringify(page.position), records: page.records })
    },
  })

  const modules = new Map<string, PluginModule>([
    ["./source.ts", { source }],
    ...routes.map(({ scenario: { sink }, scripted }): [string, PluginModule] => [
      `./${sink}.ts`,
      { sink: scripted.sink },
    ]),
  ])
  const plugins = Layer.succeed(Plugins)({
    load: (use) => {
      const found = modules.get(use)
      return found === undefined ? Effect.fail(new PluginNotFound({ message: use })) : Effect.succeed(found)
    },
  })
  const pipelines: ReadonlyArray<Pipeline> = Effect.runSync(
    plan({
      file: "simulation.yaml",
      text: fileOf(scenario),
      env: {},
      readSecretFile: () => Effect.die("no file"),
    }).pipe(
      Effect.map((planned) => planned.pipelines),
      Effect.provide(plugins),
    ),
  )
  const noClient = Layer.succeed(HttpClient.HttpClient)(HttpClient.make(() => Effect.die("no HTTP here")))

  let lives = 0
  let crashes = 0

  /** What was being written when the process died is in doubt from now on. */
  const lose = (): void => {
    for (const { scripted, destination } of routes) {
      const marked = disk.marked(destination.options.route)
      destination.lost(marked)
      // Marked and perhaps never sent: what was meant to be written only the engine knows.
      for (const id of marked) destination.attempted(id, "?")
      scripted.died()
    }
  }

  /** The report of a life, or undefined where it crashed. */
  const live = (options: RunOptions, mayCrash: boolean, failing: RegExp | undefined): PipelineReport | undefined => {
    lives += 1
    handed = []
    for (const { scripted } of routes) scripted.began()
    const crash = mayCrash ? drawCrash(script, options.fullRefresh === true) : undefined
    const failsAt = 1 + script.below(3)
    let matches = 0
    const fails = (sql: string): boolean => {
      if (failing === undefined || !failing.test(sql)) return false
      matches += 1
      return matches === failsAt
    }
    machine.note(`life ${lives}`)
    const services = Layer.mergeAll(disk.open(machine, fails), cipher, runLockMemory, digestLayer, noClient)
    const ended = machine.live(seed * 1000 + lives, run(pipelines, options).pipe(Effect.provide(services)), crash)
    if (ended._tag === "Crashed") {
      crashes += 1
      disk.rollback()
      lose()
      machine.note("crashed")
      checkSettled(disk, routes, people, handed, "upToPosition")
      return undefined
    }
    if (disk.isTransaction()) throw new Violation("state", "a transaction is still open after the run")
    if (Exit.isFailure(ended.exit)) throw new Violation("run", Cause.pretty(ended.exit.cause))
    const report = ended.exit.value.pipelines[0]
    if (report === undefined) throw new Violation("run", "no report")
    machine.note(`${report.status} ${report.error?.code ?? ""} ${JSON.stringify(report.routes)}`)
    const isFaulty = matches >= failsAt
    if (isFaulty) lose()
    checkReport(report, routes, isFaulty)
    checkSettled(disk, routes, people, handed, report.status === "completed" ? "all" : "upToPosition")
    return report
  }

  const statements = [
    /INSERT INTO\s+dead_letters/,
    /INSERT INTO\s+dead_letters/,
    /INSERT INTO\s+ledger/,
    /INSERT INTO\s+checkpoints/,
    /INSERT INTO\s+sending/,
    /DELETE FROM sending/,
  ]

  const options = (): RunOptions => ({
    graceMillis: 5000,
    ...(scenario.sync === "incremental" ? { reconcile: isCalm || script.chance(0.5) } : {}),
    ...(!isCalm && script.chance(0.15) ? { stop: Effect.sleep(script.below(3000)) } : {}),
    ...(!isCalm && script.chance(0.25) ? { fullRefresh: true } : {}),
  })

  const play = (): SeedResult => {
    for (let user = 0; user < scenario.users; user += 1) churn("create")
    machine.wait(10_000)
    const stormy = scenario.crashes + 1 + script.below(2)
    for (let life = 0; life < stormy; life += 1) {
      const failing = script.chance(0.2) ? script.pick(statements) : undefined
      live(options(), life < scenario.crashes, failing)
      machine.wait(script.below(8000))
      for (let change = script.below(7); change > 0; change -= 1) machine.note(churn())
    }
    isCalm = true
    machine.wait(scenario.lagMillis + 60_000)
    // The first may resume a scan that passed some users before they changed; the second reads everything there is.
    calmDown()
    calmDown()
    checkConverged(disk, routes, people)
    settleDown()
    return { seed, lives, crashes, writes: writes(), trace: machine.trace() }
  }

  /** A11. A key that was given up goes to the next who claims it, one run at a time. */
  const settleDown = (): void => {
    const mostRuns = scenario.sharesEmails ? 8 : 1
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

  return { play, close: disk.close }
}
