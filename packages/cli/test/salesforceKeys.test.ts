// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/** Keys that are no text which tells capitals apart: numbers, and external ids that take ABC for abc. */
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { type Bench, bench, sluice } from "./process.ts"

const pipeline = (key: string, from: string, options: string) => `name: keys
sources:
  tenant: { use: auth0, domain: "\${AUTH0_DOMAIN}", client_id: "\${AUTH0_CLIENT_ID}", client_secret: "\${AUTH0_CLIENT_SECRET}", base_url: "\${AUTH0_BASE_URL}" }
sinks:
  crm: { use: salesforce, login_url: "\${SF_LOGIN_URL}", client_id: "\${SF_CLIENT_ID}", client_secret: "\${SF_CLIENT_SECRET}" }
pipelines:
  people:
    from: tenant.users
    to:
      crm.Contact:
        key: ${key}
        max_rejected: { percent: 100 }
        map:
          ${key}: ${from}
          LastName: { from: family_name, default: "(unknown)" }
          Email: email
        with: { ${options} }
`

interface Counts {
  readonly [count: string]: number
}

/** With a state of its own a run knows of no record: it goes by key. */
const run = async (on: Bench, file: string, state: string): Promise<Counts | undefined> => {
  const { stdout, stderr } = await sluice(["run", file, "--json", "--state", join(on.folder, state)], on.env)
  const report: { readonly pipelines: ReadonlyArray<{ readonly routes: { readonly [route: string]: Counts } }> } =
    JSON.parse(stdout === "" ? "{}" : stdout)
  assert.isDefined(report.pipelines?.[0]?.routes["crm.Contact"], stdout + stderr)
  return report.pipelines[0]?.routes["crm.Contact"]
}

describe("a number as the key", () => {
  const fields = [
    {
      object: "Contact",
      name: "Number__c",
      type: "double",
      precision: 18,
      scale: 0,
      externalId: true,
      idLookup: true,
      unique: true,
    },
  ] as const

  it.each(["collections", "composite", "bulk"])("finds its record by %s, in preview and in a run", async (path) => {
    const on = await bench({ users: 30, salesforce: { bulkMillis: 0, fields } })
    const key = '{ from: "$toMillis(created_at)", as: integer }'
    const file = on.write("keys.yaml", pipeline("Number__c", key, `path: ${path}`))
    assert.deepInclude(await run(on, file, "one.db"), { created: 30, updated: 0, rejected: 0 })
    const { stdout } = await sluice(["preview", file, "--json", "--limit", "30", "--state", on.state], on.env)
    assert.deepInclude(JSON.parse(stdout).pipelines[0].routes["crm.Contact"].actions, { leave: 30, create: 0 })
    assert.deepInclude(await run(on, file, "two.db"), { created: 0, updated: 30, rejected: 0 })
    const update = on.write("update.yaml", pipeline("Number__c", key, `path: ${path}, mode: update`))
    assert.deepInclude(await run(on, update, "three.db"), { updated: 30, rejected: 0 })
    assert.strictEqual(on.sandbox.control.salesforce.count("Contact"), 30)
    await on.close()
  })
})

describe("what preview says a run costs", () => {
  const field = {
    object: "Contact",
    type: "string",
    length: 255,
    externalId: true,
    idLookup: true,
    unique: true,
  } as const
  const fields = [
    { ...field, name: "Strict__c", caseSensitive: true },
    { ...field, name: "Loose__c" },
  ]

  /** Calls to Salesforce of a preview's forecast, and of the run. */
  const callsFor = async (on: Bench, name: string, options: string) => {
    const file = on.write(`${name}.yaml`, pipeline(name, "user_id", options))
    const state = ["--json", "--state", join(on.folder, `${name} ${options}.db`)]
    const preview = await sluice(["preview", file, "--limit", "1", ...state], on.env)
    const ran = await sluice(["run", file, ...state], on.env)
    return {
      forecast: Number(JSON.parse(preview.stdout).pipelines[0].run.calls.crm),
      real: Number(JSON.parse(ran.stdout).pipelines[0].calls.crm),
    }
  }

  it.each(["collections", "composite", "bulk"])(
    "has the queries of loose_key and of mode: update, by %s",
    async (path) => {
      const on = await bench({ users: 1500, salesforce: { bulkMillis: 0, fields } })
      const plain = await callsFor(on, "Strict__c", `path: ${path}, match: []`)
      const loose = await callsFor(on, "Loose__c", `path: ${path}, match: [], loose_key: true`)
      const update = await callsFor(on, "Strict__c", `path: ${path}, mode: update`)
      for (const more of [loose, update]) {
        assert.isAbove(more.real, plain.real)
        assert.strictEqual(more.forecast - plain.forecast, more.real - plain.real)
      }
      await on.close()
    },
  )
})

describe("a key that takes ABC for abc, with loose_key", () => {
  const fields = [
    {
      object: "Contact",
      name: "Loose__c",
      type: "string",
      length: 255,
      externalId: true,
      idLookup: true,
      unique: true,
    },
  ] as const
  const options = (path: string, more = "") => `path: ${path}, loose_key: true, match: []${more}`

  it.each([
    ["collections", ""],
    ["composite", ""],
    ["bulk", ""],
    ["collections", ", mode: update"],
  ])("is one user's, though another with other capitals comes in a later run: %s%s", async (path, mode) => {
    const on = await bench({ users: 0, salesforce: { bulkMillis: 0, fields } })
    const file = on.write("keys.yaml", pipeline("Loose__c", "user_id", options(path)))
    const { control } = on.sandbox
    control.upsertUser({ user_id: "auth0|Abc", family_name: "First" })
    assert.deepInclude(await run(on, file, "one.db"), { created: 1, rejected: 0 })
    control.upsertUser({ user_id: "auth0|abc", family_name: "Second" })
    control.upsertUser({ user_id: "auth0|other", family_name: "Third" })
    const later = on.write("later.yaml", pipeline("Loose__c", "user_id", options(path, mode)))
    const { rejected, updated } = (await run(on, later, "one.db")) ?? {}
    // Another mode sends the first one again. The third has no record to update.
    assert.deepStrictEqual([updated, rejected], mode === "" ? [0, 1] : [1, 2])
    const [first, ...others] = control.salesforce.records("Contact")
    assert.deepInclude(first, { Loose__c: "auth0|Abc", LastName: "First" })
    assert.deepStrictEqual(
      others.map(({ LastName }) => LastName),
      mode === "" ? ["Third"] : [],
    )
    const letters = await sluice(["dead-letters", "list", "--json", "--state", join(on.folder, "one.db")], on.env)
    assert.include(letters.stdout, "key_conflict")
    const { stdout } = await sluice(["preview", later, "--json", "--state", on.state], on.env)
    assert.deepInclude(JSON.parse(stdout).pipelines[0].routes["crm.Contact"].actions, { hold: 1 })
    await on.close()
  })

  it("is one user's among batches that are on their way together", async () => {
    const on = await bench({ users: 0, salesforce: { bulkMillis: 0, fields } })
    const file = on.write("keys.yaml", pipeline("Loose__c", "user_id", options("collections")))
    const pad = (n: number) => `auth0|${String(n).padStart(4, "0")}`
    for (let n = 0; n < 300; n++) on.sandbox.control.upsertUser({ user_id: `${pad(n)}x`, family_name: "Small" })
    for (let n = 0; n < 300; n++) on.sandbox.control.upsertUser({ user_id: `${pad(n)}X`, family_name: "Large" })
    assert.deepInclude(await run(on, file, "one.db"), { created: 300, updated: 0, rejected: 300 })
    assert.strictEqual(on.sandbox.control.salesforce.count("Contact"), 300)
    await on.close()
  })
})
