/**
 * Bundles the command line with its plugins, core and effect. Two passes: the first, with only what is used in it, shows
 * what each part of the program needs; the second carries effect and core whole, for plugins, in chunks cut by that.
 */
import { rmSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import { type InputOptions, type Plugin, type RolldownOutput, rolldown } from "rolldown"
import { effectModules, lateSegmenter, writeBarrels } from "./effect.ts"
import { jsonata, lateJsonata, writeJsonata } from "./jsonata.ts"

const packages = join(import.meta.dirname, "../..")
const source = (file: string) => join(packages, file)
const command = (name: string) => source(`cli/src/commands/${name}.ts`)

const shippedPlugins = {
  "sluice/source-auth0": source("source-auth0/src/index.ts"),
  "sluice/sink-brevo": source("sink-brevo/src/index.ts"),
  "sluice/sink-persona": source("sink-persona/src/index.ts"),
  "sluice/sink-salesforce": source("sink-salesforce/src/index.ts"),
}

/** What one can import by a name of its own: see `imports` of the package. */
const entries = {
  bin: source("cli/src/bin.ts"),
  "sluice/core": source("core/src/index.ts"),
  "sluice/core/testing": source("core/src/testing/index.ts"),
  ...shippedPlugins,
  ...effectModules,
}

/** The parts of the program, each in one chunk. A module goes to the first part that needs it. */
const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
  start: [source("cli/src/main.ts"), command("check")],
  plugins: Object.values(shippedPlugins),
  work: ["preview", "run", "schema", "checkConnected", "deadLetters", "runs", "state"].map(command),
  authoring: ["init", "new", "plugins"].map(command),
}

/** The index of a package only names what is elsewhere. */
const isIndex = (id: string): boolean => /packages\/(core|sandbox)\/src\/index\.ts$/.test(id)

/** In chunks of their own: the entry, which a version needs, and what is loaded when it is used. */
const standsAlone = (id: string): boolean => isIndex(id) || /cli\/src\/(bin|compiled|version)\.ts$|\/undici\//.test(id)

const options = (plugins: ReadonlyArray<Plugin>): InputOptions => ({
  platform: "node",
  external: (id) => isBuiltin(id),
  plugins: [lateSegmenter, lateJsonata, ...plugins],
  checks: { ineffectiveDynamicImport: false },
  preserveEntrySignatures: "allow-extension",
  treeshake: { moduleSideEffects: [{ test: /packages\/(core|sandbox)\/src\/index\.ts$/, sideEffects: false }] },
})

type Imports = ReadonlyMap<string, ReadonlyArray<string>>

const trace = async (): Promise<{ readonly output: RolldownOutput["output"]; readonly imports: Imports }> => {
  const imports = new Map<string, ReadonlyArray<string>>()
  const listen: Plugin = {
    name: "listen",
    buildEnd() {
      for (const id of this.getModuleIds()) imports.set(id, this.getModuleInfo(id)?.importedIds ?? [])
    },
  }
  const build = await rolldown({ ...options([listen]), input: Object.values(parts).flat() })
  const { output } = await build.generate({ format: "esm" })
  await build.close()
  return { output, imports }
}

/** All modules that these entries load at once, and all that those import: a chunk must need none that comes later. */
const reachedFrom = (files: ReadonlyArray<string>, output: RolldownOutput["output"], imports: Imports) => {
  const chunks = new Map(output.flatMap((each) => (each.type === "chunk" ? [[each.fileName, each] as const] : [])))
  const found = new Set<string>()
  const add = (id: string): void => {
    if (found.has(id) || isIndex(id)) return
    found.add(id)
    for (const imported of imports.get(id) ?? []) add(imported)
  }
  const visited = new Set<string>()
  const visit = (fileName: string): void => {
    const chunk = chunks.get(fileName)
    if (chunk === undefined || visited.has(fileName)) return
    visited.add(fileName)
    for (const id of chunk.moduleIds) add(id)
    for (const imported of chunk.imports) visit(imported)
  }
  for (const chunk of chunks.values()) if (files.includes(chunk.facadeModuleId ?? "")) visit(chunk.fileName)
  return found
}

/** Empties the folder and writes the bundle. Returns the ids of all modules in it. */
export const bundle = async (target: string): Promise<ReadonlyArray<string>> => {
  const { output, imports } = await trace()
  const groups = Object.entries(parts).map(([name, files]) => {
    const reached = reachedFrom(files, output, imports)
    return { name, test: (id: string) => reached.has(id) && !standsAlone(id) }
  })
  rmSync(target, { recursive: true, force: true })
  const build = await rolldown({ ...options([]), input: entries })
  const written = await build.write({
    dir: target,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    // Names stay: they are what a report of a bug shows.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    codeSplitting: { includeDependenciesRecursively: false, groups },
  })
  await build.close()
  writeBarrels(target)
  writeJsonata(target)
  return [jsonata, ...written.output.flatMap((each) => (each.type === "chunk" ? each.moduleIds : []))]
}
