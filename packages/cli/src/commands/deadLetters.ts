/** `sluice dead-letters`: the records that could not be delivered. Ids and values are masked unless revealed. */
import {
  dropDeadLetters,
  listDeadLetters,
  mask,
  maskKey,
  type RunReport,
  retryDeadLetters,
  showDeadLetter,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { EXIT, exitOfReport } from "../exit.ts"
import { Host } from "../host.ts"
import { checkRoutes, choose, loadToConnect } from "../load.ts"
import { layer } from "../node/index.ts"
import { typed } from "../pasteable.ts"
import { present } from "../present.ts"
import { renderReport } from "../render/report.ts"
import { table } from "../render/table.ts"
import { clean, hang, type Page, plural } from "../render/text.ts"
import { type StateInput, withState } from "../state.ts"
import { missing, UsageError } from "../troubles.ts"
import { versions } from "../version.ts"

interface Filter {
  readonly pipeline: string | undefined
  readonly route: string | undefined
}

export interface ListInput extends StateInput, Filter {
  readonly limit: number
  readonly reveal: boolean
  readonly json: boolean
}

export interface ShowInput extends StateInput {
  readonly number: number
  readonly reveal: boolean
  readonly json: boolean
}

export interface RetryInput extends StateInput {
  readonly file: string
  readonly pipeline: string | undefined
  readonly route: string | undefined
  readonly numbers: ReadonlyArray<number>
  readonly json: boolean
}

export interface DropInput extends StateInput, Filter {
  readonly numbers: ReadonlyArray<number>
  readonly all: boolean
  readonly json: boolean
}

type Letter = Effect.Success<ReturnType<typeof listDeadLetters>>[number]

/** What is printed of a dead letter: no hash, no namespace number. */
const shown = (letter: Letter, reveal: boolean) => ({
  number: letter.number,
  pipeline: letter.pipeline,
  route: letter.route,
  account: letter.account,
  kind: letter.kind,
  code: letter.code,
  message: letter.message,
  fields: letter.fields,
  id: reveal ? letter.id : maskKey(letter.id),
  row_key: letter.row_key === null || reveal ? letter.row_key : maskKey(letter.row_key),
  attempts: letter.attempts,
  first_at: letter.first_at,
  last_at: letter.last_at,
})

type Shown = ReturnType<typeof shown>

const filterOf = ({ pipeline, route }: Filter) => ({
  ...(pipeline === undefined ? {} : { pipeline }),
  ...(route === undefined ? {} : { route }),
})

export const list = {
  handler: Effect.fnUntraced(function* (input: ListInput) {
    const letters = yield* withState(input, listDeadLetters({ ...filterOf(input), limit: input.limit }))
    yield* present(
      letters.map((letter) => shown(letter, input.reveal)),
      { json: input.json, render: renderList, exit: EXIT.done },
    )
  }),
}

const columns = [
  { title: "number", align: "right" as const },
  { title: "route", least: 10 },
  { title: "record", least: 12 },
  { title: "code", least: 8 },
  { title: "why", least: 16, lines: 3 },
]

const renderList = (letters: ReadonlyArray<Shown>, { style, width }: Page): string => {
  if (letters.length === 0) return "no dead letters"
  const rows = letters.map((letter) => [
    String(letter.number),
    clean(letter.route),
    clean(letter.id),
    clean(letter.kind === "rejected" ? letter.code : `${letter.kind}: ${letter.code}`),
    clean(letter.message),
  ])
  const hint = "`sluice dead-letters show NUMBER` says more, `retry FILE` sends again, `drop` gives up"
  return [...table(columns, rows, width, style.dim), "", style.dim(hang("", hint, width))].join("\n")
}

export const show = {
  handler: Effect.fnUntraced(function* (input: ShowInput) {
    const { letter, payload } = yield* withState(input, showDeadLetter(input.number)).pipe(
      missing(`there is no dead letter ${input.number}`, FIND),
    )
    const opened: Json = payload === null ? null : JSON.parse(payload)
    const value = { ...shown(letter, input.reveal), payload: input.reveal ? opened : mask(opened) }
    yield* present(value, { json: input.json, render: renderLetter, exit: EXIT.done })
  }),
}

const renderLetter = (value: Shown & { readonly payload: Json }, { style, width }: Page): string => {
  const { payload, ...facts } = value
  const lines = Object.entries(facts).map(([name, fact]) =>
    hang(`${style.dim(name.padEnd(10))}`, clean(Array.isArray(fact) ? fact.join(", ") : String(fact ?? "")), width),
  )
  const body = JSON.stringify(payload, null, 2).split("\n").map(clean)
  const again = `\`sluice dead-letters retry FILE --number ${facts.number}\` sends it again`
  const hint = hang("", `${again}, \`drop --number ${facts.number}\` gives it up`, width)
  return [...lines, style.dim("payload"), ...(payload === null ? ["(not kept)"] : body), "", style.dim(hint)].join("\n")
}

export const retry = {
  handler: Effect.fnUntraced(function* (input: RetryInput) {
    const host = yield* Host
    const { plan, env } = yield* loadToConnect(input)
    const pipelines = yield* choose(plan.pipelines, input.pipeline === undefined ? [] : [input.pipeline])
    yield* checkRoutes(pipelines, input.route === undefined ? [] : [input.route])
    const services = layer({ stateFile: input.state, env })
    yield* checkNumbers(input.numbers).pipe(Effect.provide(services))
    const graceMillis = 25_000
    yield* host.drains(graceMillis)
    const filter = {
      ...(input.route === undefined ? {} : { route: input.route }),
      ...(input.numbers.length === 0 ? {} : { numbers: input.numbers }),
    }
    const reports = yield* Effect.forEach(pipelines, (pipeline) =>
      retryDeadLetters(pipeline, filter, { stop: host.stopRequested, graceMillis, versions: versions() }),
    ).pipe(Effect.provide(services))
    const report: RunReport = { ok: reports.every((each) => each.ok), pipelines: reports }
    yield* present(report, {
      json: input.json,
      render: (value, page) => renderReport(value, page, { file: typed(input.file, input.envFile) }),
      exit: exitOfReport(report, yield* host.signal),
    })
  }),
}

export const drop = {
  handler: Effect.fnUntraced(function* (input: DropInput) {
    if (input.numbers.length === 0 && !(input.all && input.pipeline !== undefined)) {
      const message = "say which: numbers, or --pipeline ID with --all"
      return yield* new UsageError({ message, fix: "`sluice dead-letters list` shows numbers and pipelines" })
    }
    const dropped = yield* withState(input, Effect.andThen(checkNumbers(input.numbers), dropChosen(input)))
    yield* present(
      { dropped },
      {
        json: input.json,
        render: (value) => `dropped ${plural(value.dropped, "dead letter")}: sent again when the record changes`,
        exit: EXIT.done,
      },
    )
  }),
}

/** A number that is not there, or no more, is a mistake to hear of before anything is done. */
const checkNumbers = Effect.fnUntraced(function* (numbers: ReadonlyArray<number>) {
  if (numbers.length === 0) return
  const listed = new Set((yield* listDeadLetters({ numbers })).map(({ number }) => number))
  const unknown = numbers.find((number) => !listed.has(number))
  if (unknown !== undefined) return yield* noLetter(unknown)
})

const FIND = "`sluice dead-letters list` shows the numbers"
const noLetter = (number: number) => new UsageError({ message: `there is no dead letter ${number}`, fix: FIND })

const dropChosen = Effect.fnUntraced(function* (input: DropInput) {
  if (input.numbers.length === 0) return yield* dropDeadLetters({ pipeline: input.pipeline ?? "", ...filterOf(input) })
  const letters = yield* listDeadLetters({ ...filterOf(input), numbers: input.numbers })
  let dropped = 0
  for (const pipeline of new Set(letters.map((letter) => letter.pipeline))) {
    dropped += yield* dropDeadLetters({ ...filterOf(input), pipeline, numbers: input.numbers })
  }
  return dropped
})
