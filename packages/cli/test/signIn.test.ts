/** Signing in by a key in a file: from `${file:…}` to a tenant that verifies, and what is said where the file is wrong. */
import { generateKeyPairSync } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, type Finished, sluice } from "./process.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()

let vendors: Bench
let file: string
let key: string

const pipeline = `
sources:
  tenant:
    use: auth0
    base_url: \${AUTH0_BASE_URL}
    domain: \${AUTH0_DOMAIN}
    client_id: \${AUTH0_CLIENT_ID}
    private_key: \${file:secrets/key.pem}
sinks: { brevo: { use: brevo, api_key: "\${BREVO_API_KEY}", base_url: "\${BREVO_BASE_URL}" } }
pipelines:
  users: { from: tenant.users, to: { brevo.contacts: { map: { ext_id: user_id, email: email } } } }
`

beforeAll(async () => {
  vendors = await bench({ clientKey: { publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() } })
  fs.mkdirSync(path.join(vendors.folder, "secrets"))
  file = vendors.write("pipeline.yaml", pipeline)
  key = path.join(vendors.folder, "secrets/key.pem")
})

afterAll(() => vendors.close())

const write = (text: string, mode = 0o600) => {
  fs.rmSync(key, { force: true })
  fs.writeFileSync(key, text, { mode })
}

const check = (...flags: ReadonlyArray<string>) =>
  sluice(["check", file, ...flags, "--state", vendors.state], vendors.env)

const shown = ({ stdout, stderr }: Finished): string => (stdout + stderr).replaceAll(/\s+/g, " ")

describe("private_key from a file beside the pipeline file", () => {
  it("signs in, from any working directory", async () => {
    write(pem)
    const done = await check("--connect")
    assert.strictEqual(done.code, 0, shown(done))
  })

  it("that every user can read is a warning at its line, and no failure", async () => {
    write(pem, 0o644)
    const done = await check()
    assert.strictEqual(done.code, 0, shown(done))
    assert.match(shown(done), /pipeline.yaml:8:18 .*chmod 600/)
  })

  it("that is not there is an error at its line, and ends with 3", async () => {
    fs.rmSync(key, { force: true })
    const done = await check()
    assert.strictEqual(done.code, 3, shown(done))
    assert.match(shown(done), /pipeline.yaml:8:18 .*secrets\/key.pem does not exist/)
  })

  it("that holds something else is an error of its source, ends with 2 and shows nothing of it", async () => {
    write("canary-no-key")
    const done = await check("--connect")
    assert.strictEqual(done.code, 2, shown(done))
    assert.match(shown(done), /pipeline.yaml:3:3 .*tenant: The private key is no PEM text/)
    assert.notInclude(shown(done), "canary")
  })
})
