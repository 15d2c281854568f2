/** The sink against the sandbox's environment: the limit shared with live checks, and what a run costs in calls. */
import { assert, describe, it } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, type Row } from "@sluice/core"
import { credentials, httpClient, makeSandbox, type Sandbox, type SandboxOptions, userType } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as TestClock from "effect/testing/TestClock"
import { memory, open, type Setup } from "./vendor.ts"

const sandboxOf = (over: Partial<SandboxOptions> = {}) => makeSandbox({ users: 0, seed: 1, limits: "real", ...over })

const person = (n: number, company: string): Row => ({
  id: `auth0|${n}`,
  key: `auth0|${n}`,
  change: "upsert",
  fields: { reference_id: `auth0|${n}`, name_first: `Ada ${n}`, "fields.company": company },
})

const people = (count: number, companyOf: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => person(n, companyOf(n)))

const opened = (sandbox: Sandbox, setup: Setup = {}) =>
  open({
    config: { api_key: credentials.personaKey },
    fields: ["reference_id", "name_first", "fields.company"],
    options: { account_type: userType.id },
    ...setup,
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    memory,
  )

let batches = 0

/** Batches one after the other, as the engine sends them. */
const writeAll = Effect.fnUntraced(function* (sandbox: Sandbox, rows: ReadonlyArray<Row>, setup: Setup = {}) {
  const writer = yield* opened(sandbox, setup)
  for (let from = 0; from < rows.length; from += writer.limits.rows) {
    yield* writer.write({ id: `b${++batches}`, attempt: 1, rows: rows.slice(from, from + writer.limits.rows) })
  }
})

const moving = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow)))

const calls = (sandbox: Sandbox, route: string) => sandbox.counters.routes.get(`persona ${route}`) ?? 0
const refused = (sandbox: Sandbox) => sandbox.counters.statuses.get("persona 429") ?? 0

describe("the limit that live checks share", () => {
  it.effect("persona trap 1: a run takes 240 of each minute's 300 unless told otherwise, and is never refused", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      yield* moving(
        writeAll(
          sandbox,
          people(700, () => "Example Ltd"),
        ),
      )
      assert.strictEqual(refused(sandbox), 0)
      const minutes = Map.groupBy(sandbox.control.persona.journal(), ({ time }) => Math.floor(time / 60_000))
      assert.isAtMost(Math.max(...[...minutes.values()].map((entries) => entries.length)), 240)
      assert.strictEqual(sandbox.control.persona.accounts().length, 700)
    }),
  )

  it.effect("persona trap 1: what people being verified use is not taken from them", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const checks = Effect.forever(
        Effect.andThen(
          Effect.sync(() => sandbox.control.persona.liveChecks(50)),
          Effect.sleep("1 minute"),
        ),
      )
      yield* Effect.raceFirst(
        moving(
          writeAll(
            sandbox,
            people(500, () => "Example Ltd"),
          ),
        ),
        checks,
      )
      assert.strictEqual(refused(sandbox), 0)
      assert.strictEqual(sandbox.control.persona.accounts().length, 500)
    }),
  )
})

describe("calls for 1,000 records", () => {
  const before = (sandbox: Sandbox) => {
    for (let n = 0; n < 1000; n++) {
      const attributes = { "name-first": `Ada ${n}`, fields: { company: n % 20 === 0 ? "Old Ltd" : "Example Ltd" } }
      sandbox.control.persona.create(`auth0|${n}`, attributes, userType.id)
    }
  }

  it.effect(
    "persona trap 19: a first run over accounts that are there costs a hundredth of a call each, and one for a change",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ limits: "off" })
        before(sandbox)
        yield* writeAll(
          sandbox,
          people(1000, () => "Example Ltd"),
        )
        assert.strictEqual(calls(sandbox, "GET /accounts"), 10)
        assert.strictEqual(calls(sandbox, "PATCH /accounts/:id"), 50)
        assert.strictEqual(calls(sandbox, "POST /accounts"), 0)
        yield* writeAll(
          sandbox,
          people(1000, () => "Example Ltd"),
        )
        assert.strictEqual(sandbox.control.persona.journal().length, 50)
      }),
  )
})

describe("the sandbox's choices about what nobody has documented", () => {
  for (const upsertBy of ["reference-id", "reference_id", "none"] as const) {
    it.effect(`persona trap 2: no account is doubled where upsert-by is ${upsertBy}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ limits: "off", persona: { upsertBy } })
        yield* moving(
          writeAll(
            sandbox,
            people(20, () => "One"),
          ),
        )
        yield* moving(
          writeAll(
            sandbox,
            people(25, () => "Two"),
          ),
        )
        const accounts = sandbox.control.persona.accounts()
        assert.strictEqual(accounts.length, 25)
        assert.isTrue(accounts.every(({ fields }) => fields.company === "Two"))
        assert.deepStrictEqual(sandbox.unmodelled, [])
      }),
    )
  }

  it.effect("D08: a failure that Persona keeps for its key does not keep the row from arriving", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "off" })
      const fault = { vendor: "persona", method: "POST", times: 3 } as const
      sandbox.control.faults.add({ ...fault, fault: { kind: "error", status: 500, when: "before" } })
      sandbox.control.faults.add({ ...fault, fault: { kind: "error", status: 500, when: "after" } })
      sandbox.control.faults.add({ ...fault, fault: { kind: "cut", when: "after" } })
      yield* moving(
        writeAll(
          sandbox,
          people(20, () => "One"),
        ),
      )
      assert.strictEqual(sandbox.control.persona.accounts().length, 20)
    }),
  )
})
