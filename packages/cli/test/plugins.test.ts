/** `sluice plugins`: everything that a pipeline file can name, by the plugins' own contracts. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { displayWidth } from "effect/cli/CliOutput"
import { afterAll, assert, describe, it } from "vitest"
import { root, sluice } from "./process.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-plugins-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
const pipeline = path.join(root, "examples/custom-sink/pipeline.yaml")

/** A package that is installed beside the pipeline file; only what package.json names counts. */
const install = (name: string, manifest: object, module: string) => {
  const target = path.join(folder, "node_modules", name)
  fs.mkdirSync(target, { recursive: true })
  fs.writeFileSync(path.join(target, "package.json"), JSON.stringify({ name, type: "module", ...manifest }))
  fs.writeFileSync(path.join(target, "index.js"), module)
}

const source = `
import * as Schema from "effect/Schema"
const none = Schema.Struct({})
const people = { description: "People. All of them.", options: none, record: none, modes: ["full"], snapshot: true }
export const source = { name: "acme", config: none, streams: { people }, open: () => undefined }
`

describe("sluice plugins", () => {
  it("lists what this version ships, in lines that fit", async () => {
    const { code, stdout } = await sluice(["plugins"], { COLUMNS: "80" })
    assert.strictEqual(code, 0)
    assert.match(stdout, /^auth0 +reads users +full, incremental/m)
    assert.match(stdout, /^brevo +writes contacts +by ext_id/m)
    for (const line of stdout.split("\n")) assert.isAtMost(displayWidth(line), 80)
  })

  it("--file adds those that a pipeline file names, by path and by package, and says what is wrong with one", async () => {
    const { stdout } = await sluice(["plugins", "--file", pipeline])
    assert.match(stdout, /^\.\/webhook\.ts +writes any object/m)
    const file = path.join(folder, "broken.yaml")
    fs.writeFileSync(file, "sources: { a: { use: ./absent.ts } }\nsinks: 7\n")
    const wrong = await sluice(["plugins", "--file", file])
    assert.strictEqual(wrong.code, 2)
    assert.include(wrong.stdout, "absent.ts")
    assert.match(wrong.stdout, /^brevo/m)
  })

  it("lists packages of package.json that are plugins, and no others", async () => {
    fs.writeFileSync(
      path.join(folder, "package.json"),
      JSON.stringify({ dependencies: { "acme-people": "1.0.0", leftpad: "1.0.0" } }),
    )
    const exports = "./index.js"
    install("acme-people", { exports, peerDependencies: { "@sluice/core": "*" } }, source)
    install("leftpad", { exports }, "throw new Error('loaded')")
    install("acme-stray", { exports, peerDependencies: { "@sluice/core": "*" } }, source)
    const file = path.join(folder, "some.yaml")
    fs.writeFileSync(file, "name: some")
    const { code, stdout } = await sluice(["plugins", "--file", file, "--json"])
    assert.strictEqual(code, 0)
    const uses = JSON.parse(stdout).plugins.map(({ use }: { use: string }) => use)
    assert.include(uses, "acme-people")
    assert.notInclude(uses, "leftpad")
    assert.notInclude(uses, "acme-stray")
  })

  it("shows one in full: keys with secrets and defaults, options, fields; --json has the same", async () => {
    const { stdout } = await sluice(["plugins", "brevo"], { COLUMNS: "80" })
    assert.match(stdout, /api_key +text, secret, required\./)
    assert.match(stdout, /allow_resubscribe +true or false, without it false\./)
    assert.match(stdout, /email +text, can be the key, at most 254 characters/)
    for (const line of stdout.split("\n")) assert.isAtMost(displayWidth(line), 80)
    const json = JSON.parse((await sluice(["plugins", "auth0", "users", "--json"])).stdout)
    assert.deepInclude(json.source.streams[0], { name: "users", modes: ["full", "incremental"], finds_deletions: true })
    assert.deepInclude(json.source.keys[2], { name: "client_secret", secret: true, required: false })
  })

  it("names what there is where a plugin, a stream or an object is not", async () => {
    const nobody = await sluice(["plugins", "brevoo"])
    assert.strictEqual(nobody.code, 2)
    assert.include(nobody.stderr, "brevoo")
    const part = await sluice(["plugins", "brevo", "deals"])
    assert.strictEqual(part.code, 2)
    assert.include(part.stderr, "it has contacts")
  })
})
