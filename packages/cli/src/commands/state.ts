/** `sluice state`: what is remembered of pipelines, and how to forget it. */
import { type PipelineState, resetState, showState } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { present } from "../present.ts"
import { clean, hang, type Page, plural } from "../render/text.ts"
import { type StateInput, withState } from "../state.ts"
import { UsageError } from "../troubles.ts"

export interface ShowInput extends StateInput {
  readonly pipeline: string | undefined
  readonly json: boolean
}

export interface ResetInput extends StateInput {
  readonly pipeline: string
  readonly all: boolean
  readonly yes: boolean
  readonly json: boolean
}

export const show = {
  handler: Effect.fnUntraced(function* (input: ShowInput) {
    const filter = input.pipeline === undefined ? {} : { pipeline: input.pipeline }
    const states = yield* withState(input, showState(filter))
    yield* present(states, { json: input.json, render: renderStates, exit: EXIT.done })
  }),
}

const renderStates = (states: ReadonlyArray<PipelineState>, page: Page): string =>
  states.length === 0 ? "nothing is remembered" : states.map((state) => renderState(state, page)).join("\n\n")

const renderState = (state: PipelineState, { style, width }: Page): string =>
  [
    style.bold(clean(state.pipeline)),
    ...state.positions.map(({ account, stream, position, open, updated_at }) => {
      const since = `${clean(updated_at.slice(0, 19).replace("T", " "))} UTC`
      return hang("  ", `reads ${clean(stream)} of ${clean(account)}: ${positionText(position, open)}, ${since}`, width)
    }),
    ...state.routes.map(({ route, account, ledger, dead_letters, open_batches, open_jobs }) => {
      const batches = open_batches > 0 ? `, ${plural(open_batches, "batch", "batches")} to recover` : ""
      const open = open_jobs > 0 ? `${batches}, ${plural(open_jobs, "job")} to follow` : batches
      const held = `${plural(ledger, "record")} known, ${plural(dead_letters, "dead letter")}${open}`
      return hang("  ", `${clean(route)} in ${clean(account)}: ${held}`, width)
    }),
  ].join("\n")

const positionText = (position: string | null, open: boolean): string => {
  if (open) return "in the middle of a scan"
  return position === null ? "the next scan reads everything" : "the next scan goes on from the last"
}

export const reset = {
  handler: Effect.fnUntraced(function* (input: ResetInput) {
    const states = yield* withState(input, showState({ pipeline: input.pipeline }))
    if (states.length === 0) {
      const fix = "`sluice state show` lists the pipelines"
      return yield* new UsageError({ message: `nothing is remembered of ${input.pipeline}`, fix })
    }
    const effect = input.all
      ? "everything is sent again and dead letters are forgotten"
      : "the next run reads everything; rows that are unchanged still cost no call"
    if (!input.yes) {
      return yield* new UsageError({ message: `this resets ${input.pipeline}: ${effect}`, fix: "add --yes to do it" })
    }
    yield* withState(input, resetState(input.pipeline, input.all ? "all" : "position"))
    yield* present(
      { pipeline: input.pipeline, reset: input.all ? "all" : "position" },
      { json: input.json, render: () => `reset: ${effect}`, exit: EXIT.done },
    )
  }),
}
