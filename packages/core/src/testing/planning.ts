/** Plans a pipeline file around a plugin under test, with the shipped planner. */
import * as Effect from "effect/Effect"
import type { Json, JsonObject } from "effect/Schema"
import { SecretFileError } from "../config/interpolate.ts"
import { type PluginModule, PluginNotFound, Plugins } from "../config/plugins.ts"
import type { ConfigError } from "../config/problem.ts"
import type { Pipeline } from "../engine/pipeline.ts"
import { plan } from "../engine/plan/plan.ts"
import { ConformanceError } from "./case.ts"

/** The name the plugin under test has in the file: `under_test.contacts`, `sources.under_test`. */
export const NAME = "under_test"

/** Plugins by what `use` says. */
export type Modules = { readonly [use: string]: PluginModule }

/** JSON is YAML: the file is written as it is. */
export const planFile = (file: JsonObject, modules: Modules) =>
  plan({
    file: "conformance.yaml",
    text: JSON.stringify(file),
    env: {},
    readSecretFile: () => Effect.fail(new SecretFileError({ message: "no files here" })),
  }).pipe(
    Effect.provideService(Plugins, {
      load: (use) => {
        const found = Object.hasOwn(modules, use) ? modules[use] : undefined
        return found === undefined
          ? Effect.fail(new PluginNotFound({ message: `no plugin ${use}` }))
          : Effect.succeed(found)
      },
    }),
  )

/** The one pipeline of a file that has to be right. */
export const onlyPipeline = (file: JsonObject, modules: Modules): Effect.Effect<Pipeline, ConformanceError> =>
  planFile(file, modules).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `the pipeline file is refused: ${error.message}` })),
    Effect.flatMap(({ pipelines }) => {
      const [pipeline] = pipelines
      return pipeline === undefined
        ? Effect.fail(new ConformanceError({ message: "the file has no pipeline" }))
        : Effect.succeed(pipeline)
    }),
  )

/** The problems of a file that has to be wrong. */
export const problemsOf = (file: JsonObject, modules: Modules): Effect.Effect<ConfigError | undefined> =>
  planFile(file, modules).pipe(Effect.match({ onFailure: (error) => error, onSuccess: () => undefined }))

/** Maps each destination field from a source field with a plain name: destination names can be anything. */
export const plainMap = (fields: ReadonlyArray<string>): { readonly [field: string]: Json } =>
  Object.fromEntries(fields.map((field, n) => [field, `f${n}`]))

/** A record's data for `plainMap` of the same fields; what is absent here is absent there. */
export const plainData = (fields: ReadonlyArray<string>, values: JsonObject): JsonObject =>
  Object.fromEntries(
    fields.flatMap((field, n) => {
      const value = Object.hasOwn(values, field) ? values[field] : undefined
      return value === undefined ? [] : [[`f${n}`, value] as const]
    }),
  )
