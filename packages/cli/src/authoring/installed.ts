/** Which plugins there are to name in a pipeline file: ours, those of the folder's package.json, those a file names. */
import * as fs from "node:fs"
import * as path from "node:path"
import { type NamedPlugin, type PluginNotFound, Plugins, parseYaml } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { installedNames } from "../node/plugins.ts"

export interface Installed {
  readonly plugins: ReadonlyArray<NamedPlugin>
  /** Named, and not to be used as it is. */
  readonly broken: ReadonlyArray<{ readonly use: string; readonly problem: string }>
}

/** `pipelineFile`: where packages and paths are sought from. */
export const loadAll = Effect.fnUntraced(function* (uses: ReadonlyArray<string>, pipelineFile: string) {
  const service = yield* Plugins
  const loaded = yield* Effect.forEach([...new Set(uses)], (use) =>
    Effect.map(Effect.result(service.load(use, pipelineFile)), (result) => ({ use, result })),
  )
  const installed: Installed = {
    plugins: loaded.flatMap(({ use, result }) => (Result.isSuccess(result) ? [{ use, ...result.success }] : [])),
    broken: loaded.flatMap(({ use, result }) => (Result.isFailure(result) ? [broken(use, result.failure)] : [])),
  }
  return installed
})

const broken = (use: string, { message }: PluginNotFound) => ({ use, problem: message })

/** Of this version, and of the package.json that holds for `pipelineFile`. */
export const usable = (pipelineFile: string): ReadonlyArray<string> => [
  ...installedNames(),
  ...pluginPackages(path.dirname(path.resolve(pipelineFile))),
]

/** What `use:` says in a pipeline file, however wrong the file is elsewhere. */
export const namedIn = (file: string, text: string): ReadonlyArray<string> => {
  const document = parseYaml(file, text)
  const root: unknown = Result.isSuccess(document) ? document.success.root.toJSON() : undefined
  return ["sources", "sinks"].flatMap((section) => valuesOf(memberOf(root, section)).flatMap(useOf))
}

const memberOf = (value: unknown, key: string): unknown =>
  Predicate.isObject(value) && Object.hasOwn(value, key) ? new Map(Object.entries(value)).get(key) : undefined

const valuesOf = (value: unknown): ReadonlyArray<unknown> => (Predicate.isObject(value) ? Object.values(value) : [])

const useOf = (entry: unknown): ReadonlyArray<string> => {
  const use = memberOf(entry, "use")
  return typeof use === "string" ? [use] : []
}

const Names = Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
const Manifest = Schema.fromJsonString(
  Schema.Struct({ dependencies: Names, devDependencies: Names, peerDependencies: Names }),
)

const manifestIn = (folder: string) => {
  const file = path.join(folder, "package.json")
  return fs.existsSync(file)
    ? Option.getOrUndefined(Schema.decodeUnknownOption(Manifest)(fs.readFileSync(file, "utf8")))
    : undefined
}

const above = (folder: string): ReadonlyArray<string> => {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...above(parent)]
}

/** A package that has core as a peer is a plugin; ours have short names. */
const pluginPackages = (folder: string): ReadonlyArray<string> => {
  const folders = above(folder)
  const manifest = folders.map(manifestIn).find((found) => found !== undefined)
  const names = Object.keys({ ...manifest?.dependencies, ...manifest?.devDependencies })
  return names.filter((name) => {
    if (name.startsWith("@sluice/")) return false
    const found = folders.map((each) => manifestIn(path.join(each, "node_modules", name))).find(Boolean)
    return found?.peerDependencies !== undefined && Object.hasOwn(found.peerDependencies, "@sluice/core")
  })
}
