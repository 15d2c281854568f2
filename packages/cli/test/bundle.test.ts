/** The command line as it is published: what it does, and what it loads, which is the structure behind its start. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Bench, bench, config, root, start } from "./process.ts"

const preload = path.join(import.meta.dirname, "node", "modules.ts")
const source = path.join(root, "packages/cli/src/bin.ts")
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sluice-bundle-")))
const built = path.join(folder, "built")
const bin = path.join(built, "bin.js")
let vendors: Bench

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [path.join(root, "packages/cli/build/build.ts"), built])
  vendors = await bench()
}, 60_000)

afterAll(async () => {
  fs.rmSync(folder, { recursive: true, force: true })
  await vendors.close()
})

const write = (name: string, text: string): string => {
  const file = path.join(folder, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}

describe("the bundle", () => {
  const sluice = (...args: ReadonlyArray<string>) => start([...args, "--json"], vendors.env, bin).done

  it("checks, previews and runs with the plugins in it; a second run writes nothing", async () => {
    const state = ["--state", vendors.state]
    for (const command of ["check", "preview"]) {
      const { code, stderr } = await sluice(command, config, ...(command === "check" ? ["--connect"] : []), ...state)
      assert.strictEqual(code, 0, stderr)
    }
    const run = async () => {
      const { stdout, stderr } = await sluice("run", config, ...state)
      assert.notInclude(stderr, "error")
      return JSON.parse(stdout).pipelines[0].routes["brevo.contacts"]
    }
    assert.strictEqual((await run()).created, 30)
    const second = await run()
    assert.strictEqual(second.created + second.updated, 0)
  })

  /** Short names and long ones, modules and barrels: all have to be the copy that made the secret. */
  const sink = `
import { writeFileSync } from "node:fs"
import { Outcome, Sink } from "@sluice/core"
import { Effect, Schema } from "effect"
import { HttpClient } from "effect/http"
import * as Redacted from "effect/Redacted"

export const sink = Sink.simple({
  name: "mine",
  config: Schema.Struct({ api_key: Schema.RedactedFromValue(Schema.String) }),
  write: Effect.fn(function* (batch, config) {
    yield* HttpClient.HttpClient
    writeFileSync(new URL("secret", import.meta.url), Redacted.value(config.api_key))
    return batch.rows.map(({ id }) => Outcome.Delivered({ id, effect: "accepted" }))
  }),
})
`
  const pipeline = `
sources:
  tenant:
    use: auth0
    base_url: \${AUTH0_BASE_URL}
    domain: \${AUTH0_DOMAIN}
    client_id: \${AUTH0_CLIENT_ID}
    client_secret: \${AUTH0_CLIENT_SECRET}
sinks: { mine: { use: ./sink.ts, api_key: test-secret } }
pipelines:
  users: { from: tenant.users, to: { mine.users: { key: id, map: { id: user_id } } } }
`

  const runsWithOurCopy = async (name: string) => {
    const file = write(`${name}/pipeline.yaml`, pipeline)
    write(`${name}/sink.ts`, sink)
    const { code, stdout, stderr } = await sluice("run", file, "--state", path.join(folder, name, "state.db"))
    assert.strictEqual(code, 0, stdout + stderr)
    assert.strictEqual(fs.readFileSync(path.join(folder, name, "secret"), "utf8"), "test-secret")
  }

  it("one copy of effect: a .ts sink in a folder without node_modules runs, and reads a secret of ours", () =>
    runsWithOurCopy("plain"))

  it("one copy of effect: a sink that brings its own copy still gets the bundle's", async () => {
    const foreign = `{ "name": "effect", "type": "module", "exports": { ".": "./no.js", "./*": "./no.js" } }`
    write("foreign/node_modules/effect/package.json", foreign)
    write("foreign/node_modules/effect/no.js", `throw new Error("a second copy of effect")`)
    await runsWithOurCopy("foreign")
  })

  it("carries every plugin of this repository", () => {
    const plugins = fs.readdirSync(path.join(root, "packages")).filter((name) => /^(source|sink)-/.test(name))
    assert.isAtLeast(plugins.length, 2)
    const carried = fs.readdirSync(path.join(built, "sluice"))
    assert.includeMembers(
      carried,
      plugins.map((name) => `${name}.js`),
    )
  })

  it("carries every module of effect that can be imported", async () => {
    const { exports } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.resolve("effect")), "utf8"))
    const families = Object.keys(exports).filter((name) => /^\.\/[a-z-]+$/.test(name))
    const names = ["effect", "effect/Effect", "effect/Redacted", "effect/sql/SqlClient"]
    const all = [...names, ...families.map((name) => name.replace(".", "effect"))]
    const script = write("built/all.js", `for (const name of ${JSON.stringify(all)}) await import("#" + name)`)
    await promisify(execFile)(process.execPath, [script])
    assert.isAtLeast(all.length, 20)
  })
})

/** The modules a command loads: of the bundle by their path in it. */
const loads = async (script: string, ...args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const list = write("modules", "")
  const env = { PATH: process.env.PATH ?? "", HOME: folder, SLUICE_TEST_MODULES: list }
  await promisify(execFile)(process.execPath, ["--import", preload, script, ...args], { cwd: folder, env })
  const urls = fs.readFileSync(list, "utf8").trim().split("\n")
  return [...new Set(urls.map((url) => url.replace(`file://${built}/`, "").replace(/-[\w-]{8}\.js$/, ".js")))]
}

describe("what is loaded", () => {
  it("by --version: the number", async () => {
    assert.deepStrictEqual(await loads(bin, "--version"), ["bin.js", "chunks/version.js"])
    const sources = await loads(source, "--version")
    assert.deepStrictEqual(
      sources.map((url) => path.basename(url)),
      ["bin.ts", "version.ts"],
    )
  })

  const file = (source: string) => `
sources: { mine: { ${source} } }
sinks: { brevo: { use: brevo, api_key: test-key } }
pipelines:
  all: { from: mine.users, to: { brevo.contacts: { key: ext_id, map: { ext_id: user_id, email: contact.email } } } }
`
  const costly = /^(node:)?(sqlite|https?|http2|net|tls|readline|child_process|worker_threads)$|undici/

  it("by an offline check: no client, no database, no terminal, no command that runs", async () => {
    write("auth0.yaml", file("use: auth0, domain: t.example.com, client_id: a, client_secret: b"))
    const loaded = await loads(bin, "check", "auth0.yaml")
    assert.deepStrictEqual(
      loaded.filter((module) => costly.test(module)),
      [],
    )
    const chunks = ["bin", "chunks/compiled", "chunks/main", "chunks/start", "chunks/version", "chunks/check"]
    const plugins = ["sluice/source-auth0", "sluice/sink-brevo", "chunks/plugins"]
    assert.sameMembers(
      loaded.filter((module) => /\.c?js$/.test(module)),
      [...chunks, ...plugins, "chunks/rolldown-runtime"].map((name) => `${name}.js`),
    )
  })

  it("of plugins: those the file names", async () => {
    const own = `
import * as Schema from "effect/Schema"
const none = Schema.Struct({})
const users = { description: "users", options: none, record: none, modes: ["full"], snapshot: false }
export const source = { name: "mine", config: none, streams: { users }, open: () => undefined }
`
    write("source.ts", own)
    write("own.yaml", file("use: ./source.ts"))
    const bundle = await loads(bin, "check", "own.yaml")
    assert.include(bundle, "sluice/sink-brevo.js")
    assert.notInclude(bundle, "sluice/source-auth0.js")
    const sources = await loads(source, "check", "own.yaml")
    assert.isNotEmpty(sources.filter((url) => url.includes("/sink-brevo/src/")))
    assert.deepStrictEqual(
      sources.filter((url) => url.includes("/source-auth0/src/") || costly.test(url)),
      [],
    )
  })
})

describe("what Node has compiled", () => {
  it("is kept in the user's cache; nowhere when not wanted, and never beside the file", async () => {
    const home = path.join(folder, "home")
    const project = path.dirname(write("home/project/empty.yaml", ""))
    const check = (env: Readonly<Record<string, string>>) =>
      new Promise<void>((resolve) => {
        const options = { cwd: project, env: { PATH: process.env.PATH ?? "", HOME: home, ...env } }
        execFile(process.execPath, [bin, "check", "empty.yaml"], options, () => resolve())
      })
    await check({ NODE_DISABLE_COMPILE_CACHE: "1" })
    assert.deepStrictEqual(fs.readdirSync(home), ["project"])
    await check({ HOME: "" })
    assert.deepStrictEqual(fs.readdirSync(home), ["project"])
    await check({ XDG_CACHE_HOME: "." })
    assert.isNotEmpty(fs.readdirSync(path.join(home, ".cache/sluice/compiled")))
    assert.deepStrictEqual(fs.readdirSync(project), ["empty.yaml"])
  })
})
