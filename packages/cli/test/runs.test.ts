/** The history of runs: which are listed, with what counts, and how wide. */
import { displayWidth } from "effect/cli/CliOutput"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { listed, renderRuns } from "../src/render/runs.ts"
import { plain } from "../src/render/text.ts"
import { type Bench, bench, config, sluice } from "./process.ts"
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
