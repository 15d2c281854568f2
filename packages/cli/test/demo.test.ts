/** `pnpm demo`, as a newcomer sees it. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "vitest"
import { root, start } from "./process.ts"

it("the demo previews, runs 2,500 users, writes nothing the second time, and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-demo-test-"))
  const script = join(root, "packages/cli/src/demo.ts")
  const { code, stdout, stderr, millis } = await start([], { TMPDIR: folder }, script).done
  assert.strictEqual(code, 0, stderr)
  assert.match(stdout, /~ {2}user_metadata\.company → COMPANY +Old Company Ltd +\S/)
  assert.match(stdout, /brevo\.contacts +2,500 +2,498 +2 +0/)
  assert.match(stdout, /brevo\.contacts +2,500 +0 +0 +2,500/)
  assert.isBelow(millis, 60_000)
  assert.deepStrictEqual(readdirSync(folder), [])
  rmSync(folder, { recursive: true })
})
