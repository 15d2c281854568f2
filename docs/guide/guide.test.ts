/** The guides are true: a reader who does what they say, from an empty folder, sees what they show. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { read } from "../files.ts"
import { temporaryFolder } from "../sluice.ts"
import { blocksOf, GUIDES, guidePage, type Passage, timeless, workThrough } from "./session.ts"

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

describe("a reader who goes through the guides", () => {
  const place = temporaryFolder()
  let passages: ReadonlyArray<Passage> = []
  beforeAll(async () => {
    passages = await workThrough(place.path)
  }, 300_000)
  afterAll(place.remove)

  for (const guide of GUIDES) {
    describe(guide, () => {
      const own = () => passages.filter((passage) => passage.guide === guide)

      it("can do all of it", () => {
        assert.isNotEmpty(own())
        for (const { block, commands } of own()) {
          for (const { line, code, wanted, out, err } of commands) {
            assert.strictEqual(code, wanted, `${guide}.md:${block.line}: ${line}\n${out}${err}`)
          }
        }
      })

      it("sees what is shown", () => {
        for (const { block, commands, shown: text } of own()) {
          if (text === undefined) continue
          const out = commands.map((command) => command.out).join("")
          assert.strictEqual(timeless(text), timeless(out), `${guide}.md:${block.line}`)
        }
      })

      it("has the parts of files that are shown", () => {
        for (const { note, text, line } of blocksOf(guidePage(guide))) {
          const file = /^part of: (\S+)$/.exec(note)?.[1]
          if (file === undefined) continue
          const flat = (lines: string) => lines.replaceAll(/^ +/gm, "").trim()
          assert.include(
            flat(readFileSync(join(place.path, "people", file), "utf8")),
            flat(text),
            `${guide}.md:${line}`,
          )
        }
      })
    })
  }
})
