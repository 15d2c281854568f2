/** The committed pages of docs/reference are those that the schemas give. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { pages } from "../reference/pages.ts"

const folder = join(import.meta.dirname, "../../../docs/reference")

const made = await pages()

describe("docs/reference", () => {
  for (const [name, text] of made) {
    it(`${name} is up to date: \`pnpm reference\` makes it`, () => {
      assert.strictEqual(readFileSync(join(folder, name), "utf8"), text)
    })
  }

  it("has a description for every key of ours", () => {
    const undescribed = [...made].flatMap(([name, text]) =>
      text
        .split("\n")
        .flatMap((line) =>
          /^\| `.*\|\s+\|$/.test(line) && line.split(" | ").length === 4 ? [`${name}: ${line}`] : [],
        ),
    )
    assert.deepStrictEqual(undescribed, [])
  })
})
