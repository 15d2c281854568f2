/** `sluice plugins`: which plugins there are and what they take. */
import { Plugins } from "@sluice/core"
import * as Effect from "effect/Effect"
import { loadAll, namedIn, usable } from "../authoring/installed.ts"
import { type DescribedPlugin, describePlugin } from "../authoring/plugin.ts"
import { EXIT } from "../exit.ts"
import { readPipelineFile } from "../load.ts"
import { layer as pluginsLayer } from "../node/plugins.ts"
import { present } from "../present.ts"
import { renderPlugin, renderPlugins } from "../render/plugins.ts"
import { renderTroubles } from "../render/problems.ts"
import { UsageError } from "../troubles.ts"

export interface PluginsInput {
  readonly use: string | undefined
  readonly part: string | undefined
  readonly file: string | undefined
  readonly json: boolean
}

/** Paths and packages are seen from the pipeline file, or from the folder the command runs in. */
const HERE = "pipeline.yaml"

export const handler = Effect.fnUntraced(function* (input: PluginsInput) {
  yield* input.use === undefined ? list(input) : detail(input.use, input)
}, Effect.provide(pluginsLayer))

const list = Effect.fnUntraced(function* ({ file, json }: PluginsInput) {
  const named = file === undefined ? [] : namedIn(file, yield* readPipelineFile(file))
  const found = yield* loadAll([...usable(file ?? HERE), ...named], file ?? HERE)
  const value = { plugins: found.plugins.map((plugin) => describePlugin(plugin)), broken: found.broken }
  yield* present(value, {
    json,
    render: ({ plugins, broken }, page) =>
      [renderPlugins(plugins, page), ...(broken.length === 0 ? [] : [renderTroubles(broken.map(trouble), page)])].join(
        "\n\n",
      ),
    exit: value.broken.length === 0 ? EXIT.done : EXIT.invalid,
  })
})

const trouble = ({ use, problem }: { readonly use: string; readonly problem: string }) => ({
  severity: "error" as const,
  code: "plugin.not-found",
  place: use,
  message: problem,
  fix: undefined,
})

const detail = Effect.fnUntraced(function* (use: string, { file, part, json }: PluginsInput) {
  const plugins = yield* Plugins
  const module = yield* plugins.load(use, file ?? HERE)
  const described = describePlugin({ use, ...module }, part)
  if (part !== undefined && isEmpty(described)) {
    const { source, sink } = describePlugin({ use, ...module })
    const names = [...(source?.streams ?? []), ...(sink?.objects ?? [])].map(({ name }) => name)
    return yield* new UsageError({
      message: `${use} has no stream and no object ${part}`,
      ...(names.length === 0 ? {} : { fix: `it has ${names.join(", ")}` }),
    })
  }
  yield* present(described, { json, render: renderPlugin, exit: EXIT.done })
})

const isEmpty = ({ source, sink }: DescribedPlugin): boolean =>
  (source?.streams ?? []).length + (sink?.objects ?? []).length === 0
