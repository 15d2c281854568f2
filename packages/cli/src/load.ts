/** From the FILE of a command line to checked pipelines. */
import * as fs from "node:fs"
import type { Path, Pipeline, Plan, Problem } from "@sluice/core"
import { ConfigError, isPlaceholder, parseYaml, plan, SecretFileError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { Host } from "./host.ts"
import { layer as digestLayer } from "./node/digest.ts"
import { readEnvironment, readSecretFile } from "./node/environment.ts"
import { layer as pluginsLayer } from "./node/plugins.ts"
import { UsageError } from "./troubles.ts"

export interface FileInput {
  readonly file: string
  readonly envFile: string | undefined
}

export interface Loaded {
  readonly plan: Plan
  readonly file: string
  readonly text: string
  /** Of the process and its files. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `file:line:column` of a key. */
  readonly placeOf: (path: Path) => string
}

/** `users.test.yaml` beside `users.yaml`. */
export const isTestFile = (file: string): boolean => /\.test\.ya?ml$/.test(file)

/** Asks no vendor. Fails with all problems of the file. */
export const load = Effect.fnUntraced(function* (input: FileInput) {
  return yield* loadText(yield* readPipelines(input.file), input)
})

/** As `load`, for what asks the vendors: a value that `sluice init` put in for the real one is none. */
export const loadToConnect = Effect.fnUntraced(function* (input: FileInput) {
  const text = yield* readPipelines(input.file)
  const loaded = yield* loadText(text, input)
  const problems = placeholders(input.file, text, loaded.env)
  if (problems.length > 0) return yield* new ConfigError({ problems })
  return loaded
})

const placeholders = (file: string, text: string, env: Loaded["env"]): ReadonlyArray<Problem> =>
  text.split("\n").flatMap((line, index) =>
    [...line.matchAll(/\$\{([A-Za-z_]\w*)/g)].flatMap(({ 1: name = "", index: at }): ReadonlyArray<Problem> => {
      const comment = line.indexOf("#")
      if (!isPlaceholder(env[name] ?? "") || (comment >= 0 && comment < at)) return []
      const message = `${name} still has the value that stands for the real one`
      const place = { file, line: index + 1, column: at + 1 }
      return [{ code: "variable.placeholder", severity: "error", path: "", message, variable: name, ...place }]
    }),
  )

/** As if the file had this text. */
export const loadText = Effect.fnUntraced(function* (text: string, { file, envFile }: FileInput) {
  const { env } = yield* Host
  const variables = Object.fromEntries(yield* readEnvironment({ pipelineFile: file, envFile, env }))
  const planned = yield* plan({
    file,
    text,
    env: variables,
    readSecretFile: (path) =>
      Effect.mapError(readSecretFile(path, file), ({ message }) => new SecretFileError({ message })),
  }).pipe(Effect.provide(Layer.mergeAll(pluginsLayer, digestLayer)))
  const loaded: Loaded = { plan: planned, file, text, env: variables, placeOf: (path) => placeIn(file, text, path) }
  return loaded
})

const placeIn = (file: string, text: string, path: Path): string => {
  const document = parseYaml(file, text)
  if (Result.isFailure(document)) return file
  const { line, column } = document.success.position(path, "key")
  return `${file}:${line}:${column}`
}

const readPipelines = (file: string): Effect.Effect<string, UsageError> => {
  if (!isTestFile(file)) return readPipelineFile(file)
  const message = `${file} holds mapping tests and no pipeline`
  return Effect.fail(new UsageError({ message, fix: "`sluice test` runs it; give the pipeline file beside it here" }))
}

export const readPipelineFile = (file: string): Effect.Effect<string, UsageError> =>
  Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined
      const what = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : "cannot be read"
      return new UsageError({ message: `the pipeline file ${file} ${what}`, fix: "give the path of a .yaml file" })
    },
  })

/** The pipelines named, in the order of the file; all where none is named. */
export const choose = (
  pipelines: ReadonlyArray<Pipeline>,
  names: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<Pipeline>, UsageError> => {
  const known = pipelines.map((pipeline) => pipeline.name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const fix = `it has ${known.join(", ")}`
    return Effect.fail(new UsageError({ message: `the file has no pipeline ${unknown}`, fix }))
  }
  return Effect.succeed(names.length === 0 ? pipelines : pipelines.filter(({ name }) => names.includes(name)))
}

/** A route that no chosen pipeline has would be run as nothing at all, and end well. */
export const checkRoutes = (
  pipelines: ReadonlyArray<Pipeline>,
  names: ReadonlyArray<string>,
): Effect.Effect<void, UsageError> => {
  const known = [...new Set(pipelines.flatMap(({ routes }) => routes.map(({ name }) => name)))]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return Effect.void
  return Effect.fail(new UsageError({ message: `there is no route ${unknown}`, fix: `it has ${known.join(", ")}` }))
}
