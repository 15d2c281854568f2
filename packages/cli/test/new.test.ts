/** `sluice new`: what it writes checks, lints, passes its own test and previews, as it is, in an empty folder. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, root, sluice } from "./process.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-new-"))
let it1: Bench
beforeAll(async () => {
  it1 = await bench()
  linkPackages()
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }))
  const { compilerOptions }: { compilerOptions: object } = JSON.parse(read(root, "tsconfig.json"))
  fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  // As for examples/: whoever writes a plugin may import from "effect".
  const { vcs: _, ...biome } = JSON.parse(read(root, "biome.json").replaceAll('"examples/**"', '"**"'))
  fs.writeFileSync(path.join(folder, "biome.json"), JSON.stringify(biome))
})
afterAll(async () => {
  fs.rmSync(folder, { recursive: true, force: true })
  await it1.close()
})

const read = (...parts: ReadonlyArray<string>) => fs.readFileSync(path.join(...parts), "utf8")

const linkPackages = () => {
  const installed = path.join(root, "node_modules")
  const packages = {
    "@sluice/core": path.join(root, "packages/core"),
    effect: path.join(root, "packages/core/node_modules/effect"),
    "@effect/vitest": path.join(installed, "@effect/vitest"),
    "@types/node": path.join(installed, "@types/node"),
    vitest: path.join(installed, "vitest"),
  }
  for (const [name, target] of Object.entries(packages)) {
    const link = path.join(folder, "node_modules", name)
    fs.mkdirSync(path.dirname(link), { recursive: true })
    fs.symlinkSync(target, link)
  }
}

/** A program of the workspace, in the folder. Resolves with its output if it fails, else with nothing. */
const complaints = (program: string, ...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env.PATH, CI: "true" } }
    execFile(path.join(root, "node_modules/.bin", program), args, options, (error, stdout, stderr) =>
      resolve(error === null ? "" : stdout + stderr),
    )
  })

describe("sluice new", () => {
  it("writes a sink and a source that check, lint and keep what the engine relies on", async () => {
    for (const args of [
      ["sink", "my-hook"],
      ["source", "my-crm"],
    ]) {
      const { code, stderr } = await sluice(["new", ...args, "--folder", folder])
      assert.strictEqual(code, 0, stderr)
    }
    const [types, lint, tests] = await Promise.all([
      complaints("tsc", "--noEmit"),
      complaints(
        "biome",
        "check",
        "--error-on-warnings",
        "my-hook.ts",
        "my-hook.test.ts",
        "my-crm.ts",
        "my-crm.test.ts",
      ),
      complaints("vitest", "run"),
    ])
    assert.deepStrictEqual({ types, lint, tests }, { types: "", lint: "", tests: "" })
  }, 180_000)

  it("promise 4: the sink takes at most 30 lines", () => {
    assert.isAtMost(read(folder, "my-hook.ts").trimEnd().split("\n").length, 30)
  })

  it("writes pipelines that pass check, and one that previews against the sandbox", async () => {
    const files = ["my-hook.yaml", "my-crm.yaml"].map((name) => path.join(folder, name))
    const { code, stdout } = await sluice(["check", ...files])
    assert.strictEqual(code, 0, stdout)
    const preview = await sluice(["preview", files[0] ?? "", "--json", "--state", it1.state], it1.env)
    assert.strictEqual(preview.code, 0, preview.stdout)
  })

  it("replaces nothing without --force, and adds to .env what it lacks", async () => {
    fs.writeFileSync(path.join(folder, "my-hook.ts"), "mine")
    const { code, stderr } = await sluice(["new", "sink", "my-hook", "--folder", folder])
    assert.strictEqual(code, 2)
    assert.include(stderr, "my-hook.ts")
    assert.strictEqual(read(folder, "my-hook.ts"), "mine")
    const variables = read(folder, ".env").match(/^[A-Z0-9_]+(?==)/gm) ?? []
    assert.includeMembers(variables, ["MY_HOOK_URL", "MY_CRM_TOKEN", "AUTH0_DOMAIN", "BREVO_API_KEY"])
    assert.strictEqual(new Set(variables).size, variables.length)
  })

  it("refuses a name that no file should have", async () => {
    const { code, stderr } = await sluice(["new", "sink", "../up", "--folder", folder])
    assert.strictEqual(code, 2)
    assert.include(stderr, "small letters")
  })
})
