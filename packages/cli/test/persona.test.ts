/** The Persona files of configs/, run against the sandbox's environment: what a person gets who copies one. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { plan, preview, type RunOptions, run, SecretFileError } from "@sluice/core"
import { userType } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as digest } from "../src/node/digest.ts"
import { layer } from "../src/node/index.ts"
import { layer as plugins } from "../src/node/plugins.ts"
import { type Bench, bench, root } from "./process.ts"

const planned = (on: Bench, name: string, change: (text: string) => string = (text) => text) => {
  const file = join(root, `configs/${name}.yaml`)
  const readSecretFile = () => Effect.fail(new SecretFileError({ message: "no secret is in a file here" }))
  return plan({ file, text: change(readFileSync(file, "utf8")), env: on.env, readSecretFile }).pipe(
    Effect.provide(Layer.mergeAll(plugins, digest)),
  )
}

const services = (on: Bench) => layer({ stateFile: on.state, env: {} })

/** A run's counts by route, and the calls to Persona by route of its API. */
const go = (on: Bench, name: string, options: RunOptions = {}, change?: (text: string) => string) =>
  Effect.gen(function* () {
    const before = new Map(on.sandbox.counters.routes)
    const { pipelines } = yield* planned(on, name, change)
    const report = yield* run(pipelines, options).pipe(Effect.provide(services(on)))
    const calls = (route: string) =>
      (on.sandbox.counters.routes.get(`persona ${route}`) ?? 0) - (before.get(`persona ${route}`) ?? 0)
    return { report, routes: report.pipelines[0]?.routes ?? {}, calls }
  }).pipe(Effect.runPromise)

const accounts = "auth0-to-persona-accounts"
const cases = "auth0-blocked-to-persona-cases"

describe("users as accounts", () => {
  let on: Bench
  beforeAll(async () => {
    on = await bench({ users: 1000 })
  })
  afterAll(() => on.close())
  const persona = () => on.sandbox.control.persona
  const writes = (calls: (route: string) => number) => calls("POST /accounts") + calls("PATCH /accounts/:id")

  it("arrive with what is known of them, each once", async () => {
    const { report, routes } = await go(on, accounts)
    assert.isTrue(report.ok, JSON.stringify(report.pipelines[0]?.error))
    assert.deepInclude(routes["persona.accounts"], { read: 1000, created: 1000, rejected: 0 })
    assert.strictEqual(persona().accounts().length, 1000)
    const user = on.sandbox.control.users().find(({ user_metadata }) => user_metadata !== undefined)
    const held = persona().account(String(user?.user_id))
    assert.strictEqual(held?.attributes["email-address"], user?.email)
    assert.strictEqual(held?.fields.email_verified, user?.email_verified)
    assert.strictEqual(held?.fields.logins_count, user?.logins_count ?? 0)
    assert.deepStrictEqual(held?.fields.app_metadata, user?.app_metadata)
    assert.isTrue(held?.tags.includes("auth0"))
  })

  it("persona trap 19: of 1,000 with 5 % changed a later run makes a call for each, one for a hundred looks, and a third none", async () => {
    for (let n = 0; n < 50; n++) {
      on.sandbox.control.upsertUser({ user_id: on.sandbox.control.userId(n * 20), given_name: "Renamed" })
    }
    const second = await go(on, accounts, { fullRefresh: true })
    assert.deepInclude(second.routes["persona.accounts"], { updated: 50, unchanged: 950 })
    assert.strictEqual(writes(second.calls), 50)
    assert.strictEqual(second.calls("GET /accounts"), 1)
    const third = await go(on, accounts, { fullRefresh: true })
    assert.strictEqual(writes(third.calls) + third.calls("GET /accounts"), 0)
  })

  it("a first run over accounts that are there takes 10 looks and a write for each that differs; with look: new the next takes 50 calls", async () => {
    const unseen = (text: string) => `${text}          look: new\n`
    const elsewhere = { ...on, state: `${on.state}.other` }
    for (let n = 0; n < 50; n++) persona().edit(on.sandbox.control.userId(n * 20), { "name-first": "By hand" })
    const first = await go(elsewhere, accounts, {}, unseen)
    assert.strictEqual(first.calls("GET /accounts"), 10)
    assert.strictEqual(writes(first.calls), 50)
    for (let n = 0; n < 50; n++) {
      on.sandbox.control.upsertUser({ user_id: on.sandbox.control.userId(n * 20), given_name: "Once more" })
    }
    const later = await go(elsewhere, accounts, { fullRefresh: true }, unseen)
    assert.strictEqual(writes(later.calls) + later.calls("GET /accounts"), 50)
  })

  it("rule 6: preview shows before and after, and writes nothing", async () => {
    const [id, redacted] = [on.sandbox.control.userId(1), on.sandbox.control.userId(2)]
    persona().edit(id, { "name-first": "By hand" })
    persona().redact(redacted)
    const before = persona().journal().length
    const report = await Effect.gen(function* () {
      const { pipelines } = yield* planned(on, accounts)
      const [only] = pipelines
      if (only === undefined) return yield* Effect.die("the file has a pipeline")
      return yield* preview(only, { limit: 0, emails: [], ids: [id, redacted], reveal: true }).pipe(
        Effect.provide(services(on)),
      )
    }).pipe(Effect.runPromise)
    const rows = report.records.map(({ routes }) => routes["persona.accounts"])
    assert.deepStrictEqual(
      rows.map((each) => each?.action),
      ["change", "hold"],
    )
    const name = rows[0]?.fields.find(({ field }) => field === "name_first")
    assert.deepInclude(name, { before: "By hand", changed: true })
    assert.strictEqual(persona().journal().length, before)
  })
})

describe("users who are gone", () => {
  let on: Bench
  beforeAll(async () => {
    on = await bench({ users: 60 })
  })
  afterAll(() => on.close())
  const persona = () => on.sandbox.control.persona

  it("persona trap 12: who is gone is redacted only where the route and the run say so", async () => {
    const redacting = (text: string) =>
      text.replace("key: reference_id", "key: reference_id\n        on_delete: redact")
    await go(on, accounts, { fullRefresh: true }, redacting)
    const gone = on.sandbox.control.userId(7)
    on.sandbox.control.deleteUser(gone)
    const kept = await go(on, accounts, { reconcile: true })
    assert.strictEqual(kept.calls("DELETE /accounts/:id"), 0)
    const asked = await go(on, accounts, { reconcile: true }, redacting)
    assert.strictEqual(asked.calls("DELETE /accounts/:id"), 0)
    assert.include(asked.report.pipelines[0]?.notices.join(" "), "--allow-deletes 1")
    const allowed = await go(on, accounts, { reconcile: true, allowDeletes: 1 }, redacting)
    assert.deepInclude(allowed.routes["persona.accounts"], { deleted: 1 })
    assert.isTrue(persona().account(gone)?.isRedacted)
  })
})

describe("blocked users as cases", () => {
  let on: Bench
  beforeAll(async () => {
    on = await bench({ users: 60 })
  })
  afterAll(() => on.close())

  it("one for each, about the person's account, and no second one however often it runs", async () => {
    await go(on, accounts)
    const blocked = [...on.sandbox.control.users()].filter((user) => user.blocked === true)
    assert.isNotEmpty(blocked)
    const first = await go(on, cases)
    assert.isTrue(first.report.ok, JSON.stringify(first.report.pipelines[0]?.error))
    const open = on.sandbox.control.persona.cases()
    assert.strictEqual(open.length, blocked.length)
    assert.sameMembers(
      open.flatMap(({ objects }) => objects),
      blocked.map(({ user_id }) => on.sandbox.control.persona.account(String(user_id))?.id),
    )
    const again = await go(on, cases, { fullRefresh: true })
    assert.strictEqual(again.calls("POST /cases"), 0)
    assert.strictEqual(on.sandbox.control.persona.cases().length, blocked.length)
    assert.strictEqual(userType.id, on.env.PERSONA_ACCOUNT_TYPE)
    assert.deepStrictEqual(on.sandbox.unmodelled, [])
  })
})
