/** The rules of ARCHITECTURE.md hold: what imports what, what files are called, what packages depend on. */
import { basename, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { exists, files, read } from "./files.ts"

const sources = files.filter((path) => path.endsWith(".ts"))

/** What a module imports or exports from, types included. Biome gives every import this form. */
const importsOf = (path: string): ReadonlyArray<string> =>
  [...read(path).matchAll(/^(?:import|export|\}).* from "([^"]+)"$|^import "([^"]+)"$|\bimport\("([^"]+)"\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  )

const violations = (paths: ReadonlyArray<string>, allowed: (from: string, path: string) => boolean) =>
  paths.flatMap((path) => importsOf(path).flatMap((from) => (allowed(from, path) ? [] : [`${path} imports ${from}`])))

const isEffect = (from: string) => from === "effect" || from.startsWith("effect/")
const isRelative = (from: string) => from.startsWith("./") || from.startsWith("../")
const isIn = (folder: string) => (path: string) => path.startsWith(`${folder}/`)

describe("core", () => {
  const core = sources.filter(isIn("packages/core/src"))
  const floors = ["plugin", "config", "mapping", "state", "http", "engine", "testing"]

  it("imports effect, yaml, jsonata and itself: no vendor, no Node, no console", () => {
    assert.isNotEmpty(core)
    assert.deepStrictEqual(
      violations(core, (from) => isEffect(from) || isRelative(from) || from === "jsonata" || from === "yaml"),
      [],
    )
  })

  it("has the floors of ARCHITECTURE.md, and each imports only itself and those before it", () => {
    const folders = new Set(core.map((path) => path.split("/")[3]).filter((name) => name?.endsWith(".ts") === false))
    assert.sameMembers([...folders], floors)
    const floorOf = (path: string) => floors.indexOf(path.split("/")[3] ?? "")
    const inFloors = core.filter((path) => floorOf(path) >= 0)
    assert.deepStrictEqual(
      violations(inFloors, (from, path) => {
        if (!isRelative(from)) return true
        const target = floorOf(join(dirname(path), from))
        return target >= 0 && target <= floorOf(path)
      }),
      [],
    )
  })
})

describe("packages", () => {
  const names = [...new Set(files.filter(isIn("packages")).map((path) => path.split("/")[1] ?? ""))]
  const vendors = names.filter((name) => name.startsWith("source-") || name.startsWith("sink-"))

  it("a plugin imports effect, core and itself", () => {
    assert.isAtLeast(vendors.length, 2)
    for (const name of vendors) {
      const own = sources.filter(isIn(`packages/${name}/src`))
      assert.deepStrictEqual(
        violations(own, (from) => isEffect(from) || isRelative(from) || from === "@sluice/core"),
        [],
      )
    }
  })

  it("a plugin depends on effect and core as peers, and on nothing else", () => {
    for (const name of vendors) {
      const manifest: { dependencies?: object; peerDependencies?: object } = JSON.parse(
        read(`packages/${name}/package.json`),
      )
      assert.deepStrictEqual(Object.keys(manifest.dependencies ?? {}), [], name)
      assert.sameMembers(Object.keys(manifest.peerDependencies ?? {}), ["@sluice/core", "effect"], name)
    }
  })

  it("core, plugins and sandbox know neither the command line nor the sandbox", () => {
    const others = sources.filter((path) => /^packages\/(?!bench\/|cli\/|simulation\/)[^/]+\/src\//.test(path))
    assert.deepStrictEqual(
      violations(others, (from) => from !== "@sluice/sandbox" && from !== "@sluice/cli"),
      [],
    )
  })

  it("ARCHITECTURE.md names every package, every floor, and no path that does not exist", () => {
    const map = read("ARCHITECTURE.md")
    for (const name of names) assert.include(map, name)
    const paths = [...map.matchAll(/`([\w./-]+\/[\w./-]*)`/g)].map((match) => match[1] ?? "")
    assert.isNotEmpty(paths)
    assert.deepStrictEqual(
      paths.filter((path) => !exists(path) && !exists(join("packages/core/src", path))),
      [],
    )
    assert.isAtMost(map.split("\n").length, 80)
  })
})

describe("files", () => {
  it("none is named for no subject", () => {
    const vague = /^(utils?|helpers?|common|misc|shared|stuff)(\.|$)/
    const parts = files.filter((path) => path.split("/").some((part) => vague.test(part)))
    assert.deepStrictEqual(parts, [])
  })

  it("each source file says in its first line what it is", () => {
    const silent = sources.filter((path) => path.includes("/src/") && !/^(#!.*\n)?\/\*\*/.test(read(path)))
    assert.deepStrictEqual(silent, [])
  })

  it("the root holds at most 16 entries", () => {
    assert.isAtMost(new Set(files.map((path) => path.split("/")[0])).size, 16)
  })

  it("none names a package registry", () => {
    const host = new RegExp(["registry", "npmjs", "(org|com)"].join("\\."), "i")
    const texts = files.filter((path) => /\.(ts|json|yaml|yml|md|sh)$|^\.|run$/.test(basename(path)))
    assert.deepStrictEqual(
      texts.filter((path) => host.test(read(path))),
      [],
    )
    assert.notMatch(read("pnpm-lock.yaml"), /tarball:|https?:\/\/[^\s]*\.tgz/)
  })
})
