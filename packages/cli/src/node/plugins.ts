/** Loads what `use:` names: a plugin of ours, an installed package, or a file beside the pipeline file. */
import * as fs from "node:fs"
import { isBuiltin } from "node:module"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type PluginModule, PluginNotFound, Plugins, type Sink, type Source } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { importedFrom, shareOneCopy } from "./oneCopy.ts"
import { versionOf } from "./pluginVersion.ts"

/** Loaded when first used. The names stay ours even where the package is not installed. */
export const shortNames: ReadonlyMap<string, string> = new Map([
  ["auth0", "#@sluice/source-auth0"],
  ["brevo", "#@sluice/sink-brevo"],
  ["salesforce", "#@sluice/sink-salesforce"],
  ["persona", "#@sluice/sink-persona"],
])

/** Those whose package is there. */
export const installedNames = (): ReadonlyArray<string> =>
  [...shortNames].flatMap(([name, specifier]) => (isThere(specifier) ? [name] : []))

const isThere = (specifier: string): boolean => {
  try {
    return fs.existsSync(fileURLToPath(import.meta.resolve(specifier)))
  } catch {
    return false
  }
}

const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const extensions = [".ts", ".mts", ".js", ".mjs"]
const rootMarks = ["pnpm-workspace.yaml", ".git"]

const isInside = (folder: string, file: string): boolean =>
  file.startsWith(folder.endsWith("/") ? folder : folder + path.sep)

/** The nearest folder above that a workspace or repository starts at; else the file's own folder. */
const workspaceRoot = (folder: string): string => {
  for (let at = folder; ; at = path.dirname(at)) {
    if (rootMarks.some((mark) => fs.existsSync(path.join(at, mark)))) return at
    if (at === path.dirname(at)) return folder
  }
}

/** The real file, or what is wrong with it. Nothing is imported yet. */
const locate = (use: string, pipelineFile: string): { readonly file: string } | { readonly problem: string } => {
  const written = path.dirname(path.resolve(pipelineFile))
  const file = path.resolve(written, use)
  if (!extensions.includes(path.extname(file))) return { problem: `a plugin file ends in ${extensions.join(", ")}` }
  let folder: string
  let real: string
  try {
    folder = fs.realpathSync(written)
    real = fs.realpathSync(file)
  } catch {
    return { problem: `there is no file ${file}` }
  }
  if (isInside(folder, real) || isInside(workspaceRoot(folder), real)) return { file: real }
  return { problem: "the file lies outside the folder of the pipeline file and outside its workspace" }
}

const notFound = (use: string, problem: string, suggestion?: string): PluginNotFound =>
  new PluginNotFound({
    message: `cannot use ${JSON.stringify(use.slice(0, 200))}: ${problem}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  })

type Place = { readonly specifier: string } | PluginNotFound

const placeOf = (use: string, pipelineFile: string): Place => {
  const short = shortNames.get(use)
  if (short !== undefined) return { specifier: short }
  if (use.startsWith("./") || use.startsWith("../")) {
    const found = locate(use, pipelineFile)
    return "file" in found ? { specifier: pathToFileURL(found.file).href } : notFound(use, found.problem)
  }
  if (packageName.test(use) && !isBuiltin(use)) return { specifier: importedFrom(use, path.resolve(pipelineFile)) }
  const lower = use.toLowerCase()
  const problem = `write ${[...shortNames.keys()].join(", ")}, the name of an installed package, or a path that starts with ./`
  return notFound(use, problem, shortNames.has(lower) ? lower : undefined)
}

const hasOpen = (value: unknown): value is { readonly name: string } =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  typeof value.name === "string" &&
  "config" in value &&
  "open" in value &&
  typeof value.open === "function"

const isSource = (value: unknown): value is Source => hasOpen(value) && "streams" in value
const isSink = (value: unknown): value is Sink => hasOpen(value) && "objects" in value

/** Says why an import failed, in one line. A plugin is the user's own code, so its message is for the user. */
const describe = (use: string, cause: unknown): string => {
  if (!(cause instanceof Error)) return "it failed to load"
  const missing = "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND"
  const line = cause.message.split("\n", 1)[0] ?? ""
  if (missing && !use.startsWith(".")) return `it, or something it needs, is not installed (${line})`
  return `it failed to load: ${cause.name}: ${line}`
}

const read = (
  use: string,
  module: object,
  version: string | undefined,
): Effect.Effect<PluginModule, PluginNotFound> => {
  const source = "source" in module && isSource(module.source) ? module.source : undefined
  const sink = "sink" in module && isSink(module.sink) ? module.sink : undefined
  if (source === undefined && sink === undefined) {
    return Effect.fail(notFound(use, "it exports neither a `source` nor a `sink`"))
  }
  return Effect.succeed({
    ...(source === undefined ? {} : { source }),
    ...(sink === undefined ? {} : { sink }),
    ...(version === undefined ? {} : { version }),
  })
}

const load = (use: string, pipelineFile: string): Effect.Effect<PluginModule, PluginNotFound> =>
  Effect.gen(function* () {
    const place = placeOf(use, pipelineFile)
    if (place instanceof PluginNotFound) return yield* place
    const module = yield* Effect.tryPromise({
      try: (): Promise<object> => import(place.specifier),
      catch: (cause) => notFound(use, describe(use, cause)),
    })
    return yield* read(use, module, versionOf(place.specifier))
  })

export const layer: Layer.Layer<Plugins> = Layer.effect(Plugins)(
  Effect.sync(() => {
    shareOneCopy()
    return { load }
  }),
)
