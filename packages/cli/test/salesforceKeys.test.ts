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
