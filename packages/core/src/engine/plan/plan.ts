/** From the text of a pipeline file to pipelines that are checked and ready to open, or every problem it has. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import { type Checker, makeChecker } from "../../config/checker.ts"
import { interpolate, type Variables } from "../../config/interpolate.ts"
import { ConfigError, type Path, type Problem, quote } from "../../config/problem.ts"
import { FileShell, PipelineShell } from "../../config/schema.ts"
import { nearest } from "../../config/suggest.ts"
import { parseYaml } from "../../config/yaml.ts"
import type { Sink } from "../../plugin/sink.ts"
import type { Source, StreamSpec, SyncMode } from "../../plugin/source.ts"
import type { Pipeline } from "../pipeline.ts"
import { checkName, type Planned, type PlannedEntries, planEntries } from "./planEntries.ts"
import { isJsonObject, planRoute, writtenOptions } from "./planRoute.ts"

export interface PlanInput extends Variables {
  /** The path as the user gave it: problems name it, and plugins given by a path are sought from its folder. */
  readonly file: string
  readonly text: string
}

export interface Plan {
  /** The file's `name`, or its file name without folder and ending. */
  readonly name: string
  /** In the order of the file. */
  readonly pipelines: ReadonlyArray<Pipeline>
  readonly warnings: ReadonlyArray<Problem>
}

/** Asks no vendor. Fails with every problem of the file at once. */
export const plan = Effect.fnUntraced(function* (input: PlanInput) {
  const document = parseYaml(input.file, input.text)
  if (Result.isFailure(document)) return yield* new ConfigError({ problems: document.failure })
  const reading = yield* interpolate(document.success, input)
  const checker = makeChecker(document.success, reading)
  const shell = Option.getOrUndefined(checker.decode(FileShell, reading.value, []))
  const section = (name: string) => filledSection(reading.value, name, checker)

  const sources = yield* planEntries<Source>(
    { section: "sources", pick: (module) => module.source },
    section("sources"),
    checker,
  )
  const sinks = yield* planEntries<Sink>({ section: "sinks", pick: (module) => module.sink }, section("sinks"), checker)
  const deadLetters = { payload: shell?.dead_letters?.payload ?? ("full" as const) }
  const fileName = shell?.name ?? stem(input.file)
  const pipelines = Object.entries(section("pipelines")).flatMap(([name, raw]) => {
    const pipeline = planPipeline(name, raw, { fileName, sources, sinks, deadLetters }, checker)
    return pipeline === undefined ? [] : [pipeline]
  })

  const problems = checker.problems()
  if (problems.some(({ severity }) => severity === "error")) return yield* new ConfigError({ problems })
  const planned: Plan = { name: fileName, pipelines, warnings: problems }
  return planned
})

const stem = (file: string): string => (file.split(/[\\/]/).at(-1) ?? file).replace(/\.ya?ml$/, "")

/** A section to go through; what is no map is already reported as such. */
function filledSection(value: Json, name: string, checker: Checker): JsonObject {
  const section = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  if (!isJsonObject(section)) return {}
  if (Object.keys(section).length === 0)
    checker.report({ code: "section.empty", path: [name], message: `${quote(name)} has no entry` })
  return section
}

interface Surroundings {
  readonly fileName: string
  readonly sources: PlannedEntries<Source>
  readonly sinks: PlannedEntries<Sink>
  readonly deadLetters: Pipeline["deadLetters"]
}

function planPipeline(
  name: string,
  raw: Json | undefined,
  { fileName, sources, sinks, deadLetters }: Surroundings,
  checker: Checker,
): Pipeline | undefined {
  const path = ["pipelines", name]
  checkName(name, path, checker)
  const shell = Option.getOrUndefined(checker.decode(PipelineShell, raw, path))
  const to = isJsonObject(raw) && isJsonObject(raw.to) ? raw.to : {}
  if (shell !== undefined && Object.keys(to).length === 0)
    checker.report({ code: "section.empty", path: [...path, "to"], message: "`to` has no route" })
  const routes = Object.entries(to).map(([route, written]) =>
    planRoute(route, written, [...path, "to", route], sinks, checker),
  )
  if (shell === undefined) return undefined
  const found = findStream(shell.from, [...path, "from"], sources, checker)
  if (found === undefined) return undefined
  const written = shell.with === undefined ? {} : writtenOptions(raw)
  const options = checker.decode(found.spec.options, written, [...path, "with"])
  const sync = planSync(shell.sync, found, path, checker)
  const complete = routes.filter((route) => route !== undefined)
  if (Option.isNone(options) || complete.length < routes.length) return undefined
  const stream = { name: found.stream, spec: found.spec, options: options.value, written }
  return { name, id: `${fileName}.${name}`, source: found.source, stream, sync, routes: complete, deadLetters }
}

interface FoundStream {
  readonly source: Planned<Source>
  readonly stream: string
  readonly spec: StreamSpec
}

function findStream(
  from: string,
  path: Path,
  sources: PlannedEntries<Source>,
  checker: Checker,
): FoundStream | undefined {
  const dot = from.indexOf(".")
  if (dot <= 0 || dot === from.length - 1) {
    checker.report({ code: "from.invalid", path, message: "`from` is <source>.<stream>" })
    return undefined
  }
  const [sourceName, stream] = [from.slice(0, dot), from.slice(dot + 1)]
  const source = sources.get(sourceName)
  if (source === undefined) {
    const near = nearest(sourceName, sources.keys())
    const message = `there is no source ${quote(sourceName)} in this file`
    checker.report({ code: "source.unknown", path, message, suggestion: near && `${near}.${stream}` })
  }
  if (source === undefined || Option.isNone(source)) return undefined
  const { streams, name } = source.value.plugin
  const spec = Object.hasOwn(streams, stream) ? streams[stream] : undefined
  if (spec !== undefined) return { source: source.value, stream, spec }
  const names = Object.keys(streams)
  const near = nearest(stream, names)
  const message = `${name} has no stream ${quote(stream)}; it has ${names.join(", ")}`
  checker.report({ code: "stream.unknown", path, message, suggestion: near && `${sourceName}.${near}` })
  return undefined
}

function planSync(wanted: SyncMode | undefined, { spec, stream }: FoundStream, path: Path, checker: Checker): SyncMode {
  const usual = spec.modes.includes("full") ? "full" : (spec.modes[0] ?? "full")
  if (wanted === undefined || spec.modes.includes(wanted)) return wanted ?? usual
  const message = `the stream ${quote(stream)} can be read ${spec.modes.join(" or ")} only`
  checker.report({ code: "sync.unsupported", path: [...path, "sync"], message })
  return usual
}
