/** `sluice preview`: what a run would write, for real records, without writing. */
import { type PreviewReport, preview } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { Host } from "../host.ts"
import { choose, loadToConnect } from "../load.ts"
import { layer } from "../node/index.ts"
import { refuseOthers, STDOUT, writePage } from "../pageFile.ts"
import { present } from "../present.ts"
import { previewPage } from "../render/page/previewPage.ts"
import { renderPreview } from "../render/preview.ts"
import { clean } from "../render/text.ts"
import { UsageError } from "../troubles.ts"

export interface PreviewInput {
  readonly file: string
  readonly pipeline: string | undefined
  readonly limit: number
  readonly ids: ReadonlyArray<string>
  readonly emails: ReadonlyArray<string>
  readonly reveal: boolean
  readonly explain: boolean
  readonly html: string | undefined
  readonly force: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

export const handler = Effect.fnUntraced(function* (input: PreviewInput) {
  const { html, json, reveal } = input
  if (html === STDOUT && json) {
    return yield* new UsageError({
      message: "--json and --html - both want standard output",
      fix: "give the page a file",
    })
  }
  if (html !== undefined) yield* refuseOthers(html, input.force)
  const { plan, env } = yield* loadToConnect(input)
  const chosen = yield* choose(plan.pipelines, input.pipeline === undefined ? [] : [input.pipeline])
  const pipelines = yield* Effect.forEach(chosen, (pipeline) => preview(pipeline, input)).pipe(
    Effect.provide(layer({ stateFile: input.state, env })),
  )
  const result = { ok: pipelines.every((each) => each.ok), pipelines }
  const exit = result.ok ? EXIT.done : EXIT.incomplete
  if (html === STDOUT) return yield* printPage(previewPage(pipelines), exit)
  if (html !== undefined) {
    yield* writePage(html, previewPage(pipelines), reveal)
    yield* sayWritten(html, reveal)
  }
  yield* present(result, {
    json,
    render: (value, page) =>
      value.pipelines.map((each: PreviewReport) => renderPreview(each, page, input.explain)).join("\n\n"),
    exit,
  })
})

const printPage = Effect.fnUntraced(function* (page: string, exit: typeof EXIT.done | typeof EXIT.incomplete) {
  const host = yield* Host
  yield* host.out(page)
  yield* host.setExit(exit)
})

const sayWritten = Effect.fnUntraced(function* (file: string, reveal: boolean) {
  const host = yield* Host
  const what = reveal ? "with personal data, readable by you alone" : "values masked"
  yield* host.err(`${host.errPage.style.green("✓")} wrote ${clean(file)}, ${what}\n`)
})
