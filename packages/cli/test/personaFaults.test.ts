/** D08: the Persona files of configs/ through the real engine, while the service fails, falls silent and throttles. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import {
  CurrentLimiters,
  listDeadLetters,
  makeLimiters,
  plan,
  type RunOptions,
  run,
  SecretFileError,
} from "@sluice/core"
import { environment, type FaultKind, httpClient, makeSandbox, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { layer, type NodeServices } from "../src/node/index.ts"
import { root } from "./process.ts"

const USERS = 200

const planned = (name: string, change: (text: string) => string) => {
  const file = join(root, `configs/${name}.yaml`)
  const readSecretFile = () => Effect.fail(new SecretFileError({ message: "no secret is in a file here" }))
  const text = change(readFileSync(file, "utf8"))
  return plan({ file, text, env: environment("http://127.0.0.1:1"), readSecretFile })
}

/** With limiters of its own. The test's clock runs while the sandbox answers. */
const aProcess = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow))).pipe(
    Effect.provideService(CurrentLimiters, makeLimiters()),
  )

const go = Effect.fnUntraced(function* (
  name: string,
  options: RunOptions = {},
  change: (text: string) => string = (text) => text,
) {
  const { pipelines } = yield* planned(name, change)
  const [report] = (yield* aProcess(run(pipelines, options))).pipelines
  const [counts] = Object.values(report?.routes ?? {})
  if (counts === undefined) return yield* Effect.die(new Error(JSON.stringify(report?.error)))
  return counts
})

const accounts = "auth0-to-persona-accounts"

/** A case for everybody: the file itself has too few for chance to hit. */
const cases = "auth0-blocked-to-persona-cases"
const everybody = (text: string) =>
  text.replace("where: blocked = true", "where: user_id\n        max_rejected: { percent: 100 }")

const faults: ReadonlyArray<FaultKind> = [
  { kind: "error", status: 500, when: "before" },
  { kind: "error", status: 500, when: "after" },
  { kind: "error", status: 503, when: "before" },
  { kind: "cut", when: "before" },
  { kind: "cut", when: "after" },
  { kind: "throttle", resetSeconds: 3 },
  { kind: "truncated" },
]

const stale: FaultKind = { kind: "refused", status: 409, code: "Stale object error", message: "Please try again" }

/** How often each fault strikes in one run after the other, and then not at all. */
const weather = [0.05, 0.02, 0]

const disturb = ({ control }: Sandbox, probability: number) => {
  control.faults.clear()
  if (probability === 0) return
  for (const fault of faults) control.faults.add({ vendor: "persona", fault, probability })
  control.faults.add({ vendor: "persona", fault: stale, probability, access: "write" })
}

const doubled = (values: ReadonlyArray<unknown>) => values.length - new Set(values).size

const inTenant = (seed: number, body: (sandbox: Sandbox) => Effect.Effect<void, unknown, NodeServices>) =>
  Effect.gen(function* () {
    const sandbox = yield* makeSandbox({ users: USERS, seed, limits: "off" })
    yield* body(sandbox).pipe(
      Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
      Effect.provide(Layer.fresh(layer({ stateFile: ":memory:", env: {} }))),
    )
    const { journal } = sandbox.control.persona
    const keyed = journal().flatMap(({ idempotencyKey }) => idempotencyKey ?? [])
    assert.strictEqual(doubled(keyed), 0, "a key had an effect twice")
    assert.deepStrictEqual(sandbox.unmodelled, [])
  })

describe("while Persona fails, falls silent, throttles and finds objects stale", () => {
  for (const seed of [3, 6]) {
    it.effect(`D08: no account is lost, doubled or reported wrongly (seed ${seed})`, () =>
      inTenant(
        seed,
        Effect.fnUntraced(function* (sandbox) {
          const { persona } = sandbox.control
          let [created, rejected] = [0, 0]
          for (const probability of weather) {
            disturb(sandbox, probability)
            const counts = yield* go(accounts)
            created += counts.created
            rejected += counts.rejected + counts.in_doubt
          }
          const held = persona.accounts()
          assert.strictEqual(doubled(held.map(({ referenceId }) => referenceId)), 0)
          assert.strictEqual(held.length, USERS)
          assert.strictEqual(rejected, 0)
          assert.isAtMost(created, USERS)
          const writes = persona.journal().length
          assert.deepInclude(yield* go(accounts, { fullRefresh: true }), { unchanged: USERS })
          assert.strictEqual(persona.journal().length, writes)
        }),
      ),
    )

    it.effect(`D08: no case is lost, opened twice or reported wrongly (seed ${seed})`, () =>
      inTenant(
        seed,
        Effect.fnUntraced(function* (sandbox) {
          const { persona } = sandbox.control
          yield* go(accounts)
          for (const probability of weather) {
            disturb(sandbox, probability)
            yield* go(cases, {}, everybody)
          }
          const about = persona.cases().flatMap(({ objects }) => objects)
          assert.strictEqual(doubled(about), 0, "a second case")
          const letters = yield* listDeadLetters({ limit: USERS })
          assert.deepStrictEqual([...new Set(letters.map(({ kind }) => kind))], ["in_doubt"])
          const doubtful = new Set(letters.map(({ id }) => id))
          const last = yield* go(cases, { fullRefresh: true }, everybody)
          assert.deepInclude(last, { unchanged: USERS - doubtful.size, in_doubt: doubtful.size, rejected: 0 })
          const missing = persona.accounts().filter(({ id }) => !about.includes(id))
          assert.isTrue(
            missing.every(({ referenceId }) => doubtful.has(referenceId ?? "")),
            "a case is missing",
          )
        }),
      ),
    )
  }
})
