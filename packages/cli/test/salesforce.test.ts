/** The Salesforce files of configs/, run against the sandbox's organization: what a person gets who copies one. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { checkConnected, plan, run, SecretFileError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as digest } from "../src/node/digest.ts"
import { layer } from "../src/node/index.ts"
import { layer as plugins } from "../src/node/plugins.ts"
import { type Bench, bench, root, sluice } from "./process.ts"

const fileOf = (name: string) => join(root, `configs/${name}.yaml`)

const planned = (on: Bench, name: string) => {
  const file = fileOf(name)
  const readSecretFile = () => Effect.fail(new SecretFileError({ message: "no secret is in a file here" }))
  return plan({ file, text: readFileSync(file, "utf8"), env: on.env, readSecretFile }).pipe(
    Effect.provide(Layer.mergeAll(plugins, digest)),
  )
}

const services = (on: Bench) => layer({ stateFile: on.state, env: {} })

/** A run's counts by route, what it wrote in the organization, and how many calls that took. */
const go = (on: Bench, name: string) =>
  Effect.gen(function* () {
    const { salesforce } = on.sandbox.control
    const before = salesforce.journal().length
    const { pipelines } = yield* planned(on, name)
    const report = yield* run(pipelines).pipe(Effect.provide(services(on)))
    const [only] = report.pipelines
    assert.isTrue(report.ok, JSON.stringify(only?.error))
    return { routes: only?.routes ?? {}, writes: salesforce.journal().length - before, calls: only?.calls.crm }
  }).pipe(Effect.runPromise)

const users = (on: Bench) => [...on.sandbox.control.users()]
const people = (on: Bench, object: string) => on.sandbox.control.salesforce.records(object)

describe("signups as Leads", () => {
  const name = "auth0-signups-to-salesforce-leads"
  let on: Bench
  beforeAll(async () => {
    on = await bench({ users: 60 })
  })
  afterAll(() => on.close())
  const signups = () => users(on).filter((user) => user.blocked !== true)

  it("a Contact of the person is taken for the Lead, and preview --explain says so", async () => {
    const { salesforce } = on.sandbox.control
    const known = signups()[3]
    const contact = salesforce.create("Contact", { LastName: "Known", Email: known?.email })
    const args = ["preview", fileOf(name), "--explain", "--id", String(known?.user_id), "--state", on.state]
    assert.include(
      (await sluice(args, on.env)).stdout.replaceAll(/\s+/g, " "),
      `because: Email is on Contact ${contact}, which has no Auth0_Id__c yet`,
    )
    const { routes } = await go(on, name)
    assert.deepInclude(routes["crm.Lead"], { read: 60, rejected: 0, created: signups().length - 1, updated: 1 })
    assert.strictEqual(people(on, "Lead").length, signups().length - 1)
    assert.deepInclude(salesforce.record("Contact", "Id", contact), { Auth0_Id__c: known?.user_id })
  })

  it("a second run sends nothing: three calls say who we are and what there is", async () => {
    assert.deepInclude(await go(on, name), { writes: 0, calls: 3 })
  })

  it("a Lead that a person converts meanwhile leads to its Contact from then on", async () => {
    const { control } = on.sandbox
    const [lead] = people(on, "Lead")
    const contact = control.salesforce.create("Contact", { LastName: "Converted" })
    control.salesforce.convertLead(lead?.Id ?? "", contact)
    control.upsertUser({ user_id: String(lead?.Auth0_Id__c), app_metadata: { plan: "enterprise" } })
    await go(on, name)
    assert.deepInclude(control.salesforce.record("Contact", "Id", contact), {
      Plan__c: "enterprise",
      Auth0_Id__c: lead?.Auth0_Id__c,
    })
  })
})

describe("profiles as Contacts, and what becomes of them", () => {
  let on: Bench
  beforeAll(async () => {
    on = await bench({ users: 60 })
  })
  afterAll(() => on.close())

  it("are as Auth0 has them, field by field", async () => {
    const name = "auth0-profiles-to-salesforce-contacts"
    const { pipelines } = await Effect.runPromise(planned(on, name))
    const checked = await Effect.runPromise(checkConnected(pipelines).pipe(Effect.provide(services(on))))
    assert.deepStrictEqual(checked.findings, [])
    const { routes } = await go(on, name)
    assert.deepInclude(routes["crm.Contact"], { read: 60, created: 60, rejected: 0 })
    for (const user of users(on)) {
      const held = on.sandbox.control.salesforce.record("Contact", "Auth0_Id__c", user.user_id)
      assert.strictEqual(held?.Email, user.email)
      assert.strictEqual(held?.LastName, user.family_name ?? user.nickname)
      assert.strictEqual(held?.Email_Verified__c, user.email_verified)
    }
    assert.deepInclude(await go(on, name), { writes: 0 })
  })

  it("blocked users are marked, and their Contact's owner gets one task, however often the file runs", async () => {
    const { control } = on.sandbox
    const name = "auth0-deactivations-to-salesforce"
    const blocked = users(on).filter((user) => user.blocked === true)
    assert.isNotEmpty(blocked)
    control.upsertUser({ user_id: "auth0|stranger", email: "stranger@example.com", blocked: true })
    for (let n = 0; n < 2; n++) await go(on, name)
    assert.strictEqual(people(on, "Contact").length, 60)
    const contacts = blocked.map(({ user_id }) => control.salesforce.record("Contact", "Auth0_Id__c", user_id))
    for (const contact of contacts) assert.deepInclude(contact, { Blocked__c: true, Auth0_Status__c: "Blocked" })
    const tasks = people(on, "Task").map(({ WhoId, OwnerId }) => `${WhoId} of ${OwnerId}`)
    assert.sameMembers(
      tasks,
      contacts.map((contact) => `${contact?.Id} of ${contact?.OwnerId}`),
    )

    control.upsertUser({ user_id: String(blocked[0]?.user_id), blocked: false })
    await go(on, name)
    assert.deepInclude(control.salesforce.record("Contact", "Auth0_Id__c", blocked[0]?.user_id), {
      Auth0_Status__c: "Active",
    })
  })

  it("one read goes to Brevo and to Salesforce", async () => {
    const { routes } = await go(on, "auth0-to-everything")
    assert.deepInclude(routes["brevo.contacts"], { rejected: 0, created: 61 })
    assert.deepInclude(routes["crm.Contact"], { rejected: 0, read: 61 })
    assert.strictEqual(people(on, "Contact").length, 61)
  })
})
