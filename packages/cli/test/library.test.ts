/** The program of docs/guide/use-as-a-library.md runs. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Bench, bench, config, root, start } from "./process.ts"

const program = join(import.meta.dirname, "node/library.ts")

describe("core as a library", () => {
  let it1: Bench
  beforeAll(async () => {
    it1 = await bench()
  })
  afterAll(() => it1.close())

  it("runs a pipeline file in 15 lines, which the guide shows", async () => {
    const text = readFileSync(program, "utf8")
    assert.isAtMost(text.trimEnd().split("\n").length, 15)
    assert.include(readFileSync(join(root, "docs/guide/use-as-a-library.md"), "utf8"), `\`\`\`ts\n${text}\`\`\``)
    const { code, stdout, stderr } = await start([config, it1.state], it1.env, program).done
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 0)
    const report = JSON.parse(stdout)
    assert.isTrue(report.ok)
    assert.strictEqual(report.pipelines[0].routes["brevo.contacts"].delivered, 30)
  })
})
