/** One seed of a world whose source and sinks are scripts: small, quick, and as hostile as the contracts allow. */
import { hash } from "node:crypto"
import type { PluginModule } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { makeChurn } from "./churn.ts"
import { makeDestination } from "./destination.ts"
import { makeDice } from "./dice.ts"
import { makeDisk } from "./disk.ts"
import { noJobs } from "./jobOracles.ts"
import { makeMachine } from "./machine.ts"
import type { Handed, RouteUnderTest } from "./oracles.ts"
import { makePeople, type Person } from "./people.ts"
import { drawScenario, fileOf, type Scenario } from "./scenario.ts"
import { scriptedSink } from "./scriptedSink.ts"
import { scriptedSource } from "./scriptedSource.ts"
import { makeStory, pipelinesOf, type SeedResult } from "./story.ts"

const contentOf = (fields: { readonly [name: string]: unknown }): string =>
  JSON.stringify([fields.user_id ?? null, fields.email ?? null, fields.given_name ?? null])

/** As the ledger does, over the canonical row of a route without options. */
const hashOf = (content: string): string => {
  const [user_id, email, given_name]: ReadonlyArray<unknown> = JSON.parse(content)
  return hash("sha256", `{}\n${JSON.stringify({ email, given_name, user_id })}`, "base64url")
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
  const spin = makeDice(seed, 7)
  const disk = makeDisk(() => (scenario.maxDiskLatency === 0 ? 0 : spin.below(scenario.maxDiskLatency + 1)))
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

  const tally = noJobs()
  let scanBegan = 0
  let handed: Array<Handed> = []
  /** Jobs that earlier processes left. */
  let left = new Set<string>()

  const sinks = new Map<string, PluginModule>()
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
      disk,
      destination,
      dice: vendor,
      scenario: route,
      tally,
      isCalm: () => isCalm,
      faults,
      busy: () => (isCalm ? 0 : scenario.busy),
      latencyMillis,
      turned,
      contentOf: (row) => contentOf(row.fields),
      isRefused: (row) => isPoison(row.fields.given_name),
    })
    sinks.set(`./${route.sink}.ts`, { sink: scripted.sink })
    return { scenario: route, destination, probe: scripted, hashOf }
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
      for (const { name } of scenario.routes) {
        const isLeft = [...disk.jobs(name)].some(([batch, { rows }]) => rows !== null && left.has(batch))
        if (isLeft) machine.violate("rule 11", `${name}: read before the jobs of an earlier run were settled`)
      }
      handed.push({ position: JSON.stringify(page.position), records: page.records })
    },
  })

  const modules = new Map<string, PluginModule>([["./source.ts", { source }], ...sinks])
  const story = makeStory({
    seed,
    machine,
    disk,
    script,
    people,
    routes,
    pipelines: pipelinesOf(fileOf(scenario), modules),
    client: Layer.succeed(HttpClient.HttpClient)(HttpClient.make(() => Effect.die("no HTTP here"))),
    sync: scenario.sync,
    users: scenario.users,
    crashes: scenario.crashes,
    hasJobs: scenario.routes.some(({ jobs }) => jobs !== undefined),
    tally,
    lagMillis: scenario.lagMillis,
    sharesEmails: scenario.sharesEmails,
    churn,
    began: () => {
      handed = []
      left = new Set(scenario.routes.flatMap(({ name }) => [...disk.jobs(name).keys()]))
    },
    handed: () => handed,
    ended: () => {},
    storm: () => {},
    calm: () => {
      isCalm = true
    },
  })

  return { play: story.play, close: disk.close }
}
