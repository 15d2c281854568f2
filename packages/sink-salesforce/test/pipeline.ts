/** Users of the sandbox's tenant in a pipeline to its Salesforce organization, run by the shipped engine on a test's clock. */
import { readFileSync } from "node:fs"
import {
  CurrentLimiters,
  makeLimiters,
  type PipelineReport,
  Plugins,
  plan,
  type RouteCounts,
  run,
  SecretFileError,
} from "@sluice/core"
import { httpClient, makeSandbox, type Sandbox, type SandboxOptions, tenantDomain } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { layer as digest } from "../../cli/src/node/digest.ts"
import { layer } from "../../cli/src/node/index.ts"
import { source } from "../../source-auth0/src/index.ts"
import { sink } from "../src/index.ts"
import { onMovingClock } from "./vendor.ts"

const template = readFileSync(new URL("pipeline.yaml", import.meta.url), "utf8")

const plugins = Layer.succeed(Plugins)({ load: (use) => Effect.succeed(use === "auth0" ? { source } : { sink }) })

export interface Setup extends Partial<SandboxOptions> {
  readonly path: "auto" | "collections" | "composite" | "bulk"
}

export interface Ran {
  readonly report: PipelineReport
  readonly counts: RouteCounts
  /** Calls to Salesforce. */
  readonly calls: number
}

const ROUTE = "crm.Contact"

const pipelineFor = (path: Setup["path"]) =>
  plan({
    file: "pipeline.yaml",
    text: template.replace("PATH", path).replaceAll("DOMAIN", tenantDomain("sandbox")),
    env: {},
    readSecretFile: () => Effect.fail(new SecretFileError({ message: "there is none" })),
  }).pipe(Effect.provide(Layer.mergeAll(plugins, digest)))

export const open = Effect.fnUntraced(function* ({ path, ...options }: Setup) {
  const sandbox = yield* makeSandbox({ users: 210, seed: 3, limits: "high", ...options })
  const { pipelines } = yield* pipelineFor(path)
  const limiters = makeLimiters()
  const services = yield* Layer.build(Layer.fresh(layer({ stateFile: ":memory:", env: {} })))
  const execute = Effect.gen(function* () {
    const { pipelines: reports } = yield* onMovingClock(run(pipelines)).pipe(
      Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
      Effect.provideService(CurrentLimiters, limiters),
      Effect.provide(services),
    )
    const [report] = reports
    const counts = report?.routes[ROUTE]
    if (report === undefined || counts === undefined) return yield* Effect.die(new Error("the run has no report"))
    const ran: Ran = { report, counts, calls: report.calls.crm ?? 0 }
    return ran
  })
  return { sandbox, execute }
})

/** How often each user is a Contact as Auth0 has it now. */
export const copies = ({ control }: Sandbox): ReadonlyMap<string, number> => {
  const held = Map.groupBy(control.salesforce.records("Contact"), (record) => String(record.Auth0_Id__c))
  return new Map(
    [...control.users()].map((user) => {
      const records = held.get(String(user.user_id)) ?? []
      const same = records.filter(
        (record) => record.Email === user.email && (record.Nickname__c ?? null) === (user.nickname ?? null),
      )
      return [String(user.user_id), same.length === records.length ? records.length : -1] as const
    }),
  )
}
