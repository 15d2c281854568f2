/** One seed of the shipped plugins: Auth0 and Brevo as the sandbox plays them, over HTTP that breaks. */
import type { Connection, Page, PipelineReport, PluginModule, ScanRequest, Sink, Source } from "@sluice/core"
import { credentials, type FaultKind, httpClient, makeSandbox, type Sandbox, tenantDomain } from "@sluice/sandbox"
import { sink as brevo } from "@sluice/sink-brevo"
import { source as auth0 } from "@sluice/source-auth0"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { makeChurn } from "./churn.ts"
import { type Destination, makeDestination } from "./destination.ts"
import { type Dice, makeDice } from "./dice.ts"
import { makeDisk } from "./disk.ts"
import { noJobs } from "./jobOracles.ts"
import { type Machine, makeMachine } from "./machine.ts"
import type { Handed, RouteUnderTest } from "./oracles.ts"
import type { Person } from "./people.ts"
import { makeStory, pipelinesOf, type SeedResult } from "./story.ts"
import { makeTenant } from "./tenant.ts"
import { Violation } from "./violation.ts"

const start = Date.UTC(2026, 10, 2)
const route = "brevo.contacts"

const drawVendors = (seed: number) => {
  const dice = makeDice(seed, 21)
  const onDelete = dice.chance(0.5) ? ("delete" as const) : ("keep" as const)
  return {
    sync: dice.chance(0.5) ? ("full" as const) : ("incremental" as const),
    users: 8 + dice.below(18),
    importedAtOnce: dice.pick([0, 0, 14]),
    rows: 1 + dice.below(6),
    where: dice.chance(0.3),
    onDelete,
    onLeave: onDelete === "delete" && dice.chance(0.5) ? ("on_delete" as const) : ("keep" as const),
    lagMillis: dice.pick([0, 0, 5000, 30_000]),
    limits: dice.chance(0.3) ? ("real" as const) : ("off" as const),
    faults: dice.pick([0, 1, 3, 6]),
    churn: dice.pick([0, 0.03, 0.1]),
    maxLatency: dice.pick([0, 5, 300]),
    crashes: dice.below(4),
  }
}
type Vendors = ReturnType<typeof drawVendors>

const fileOf = (drawn: Vendors): string =>
  JSON.stringify({
    name: "simulation",
    sources: {
      tenant: {
        use: "./auth0.ts",
        domain: tenantDomain("sandbox"),
        client_id: credentials.clientId,
        client_secret: credentials.clientSecret,
        plan: "professional",
      },
    },
    sinks: { brevo: { use: "./brevo.ts", api_key: credentials.apiKey } },
    pipelines: {
      users: {
        from: "tenant.users",
        with: { per_page: 10, overlap: "2 minutes" },
        sync: drawn.sync,
        to: {
          [route]: {
            key: "ext_id",
            map: { ext_id: "user_id", email: "email", FIRSTNAME: "given_name", EMAIL_VERIFIED: "email_verified" },
            ...(drawn.where ? { where: "email_verified" } : {}),
            on_delete: drawn.onDelete,
            on_leave: drawn.onLeave,
          },
        },
      },
    },
  })

const contentOf = (email: unknown, name: unknown, verified: unknown): string =>
  JSON.stringify([email ?? null, name === undefined || name === "" ? null : name, verified ?? null])

/** The plugin as it is, watched: what it hands over and from where. */
const watched = (source: Source, began: () => void, handed: (page: Page) => void): Source => ({
  ...source,
  open: (config, endpoint) =>
    Effect.map(source.open(config, endpoint), (reader) => ({
      ...reader,
      read: (request: ScanRequest) =>
        Stream.suspend(() => {
          if (Option.isNone(request.from)) began()
          return Stream.tap(reader.read(request), (page) =>
            Effect.sync(() => {
              if (request.purpose === "run") handed(page)
            }),
          )
        }),
    })),
})

/** The plugin as it is, with smaller batches: what 50 rows hide shows at 3. */
const inSmallBatches = (sink: Sink, rows: number): Sink => ({
  ...sink,
  open: (config, endpoint) =>
    Effect.map(
      sink.open(config, endpoint),
      (connection): Connection => ({
        ...connection,
        writer: (object, request) =>
          Effect.map(connection.writer(object, request), (writer) => ({
            ...writer,
            limits: { ...writer.limits, rows: Math.min(rows, writer.limits.rows) },
          })),
      }),
    ),
})

const drawFault = (dice: Dice): FaultKind => {
  const when = dice.pick(["before", "after"] as const)
  switch (dice.below(8)) {
    case 0:
      return { kind: "throttle", resetSeconds: 1 + dice.below(4) }
    case 1:
      return { kind: "error", status: dice.pick([500, 502, 503]), when }
    case 2:
      return { kind: "cut", when }
    case 3:
      return { kind: "cut", when: "after", bytes: 20 }
    case 4:
      return { kind: "slow", millis: 1500 }
    case 5:
      return { kind: "stall", millis: dice.pick([2000, 130_000]) }
    case 6:
      return { kind: "malformed" }
    default:
      return { kind: "truncated" }
  }
}

/** Every call is an operation of the machine, and every write at Brevo is shown to the oracles. */
const breakingClient = (
  machine: Machine,
  sandbox: Sandbox,
  latencyMillis: () => number,
  happened: () => void,
): HttpClient.HttpClient => {
  const inner = httpClient(sandbox)
  return HttpClient.make((request, url) =>
    Effect.gen(function* () {
      yield* Effect.sleep(latencyMillis())
      const isWrite = url.pathname.startsWith("/v3/") && request.method !== "GET"
      const label = `${isWrite ? "write" : "http"} ${request.method} ${url.pathname} ${url.searchParams.get("page") ?? ""}`
      const exchanged = inner.execute(request).pipe(Effect.onExit(() => Effect.sync(happened)))
      const response = yield* machine.operation(label, exchanged)
      machine.note(String(response.status))
      yield* Effect.sleep(latencyMillis())
      return response
    }),
  )
}

export const simulateVendors = (seed: number, log?: (line: string) => void): SeedResult => {
  const drawn = drawVendors(seed)
  log?.(JSON.stringify(drawn))
  const machine = makeMachine(start, log)
  const disk = makeDisk()
  try {
    return makeVendorStory(seed, drawn, machine, disk).play()
  } finally {
    disk.close()
  }
}

const makeVendorStory = (seed: number, drawn: Vendors, machine: Machine, disk: ReturnType<typeof makeDisk>) => {
  const script = makeDice(seed, 22)
  const vendor = makeDice(seed, 23)
  const travel = makeDice(seed, 24)
  const sandbox = Effect.runSync(
    makeSandbox({
      users: drawn.users,
      seed,
      limits: drawn.limits,
      importedAtOnce: drawn.importedAtOnce,
      indexLagMillis: drawn.lagMillis,
      until: start - 3_600_000,
    }).pipe(Effect.provideService(Clock.Clock, machine.clock)),
  )
  const { control } = sandbox
  const people = makeTenant(sandbox, machine, drawn.lagMillis)
  const churn = makeChurn(people, makeDice(seed, 25), { sharesEmails: false })
  let isCalm = false
  let isLossless = true
  let scanBegan = start
  let handed: Array<Handed> = []
  let cursor = 0
  let life = { created: 0, updated: 0, deleted: 0 }

  const destination: Destination = makeDestination({
    machine,
    route,
    repeatable: true,
    keyMoves: false,
    forgetsDeferred: false,
    content: (person: Person) =>
      drawn.where && !person.email_verified
        ? undefined
        : contentOf(person.email, person.given_name, person.email_verified),
    refuses: () => false,
    versions: people.versions,
    mayDelete: (id) =>
      drawn.onDelete === "delete" &&
      (people.absentSince(id, scanBegan) ||
        (drawn.onLeave === "on_delete" && people.versions(id).some((person) => !person.email_verified))),
  })

  /** Shows the oracles what Brevo has done since. */
  const observe = (): void => {
    const entries = control.journal()
    for (const { effect, key } of entries.slice(cursor)) {
      if (key === undefined || effect === "none") continue
      if (effect === "merged") {
        machine.violate("rule 7", `contacts were merged over ${key}`)
        return
      }
      const contact = effect === "deleted" ? undefined : control.contact(key)
      const content =
        contact && contentOf(contact.email, contact.attributes.FIRSTNAME, contact.attributes.EMAIL_VERIFIED)
      destination.applied(key, content, effect)
      life[effect] += 1
      if (isLossless) destination.answered([key])
      else destination.lost([key])
    }
    cursor = entries.length
  }

  const happened = (): void => {
    observe()
    if (!isCalm && script.chance(drawn.churn)) machine.note(churn())
  }

  const underTest: RouteUnderTest = {
    scenario: { key: "user_id", onDelete: drawn.onDelete, onLeave: drawn.onLeave },
    destination,
    probe: { began: () => {}, died: observe, ended: () => {}, acknowledged: undefined },
  }

  const modules = new Map<string, PluginModule>([
    [
      "./auth0.ts",
      {
        source: watched(
          auth0,
          () => {
            scanBegan = machine.now()
          },
          (page) => {
            handed.push({ position: JSON.stringify(page.position), records: page.records })
          },
        ),
      },
    ],
    ["./brevo.ts", { sink: inSmallBatches(brevo, drawn.rows) }],
  ])

  return makeStory({
    seed,
    machine,
    disk,
    script,
    people,
    routes: [underTest],
    pipelines: pipelinesOf(fileOf(drawn), modules),
    client: Layer.succeed(HttpClient.HttpClient)(
      breakingClient(machine, sandbox, () => travel.below(drawn.maxLatency + 1), happened),
    ),
    sync: drawn.sync,
    users: 2,
    crashes: drawn.crashes,
    hasJobs: false,
    tally: noJobs(),
    lagMillis: drawn.lagMillis,
    sharesEmails: false,
    churn,
    began: () => {
      handed = []
      life = { created: 0, updated: 0, deleted: 0 }
    },
    handed: () => handed,
    ended: (report) => {
      observe()
      if (sandbox.unmodelled.length > 0) {
        throw new Violation("sandbox", `not modelled: ${JSON.stringify(sandbox.unmodelled[0])}`)
      }
      if (isLossless && report.error === null) checkJournal(report, life)
    },
    storm: () => {
      control.faults.clear()
      const rules = script.below(drawn.faults + 1)
      for (let rule = 0; rule < rules; rule += 1) {
        control.faults.add({
          vendor: vendor.pick(["auth0", "brevo"] as const),
          fault: drawFault(vendor),
          skip: vendor.below(25),
          times: 1 + vendor.below(3),
        })
      }
      isLossless = rules === 0
      if (script.chance(0.2)) control.expireTokens()
    },
    calm: () => {
      isCalm = true
      isLossless = true
      control.faults.clear()
      control.indexLag(0)
    },
  })
}

/** I1: without a lost answer, what the report says was done is what the vendor's own journal says. */
const checkJournal = (
  report: PipelineReport,
  life: { readonly created: number; readonly updated: number; readonly deleted: number },
): void => {
  const counts = report.routes[route]
  if (counts === undefined || (report.recovered[route]?.delivered ?? 0) > 0) return
  // A contact that was gone already counts as deleted and is none of the journal's.
  if (counts.created !== life.created || counts.updated !== life.updated || counts.deleted < life.deleted) {
    throw new Violation("I1", `reported ${JSON.stringify(counts)}, the journal has ${JSON.stringify(life)}`)
  }
}
