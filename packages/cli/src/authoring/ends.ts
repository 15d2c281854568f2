/** The two ends of a new pipeline: which plugins, which stream, which object. */
import { type ObjectSpec, Plugins, type Sink, type Source, type StreamSpec } from "@sluice/core"
import * as Effect from "effect/Effect"
import { UsageError } from "../troubles.ts"
import { loadAll, usable } from "./installed.ts"
import type { Choice, Questions } from "./questions.ts"

/** What the command line says already. */
export interface Wanted {
  readonly source: string | undefined
  readonly stream: string | undefined
  readonly sink: string | undefined
  readonly object: string | undefined
}

export interface Ends {
  readonly source: { readonly use: string; readonly plugin: Source }
  readonly stream: { readonly name: string; readonly spec: StreamSpec }
  readonly sink: { readonly use: string; readonly plugin: Sink }
  readonly object: { readonly name: string; readonly spec: ObjectSpec }
}

const OTHER = "a package, or a file such as ./mine.ts"

/** `pipelineFile`: where packages and paths are sought from. */
export const chooseEnds = Effect.fnUntraced(function* (wanted: Wanted, questions: Questions, pipelineFile: string) {
  const { plugins } = yield* loadAll(usable(pipelineFile), pipelineFile)
  const sources = plugins.flatMap(({ use, source }) => (source === undefined ? [] : [{ use, plugin: source }]))
  const sinks = plugins.flatMap(({ use, sink }) => (sink === undefined ? [] : [{ use, plugin: sink }]))

  const sourceUse = wanted.source ?? (yield* questions.choose("source", "Read from", sources.map(sourceChoice), OTHER))
  const source = yield* pluginOf("source", sourceUse, pipelineFile)
  const stream = yield* chooseNamed("stream", "Which stream", wanted.stream, source.streams, questions)
  const sinkUse = wanted.sink ?? (yield* questions.choose("sink", "Write to", sinks.map(sinkChoice), OTHER))
  const sink = yield* pluginOf("sink", sinkUse, pipelineFile)
  const object = yield* chooseObject(sinkUse, sink, wanted.object, questions)
  const ends: Ends = {
    source: { use: sourceUse, plugin: source },
    stream,
    sink: { use: sinkUse, plugin: sink },
    object,
  }
  return ends
})

const sourceChoice = ({ use, plugin }: { readonly use: string; readonly plugin: Source }): Choice => ({
  value: use,
  description: Object.keys(plugin.streams).join(", "),
})

const sinkChoice = ({ use, plugin }: { readonly use: string; readonly plugin: Sink }): Choice => ({
  value: use,
  description: typeof plugin.objects === "function" ? "any object" : Object.keys(plugin.objects).join(", "),
})

interface Kinds {
  readonly source: Source
  readonly sink: Sink
}

const pluginOf = Effect.fnUntraced(function* <K extends keyof Kinds>(kind: K, use: string, pipelineFile: string) {
  const plugins = yield* Plugins
  const module: { readonly [key in keyof Kinds]?: Kinds[key] } = yield* plugins.load(use, pipelineFile)
  const plugin: Kinds[K] | undefined = module[kind]
  if (plugin !== undefined) return plugin
  return yield* new UsageError({ message: `${use} is no ${kind}`, fix: `\`sluice plugins\` lists the ${kind}s` })
})

const chooseNamed = Effect.fnUntraced(function* <Spec extends { readonly description: string }>(
  flag: string,
  message: string,
  wanted: string | undefined,
  specs: Readonly<Record<string, Spec>>,
  questions: Questions,
) {
  const choices = Object.entries(specs).map(([value, { description }]) => ({ value, description }))
  const name = wanted ?? (yield* questions.choose(flag, message, choices))
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec !== undefined) return { name, spec }
  return yield* new UsageError({
    message: `there is no ${flag} ${name}`,
    fix: `there is ${Object.keys(specs).join(", ")}`,
  })
})

const chooseObject = Effect.fnUntraced(function* (
  use: string,
  { objects }: Sink,
  wanted: string | undefined,
  questions: Questions,
) {
  if (typeof objects !== "function") {
    return yield* chooseNamed<ObjectSpec>("object", "Which object", wanted, objects, questions)
  }
  const name = wanted ?? (yield* questions.text("object", `Which object of ${use}`, undefined))
  const spec = objects(name)
  if (spec !== undefined) return { name, spec }
  return yield* new UsageError({ message: `${use} has no object ${name}`, fix: `see \`sluice plugins ${use}\`` })
})
