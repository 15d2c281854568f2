/** The guides show the files that are in the repository, letter for letter. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

const shown: ReadonlyArray<readonly [guide: string, file: string]> = [
  ["docs/guide/write-a-sink.md", "examples/custom-sink/webhook.ts"],
  ["docs/guide/write-a-sink.md", "examples/custom-sink/webhook.test.ts"],
  ["docs/guide/write-a-sink.md", "examples/custom-sink/pipeline.yaml"],
]

describe("guides", () => {
  for (const [guide, file] of shown) {
    it(`${guide} shows ${file}`, () => {
      const kind = file.endsWith(".yaml") ? "yaml" : "ts"
      assert.include(read(guide), `\`\`\`${kind}\n${read(file)}\`\`\``)
    })
  }

  it("promise 4: the custom sink takes at most 30 lines", () => {
    assert.isAtMost(read("examples/custom-sink/webhook.ts").trimEnd().split("\n").length, 30)
  })
})
