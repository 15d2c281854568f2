/** docs/problems.md lists the codes that the code has, and no others. */
import { assert, describe, it } from "@effect/vitest"
import { files, read } from "./files.ts"

const page = read("docs/problems.md")

/** Codes of the first column below a heading. */
const listed = (heading: string): ReadonlyArray<string> => {
  const part = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? ""
  return [...part.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
  )
}

const core = (...paths: ReadonlyArray<string>) =>
  files
    .filter((path) => paths.some((each) => path.startsWith(`packages/core/src/${each}`)))
    .map(read)
    .join("\n")

const found = (text: string, pattern: RegExp): ReadonlyArray<string> => [
  ...new Set([...text.matchAll(pattern)].map(([, code = ""]) => code)),
]

const sections =
  "yaml|variable|key|value|name|plugin|address|secret|section|from|source|sink|stream|sync|route|object|map|field|on_delete"

describe("docs/problems.md", () => {
  it("has the codes of pipeline files", () => {
    const text = core("config/", "engine/plan")
    const codes = found(text, new RegExp(`"((?:${sections})\\.[a-z-]+)"`, "g"))
    const ofFile = listed("Of a pipeline file").filter((code) => !code.startsWith("mapping."))
    assert.sameMembers([...codes, "plugin.not-a-source", "plugin.not-a-sink", "variable.placeholder"], [...ofFile])
  })

  it("has the codes of mapping tests", () => {
    assert.sameMembers(found(core("engine/test"), /"(test\.[a-z-]+)"/g).slice(), [...listed("Of a mapping test")])
  })

  it("has the codes of saved fields", () => {
    const text = core("engine/lock", "engine/check")
    assert.sameMembers(found(text, /code: "(lock\.[a-z-]+|drift)"/g).slice(), [...listed("Of saved fields")])
  })

  it("has the codes of mappings and of records", () => {
    const codes = found(core("mapping/"), /(?:code: |new Fault\(|\bat\(|\.problem\()"([a-z_]+)"/g)
    const ofMapping = listed("Of a pipeline file").flatMap((code) =>
      code.startsWith("mapping.") ? [code.slice("mapping.".length).replaceAll("-", "_")] : [],
    )
    const ofRecord = listed("Of a record").filter((code) => !/^(row_too_large|key_conflict|in_doubt)$/.test(code))
    assert.sameMembers([...codes], [...ofMapping, ...ofRecord])
  })

  it("has the reasons of plugins and the codes of the engine", () => {
    const reasons = found(core("plugin/errors"), /TaggedError<\w+>\(\)\("(\w+)"/g).filter(
      (tag) => !tag.endsWith("Error"),
    )
    const engine = found(core("engine/"), /code: "([A-Z]\w+)"/g)
    const ofRun = listed("Of a run")
    assert.includeMembers([...ofRun], [...reasons, ...engine])
    assert.sameMembers(
      ofRun.filter((code) => !reasons.includes(code) && !engine.includes(code)),
      ["StateError", "Fenced", "LockHeld"],
    )
  })
})
