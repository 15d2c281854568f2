/** An independent client reads every record that our sink wrote, field by field: neither side marks its own work. */
import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "vitest"
import { jsforce } from "../../sandbox/test/jsforce.ts"
import { type Bench, bench, sluice } from "./process.ts"

const pipeline = (path: string) => `name: read-back
sources:
  tenant:
    use: auth0
    domain: \${AUTH0_DOMAIN}
    client_id: \${AUTH0_CLIENT_ID}
    client_secret: \${AUTH0_CLIENT_SECRET}
    base_url: \${AUTH0_BASE_URL:-}
sinks:
  crm: { use: salesforce, login_url: "\${SF_LOGIN_URL}", client_id: "\${SF_CLIENT_ID}", client_secret: "\${SF_CLIENT_SECRET}" }
pipelines:
  people:
    from: tenant.users
    to:
      crm.Contact:
        key: Auth0_Id__c
        map:
          Auth0_Id__c: user_id
          Email: email
          FirstName: given_name
          LastName: { from: family_name, default: "(unknown)" }
          Description: "user_id & ': \\"' & name & '\\",\\n#N/A'"
          Email_Verified__c: email_verified
          Signup_Date__c: { from: created_at, as: datetime }
          Last_Login__c: { from: last_login, as: datetime }
          Birthdate: { from: created_at, as: date }
          Logins_Count__c: { from: logins_count, as: integer }
          Plan__c: app_metadata.plan
          Avatar__c: picture
          Account.Auth0_Org_Id__c: { value: org_1 }
        with: { path: ${path}, match: [] }
`

const fields = [
  ...["Auth0_Id__c", "Email", "FirstName", "LastName", "Description", "Email_Verified__c", "Signup_Date__c"],
  ...["Last_Login__c", "Birthdate", "Logins_Count__c", "Plan__c", "Avatar__c", "AccountId"],
]

const object = (value: unknown): { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null ? { ...value } : {}

const instant = (text: unknown) => (typeof text === "string" ? `${text.slice(0, 19)}.000+0000` : null)

/** What the org should hold of a user, said here once more and by other means. */
const expected = (user: { readonly [key: string]: unknown }, account: string) => ({
  Auth0_Id__c: user.user_id,
  Email: user.email ?? null,
  FirstName: user.given_name ?? null,
  LastName: user.family_name ?? "(unknown)",
  Description: `${user.user_id}: "${user.name ?? ""}",\n#N/A`,
  Email_Verified__c: user.email_verified,
  Signup_Date__c: instant(user.created_at),
  Last_Login__c: instant(user.last_login),
  Birthdate: String(user.created_at).slice(0, 10),
  Logins_Count__c: user.logins_count ?? null,
  Plan__c: object(user.app_metadata).plan ?? null,
  Avatar__c: user.picture ?? null,
  AccountId: account,
})

const readBack = async (on: Bench) => {
  const connection = await jsforce(on.env.SF_LOGIN_URL ?? "")
  const soql = `SELECT ${fields.join(", ")} FROM Contact ORDER BY Auth0_Id__c`
  const { records } = await connection.query(soql, { autoFetch: true, maxFetch: 10_000 })
  return records.map((record) => {
    const { attributes: _, ...held } = object(record)
    return held
  })
}

describe("jsforce reads what our sink wrote", () => {
  for (const path of ["collections", "composite", "bulk"]) {
    it(`by ${path}, every record and field`, { timeout: 60_000 }, async () => {
      const on = await bench({ users: 210, salesforce: { bulkMillis: 100 } })
      try {
        const account = on.sandbox.control.salesforce.create("Account", { Name: "Acme", Auth0_Org_Id__c: "org_1" })
        const ran = await sluice(["run", on.write("read.yaml", pipeline(path)), "--state", on.state], on.env)
        assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
        const held = await readBack(on)
        const wanted = [...on.sandbox.control.users()].map((user) => expected(user, account))
        assert.strictEqual(held.length, wanted.length)
        const byKey = new Map(held.map((record) => [record.Auth0_Id__c, record]))
        const different = wanted.filter((each) => !isDeepStrictEqual(byKey.get(each.Auth0_Id__c), each))
        assert.deepStrictEqual(
          different.slice(0, 1).map((each) => byKey.get(each.Auth0_Id__c)),
          different.slice(0, 1),
        )
      } finally {
        await on.close()
      }
    })
  }
})
