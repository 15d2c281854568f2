/** `.ci/run` runs the README's command and counts what it printed. A stand-in for npx prints it here. */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "sluice-ci-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs `.ci/run` with an npx that prints `lines` and ends with `code`. */
const ci = (lines: ReadonlyArray<string>, code: number) => {
  const npx = join(folder, "npx")
  writeFileSync(npx, `#!/bin/sh\necho "asked: $* CI=$CI"\ncat <<'END'\n${lines.join("\n")}\nEND\nexit ${code}\n`)
  chmodSync(npx, 0o755)
  const { status, stdout } = spawnSync(join(root, ".ci/run"), {
    encoding: "utf8",
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  })
  return { status, first: stdout.split("\n")[0], last: stdout.trimEnd().split("\n").at(-1) }
}

describe(".ci/run", () => {
  it("runs the README's test command without a terminal and counts coloured output", () => {
    const lines = [
      " \x1b[2m Test Files \x1b[22m \x1b[1m\x1b[32m3 passed\x1b[39m\x1b[22m\x1b[90m (3)\x1b[39m",
      "\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m42 passed\x1b[39m\x1b[22m | \x1b[33m1 skipped\x1b[39m (43)",
    ]
    assert.deepStrictEqual(ci(lines, 0), {
      status: 0,
      first: "asked: -y pnpm@12 test CI=true",
      last: "42 passed, 0 failed",
    })
  })

  it("counts failed tests and hands on the exit code", () => {
    const { status, last } = ci(["      Tests  2 failed | 40 passed (42)"], 7)
    assert.deepStrictEqual({ status, last }, { status: 7, last: "40 passed, 2 failed" })
  })

  it("says one failed where types or lint failed before any test ran", () => {
    const { status, last } = ci(["packages/core/src/index.ts(1,1): error TS2322"], 2)
    assert.deepStrictEqual({ status, last }, { status: 2, last: "0 passed, 1 failed" })
  })

  it("says one failed where a test file did not load", () => {
    const { last } = ci([" Test Files  1 failed | 2 passed (3)", "      Tests  40 passed (40)"], 1)
    assert.strictEqual(last, "40 passed, 1 failed")
  })
})
