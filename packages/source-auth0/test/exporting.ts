/** Scans of a sandbox by exports, on a clock that moves by itself. */
import { CurrentLimiters, makeLimiters, type Page, type ScanRequest, type SourceError } from "@sluice/core"
import {
  credentials,
  type FaultKind,
  httpClient,
  makeSandbox,
  type Sandbox,
  type SandboxOptions,
  tenantDomain,
} from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { source } from "../src/index.ts"
import type { UserOptions } from "../src/options.ts"
import { endpoint, noState, request, userOptions } from "./tenant.ts"

export const sandboxOf = (options: Partial<SandboxOptions> = {}) =>
  makeSandbox({ users: 60, seed: 7, limits: "off", ...options })

type Flaw = (FaultKind & { readonly kind: "export" })["flaw"]

export const strike = (sandbox: Sandbox, flaw: Flaw) =>
  sandbox.control.faults.add({ vendor: "auth0", fault: { kind: "export", flaw }, times: 1 })

export const open = (sandbox: Sandbox, client = httpClient(sandbox)) =>
  source
    .open(
      {
        domain: tenantDomain("sandbox"),
        client_id: credentials.clientId,
        client_secret: Redacted.make(credentials.clientSecret),
        plan: "private_cloud_10000",
      },
      { ...endpoint, baseUrl: "https://sandbox.example.com/auth0" },
    )
    .pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentLimiters, makeLimiters()),
      Effect.provide(noState),
    )

const count = (sandbox: Sandbox, route: string) => sandbox.counters.routes.get(`auth0 ${route}`) ?? 0
/** Jobs made, looks at them, and files asked for. */
export const jobs = (sandbox: Sandbox) => ({
  made: count(sandbox, "POST /api/v2/jobs/users-exports"),
  looks: count(sandbox, "GET /api/v2/jobs/:id"),
  files: count(sandbox, "GET /user-exports/:job/:file"),
})

const aWhile = Effect.gen(function* () {
  for (let turn = 0; turn < 20; turn++) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
})

/** Lets time pass until the effect has ended, and slowly once a file is read: unpacking takes real time. */
export const onClock = <A, E>(sandbox: Sandbox, effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const { files } = jobs(sandbox)
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      if (jobs(sandbox).files > files) yield* aWhile
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

export interface Scanned {
  readonly pages: ReadonlyArray<Page>
  readonly error: SourceError | undefined
}

export type Over = Partial<ScanRequest<UserOptions>> & { readonly read?: "auto" | "search" | "export" }

/** A scan with a reader of its own, and what came of it; `read: export` unless said otherwise. */
export const scan = (sandbox: Sandbox, { read = "export", ...over }: Over = {}, client = httpClient(sandbox)) =>
  Effect.gen(function* () {
    const reader = yield* open(sandbox, client)
    const pages: Array<Page> = []
    const whole = request({ options: userOptions({ read }), ...over })
    const drained = Stream.runForEach(reader.read(whole), (page) => Effect.sync(() => void pages.push(page)))
    const outcome = Effect.match(drained, { onFailure: (error) => error, onSuccess: () => undefined })
    const error = yield* onClock(sandbox, outcome)
    const records = pages.flatMap((page) => page.records)
    return {
      pages,
      error,
      records,
      keys: records.map(({ key }) => key),
      last: Option.fromUndefinedOr(pages.at(-1)?.position),
      completeness: yield* reader.completeness ?? Effect.undefined,
    }
  }).pipe(Effect.scoped)

export const ids = (sandbox: Sandbox) => [...sandbox.control.users().map(({ user_id }) => user_id)].sort()
