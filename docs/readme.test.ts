/** The README shows what its own pipeline file really previews, against the sandbox. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { read } from "./files.ts"
import { type RunningSandbox, sluice, startSandbox, temporaryFolder } from "./sluice.ts"

const readme = read("README.md")
const block = (kind: string): string => new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\`$`, "m").exec(readme)?.[1] ?? ""

/** Adds a contact that a run of the README's pipeline would change. */
const seed = async (origin: string, environment: RunningSandbox["environment"]) => {
  const answer = await fetch(`${origin}/control/users?limit=1`)
  const [user]: ReadonlyArray<{ user_id: string; email: string }> = JSON.parse(await answer.text())
  const attributes = { FIRSTNAME: "Omar", COMPANY: "Old Company Ltd" }
  const body = { ext_id: user?.user_id, email: user?.email, attributes, updateEnabled: true }
  const { status } = await fetch(`${environment.BREVO_BASE_URL}/contacts`, {
    method: "POST",
    headers: { "api-key": environment.BREVO_API_KEY ?? "", "content-type": "application/json" },
    body: JSON.stringify(body),
  })
  assert.strictEqual(status, 201)
}

describe("README.md", () => {
  const folder = temporaryFolder()
  let sandbox: RunningSandbox
  beforeAll(async () => {
    sandbox = await startSandbox(120)
    await seed(sandbox.origin, sandbox.environment)
    // What base_url is for: the file itself stays as the reader sees it.
    const file = block("yaml")
      .replace("use: auth0", 'use: auth0, base_url: "$' + '{AUTH0_BASE_URL}"')
      .replace("use: brevo", 'use: brevo, base_url: "$' + '{BREVO_BASE_URL}"')
    writeFileSync(join(folder.path, "users.yaml"), file)
  })
  afterAll(() => {
    sandbox.stop()
    folder.remove()
  })

  it("has a pipeline file of 15 lines", () => {
    assert.strictEqual(block("yaml").trimEnd().split("\n").length, 15)
  })

  it("shows its preview", async () => {
    const args = ["preview", "users.yaml", "--limit", "2", "--reveal"]
    const wide = { ...sandbox.environment, COLUMNS: "102" } // so that no id is cut
    const { out } = await sluice(args, wide, folder.path)
    assert.strictEqual(block("text"), out)
  })

  it("the file runs, and a second run writes nothing", async () => {
    const first = await sluice(["run", "users.yaml", "--json"], sandbox.environment, folder.path)
    const second = await sluice(["run", "users.yaml", "--full-refresh", "--json"], sandbox.environment, folder.path)
    const counts = [first, second].map(({ out }) => {
      const { delivered, unchanged } = JSON.parse(out).pipelines[0].routes["brevo.contacts"]
      return { delivered, unchanged }
    })
    assert.deepStrictEqual(counts, [
      { delivered: 120, unchanged: 0 },
      { delivered: 0, unchanged: 120 },
    ])
  })
})
