/** The history of runs: which are listed, with what counts, and how wide. */
import { createHash } from "node:crypto"
import { copyFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { displayWidth } from "effect/cli/CliOutput"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { listed, renderRuns } from "../src/render/runs.ts"
import { plain } from "../src/render/text.ts"
import { VERSION } from "../src/version.ts"
import { type Bench, bench, config, root, sluice } from "./process.ts"
import { noCounts, reportOf } from "./reports.ts"

let vendors: Bench

beforeAll(async () => {
  vendors = await bench({ users: 5 })
})

afterAll(() => vendors.close())

describe("sluice runs", () => {
  it("lists what ran with its counts, the newest first; --failed leaves out what completed; show has the report", async () => {
    const state = ["--state", vendors.state]
    const first = await sluice(["run", config, ...state], { ...vendors.env, AUTH0_CLIENT_SECRET: "wrong" })
    assert.strictEqual(first.code, 3)
    assert.strictEqual((await sluice(["run", config, ...state], vendors.env)).code, 0)
    const list = async (...flags: ReadonlyArray<string>) =>
      JSON.parse((await sluice(["runs", "list", ...flags, "--json", ...state])).stdout)
    const [newest, oldest] = await list()
    assert.deepInclude(newest, {
      pipeline: "auth0-to-brevo.users",
      status: "completed",
      read: 5,
      delivered: 5,
      undelivered: 0,
    })
    assert.deepInclude(oldest, { status: "failed", read: 0 })
    assert.deepStrictEqual(await list("--failed"), [oldest])
    const { stdout } = await sluice(["runs", "show", oldest.run_id, ...state])
    for (const part of ["Unauthorized", "fix:", "calls", "goes on from where this one stopped"])
      assert.include(stdout, part)
  })
})

describe("sluice runs show", () => {
  const state = () => ["--state", vendors.state]
  const shown = async (id: string) => (await sluice(["runs", "show", id, ...state()])).stdout

  it("says which versions ran: of sluice, Node and each plugin, and of a file what it held", async () => {
    copyFileSync(join(root, "examples/custom-sink/webhook.ts"), join(vendors.folder, "hook.ts"))
    const file = vendors.write(
      "hooks.yaml",
      `sources:
  tenant: { use: auth0, base_url: "\${AUTH0_BASE_URL}", domain: "\${AUTH0_DOMAIN}", client_id: "\${AUTH0_CLIENT_ID}", client_secret: "\${AUTH0_CLIENT_SECRET}" }
sinks:
  hook: { use: ./hook.ts, url: "http://127.0.0.1:9/", token: "\${HOOK_TOKEN}" }
pipelines:
  users: { from: tenant.users, to: { hook.rows: { key: id, map: { id: user_id } } } }
`,
    )
    const run = await sluice(["run", file, "--limit", "1", "--json", ...state()], {
      ...vendors.env,
      HOOK_TOKEN: "test-secret",
    })
    const { run_id, versions } = JSON.parse(run.stdout).pipelines[0]
    const digest = createHash("sha256")
      .update(readFileSync(join(vendors.folder, "hook.ts")))
      .digest("hex")
    const node = process.versions.node
    const expected = { sluice: VERSION, node, auth0: VERSION, "./hook.ts": `sha256:${digest.slice(0, 12)}` }
    assert.deepStrictEqual(versions, expected)
    const said = (await shown(run_id)).replaceAll(/\s+/g, " ")
    const hook = `./hook.ts sha256:${digest.slice(0, 12)}`
    assert.include(said, `versions sluice ${VERSION}, node ${node}, auth0 ${VERSION}, ${hook}`)
    const json = await sluice(["runs", "show", run_id, "--json", ...state()])
    assert.deepStrictEqual(JSON.parse(json.stdout).versions, expected)
  })

  it("shows a run of a version that kept none", async () => {
    await sluice(["run", config, ...state()], vendors.env)
    const [{ run_id }] = JSON.parse((await sluice(["runs", "list", "--json", ...state()])).stdout)
    assert.include(await shown(run_id), "versions")
    const database = new DatabaseSync(vendors.state)
    const row = database.prepare("SELECT report FROM runs WHERE id = ?").get(run_id)
    const { versions: _, ...older } = JSON.parse(String(row?.report))
    database.prepare("UPDATE runs SET report = ? WHERE id = ?").run(JSON.stringify(older), run_id)
    database.close()
    const { code, stdout } = await sluice(["runs", "show", run_id, ...state()])
    assert.strictEqual(code, 0)
    assert.include(stdout, "brevo.contacts")
    assert.notInclude(stdout, "versions")
  })
})

describe("the table of runs", () => {
  const [report] = reportOf({
    read: 2500,
    routes: { "brevo.contacts": { ...noCounts(), delivered: 2400, rejected: 7 } },
  }).pipelines
  const run = listed({
    id: "20261120-101500-k3x9qa",
    pipeline: "auth0-to-brevo.customers-of-all-regions",
    started_at: "2026-11-20T10:15:00.000Z",
    ended_at: "2026-11-20T11:20:00.000Z",
    status: "completed",
    report: JSON.stringify(report),
  })

  it("fits 80 columns, and shows counts where there is room", () => {
    for (const width of [80, 140]) {
      const lines = renderRuns([run], { width, style: plain }).split("\n")
      assert.isTrue(lines.every((line) => displayWidth(line) <= width))
      assert.strictEqual(lines[1]?.includes("2,400"), width === 140)
      assert.include(lines[1], "1 h 5 min")
    }
  })
})
