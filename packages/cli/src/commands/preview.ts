/** `sluice preview`: what a run would write, for real records, without writing. */
import { type PreviewReport, preview } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { choose, loadToConnect } from "../load.ts"
import { layer } from "../node/index.ts"
import { present } from "../present.ts"
import { renderPreview } from "../render/preview.ts"

export interface PreviewInput {
  readonly file: string
  readonly pipeline: string | undefined
  readonly limit: number
  readonly ids: ReadonlyArray<string>
  readonly emails: ReadonlyArray<string>
  readonly reveal: boolean
  readonly explain: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

export const handler = Effect.fnUntraced(function* (input: PreviewInput) {
  const { plan, env } = yield* loadToConnect(input)
  const chosen = yield* choose(plan.pipelines, input.pipeline === undefined ? [] : [input.pipeline])
  const pipelines = yield* Effect.forEach(chosen, (pipeline) => preview(pipeline, input)).pipe(
    Effect.provide(layer({ stateFile: input.state, env })),
  )
  const result = { ok: pipelines.every((each) => each.ok), pipelines }
  yield* present(result, {
    json: input.json,
    render: (value, page) =>
      value.pipelines.map((each: PreviewReport) => renderPreview(each, page, input.explain)).join("\n\n"),
    exit: result.ok ? EXIT.done : EXIT.incomplete,
  })
})
