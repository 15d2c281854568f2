/** `sluice new sink` and `sluice new source`: a plugin of one's own, its test, and a pipeline that uses it. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { filesOf, makeDraft } from "../authoring/draft.ts"
import { chooseEnds } from "../authoring/ends.ts"
import { type NewFile, refuseExisting, type Written, writeFiles, written } from "../authoring/newFiles.ts"
import { unattended } from "../authoring/questions.ts"
import { sinkFiles } from "../authoring/sinkTemplate.ts"
import { sourceFiles } from "../authoring/sourceTemplate.ts"
import { EXIT } from "../exit.ts"
import { layer as pluginsLayer } from "../node/plugins.ts"
import { present } from "../present.ts"
import { clean, hang, type Page } from "../render/text.ts"
import { renderWritten } from "../render/written.ts"

export interface NewInput {
  readonly name: string
  readonly folder: string
  readonly force: boolean
  readonly json: boolean
}

export const sink = { handler: (input: NewInput) => make("sink", sinkFiles(input.name), input) }
export const source = { handler: (input: NewInput) => make("source", sourceFiles(input.name), input) }

const make = Effect.fnUntraced(function* (
  kind: "sink" | "source",
  plugin: ReadonlyArray<NewFile>,
  { name, folder, force, json }: NewInput,
) {
  const files = plugin.map((each) => ({ ...each, file: path.join(folder, each.file) }))
  const pipeline = path.join(folder, `${name}.yaml`)
  if (!force) yield* refuseExisting([...files.map(({ file }) => file), pipeline])
  yield* writeFiles(files)
  // Read back as a pipeline file would: the plugin's own contract says what stands in the example.
  const ends = yield* chooseEnds(
    { source: undefined, stream: undefined, sink: undefined, object: undefined, ...wanted(kind, name) },
    unattended(true),
    pipeline,
  )
  const around = filesOf(makeDraft(pipeline, ends))
  yield* writeFiles(around)
  const value = { kind, name, pipeline, written: [...files, ...around].map(written) }
  yield* present(value, { json, render, exit: EXIT.done })
}, Effect.provide(pluginsLayer))

const wanted = (kind: "sink" | "source", name: string) =>
  kind === "sink" ? { sink: `./${name}.ts`, object: "users" } : { source: `./${name}.ts` }

interface Made {
  readonly kind: "sink" | "source"
  readonly name: string
  readonly pipeline: string
  readonly written: ReadonlyArray<Written>
}

const render = ({ kind, name, pipeline, written: files }: Made, page: Page): string => {
  const steps = [
    kind === "sink"
      ? `\`write\` in ${name}.ts sends a batch and says what became of each row: make it what your destination takes.`
      : `\`list\` and \`read\` in ${name}.ts ask for a page and hand it on: make them what your API answers.`,
    `\`vitest run ${name}.test.ts\` tries it on every fault that the engine knows. It needs @sluice/core, effect, vitest and @effect/vitest beside it.`,
    `\`sluice check ${clean(pipeline)}\` and \`sluice preview ${clean(pipeline)}\`.`,
  ]
  return [
    ...files.map((each) => renderWritten(each, page)),
    "",
    ...steps.map((step, at) => hang(`${at + 1}. `, step, page.width)),
  ].join("\n")
}
