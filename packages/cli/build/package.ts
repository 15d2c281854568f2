/** What stands around the bundle in the published package: its manifest, its licence and those of what it carries. */
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"

const root = join(import.meta.dirname, "../../..")

const Manifest = Schema.Struct({ name: Schema.String, version: Schema.String, license: Schema.String })
const Root = Schema.Struct({ engines: Schema.Struct({ node: Schema.String }) })
const read = (folder: string): unknown => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** The folders of the packages that modules are from, ours left out. */
const foldersOf = (ids: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(ids.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [])),
]

const notice = (folder: string): string => {
  const { name, version, license } = Schema.decodeUnknownSync(Manifest)(read(folder))
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.|$)/i.test(each))
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`
  return `## ${name} ${version} (${license})\n${text}`
}

export const writePackage = (target: string, ids: ReadonlyArray<string>): void => {
  const { name, version, license } = Schema.decodeUnknownSync(Manifest)(read(join(root, "packages/cli")))
  const { engines } = Schema.decodeUnknownSync(Root)(read(root))
  const manifest = {
    name,
    version,
    license,
    type: "module",
    bin: { sluice: "./bin.js" },
    // The same names that packages/cli/package.json has for the installed packages.
    imports: { "#effect": "./effect/index.js", "#effect/*": "./effect/*.js", "#@sluice/*": "./sluice/*.js" },
    engines,
  }
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`)
  const notices = foldersOf(ids).map(notice).sort()
  writeFileSync(join(target, "NOTICES.md"), `# Software in this package\n\n${notices.join("\n")}`)
  copyFileSync(join(root, "LICENSE"), join(target, "LICENSE"))
  if (!existsSync(join(target, "bin.js"))) throw new Error("the bundle has no bin.js")
  chmodSync(join(target, "bin.js"), 0o755)
}
