/** `sluice init`: a first pipeline file, from a few questions or flags. */
import * as fs from "node:fs"
import type { Problem } from "@sluice/core"
import * as Effect from "effect/Effect"
import { filesOf, makeDraft, variablesOf, withLive } from "../authoring/draft.ts"
import { chooseEnds, type Ends, type Wanted } from "../authoring/ends.ts"
import { askVendors, unset } from "../authoring/live.ts"
import { refuseExisting, type Written, writeFiles, written } from "../authoring/newFiles.ts"
import { pipelineFile } from "../authoring/pipelineFile.ts"
import type { Proposal } from "../authoring/propose.ts"
import { atTerminal, type Questions, unattended } from "../authoring/questions.ts"
import { EXIT, exitOfProblems } from "../exit.ts"
import { Host } from "../host.ts"
import { load } from "../load.ts"
import { EnvironmentRefused, readEnvironment } from "../node/environment.ts"
import { layer as pluginsLayer } from "../node/plugins.ts"
import { forShell } from "../pasteable.ts"
import { present } from "../present.ts"
import { renderInit } from "../render/init.ts"

export interface InitInput extends Wanted {
  readonly file: string | undefined
  readonly connect: boolean
  readonly yes: boolean
  readonly force: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

export interface InitReport {
  readonly file: string
  readonly written: ReadonlyArray<Written>
  readonly source: string
  readonly sink: string
  /** The vendors were asked. */
  readonly connected: boolean
  readonly proposal: Proposal
  readonly variables: ReadonlyArray<{ readonly name: string; readonly secret: boolean; readonly set: boolean }>
  /** What `sluice check` says of the new file. */
  readonly problems: ReadonlyArray<Problem>
  /** Begins it anew with the live fields. */
  readonly again: string
}

export const handler = (input: InitInput) =>
  begin(input).pipe(
    Effect.provide(pluginsLayer),
    Effect.catchTag("QuitError", () => Effect.flatMap(Host, (host) => host.setExit(EXIT.interrupted))),
  )

const begin = Effect.fnUntraced(function* (input: InitInput) {
  const host = yield* Host
  const questions = host.asks && !input.yes && !input.json ? atTerminal : unattended(input.yes)
  const ends = yield* chooseEnds(input, questions, input.file ?? "pipeline.yaml")
  const file = input.file ?? (yield* questions.text("file", "Which file", `${ends.stream.name}.yaml`))
  if (!input.force) yield* replaceOrRefuse(file, questions)

  const where = { file, envFile: input.envFile, state: input.state }
  const variables = yield* readEnvironment({ pipelineFile: file, envFile: input.envFile, env: host.env })
  const described = makeDraft(file, ends)
  const keys = variablesOf(described)
  const open = unset(keys, variables)
  if (input.connect && open.length > 0) return yield* withoutValues(open.map(({ variable }) => variable))
  const connect =
    input.connect || (open.length === 0 && (yield* questions.confirm("Look at the live fields and records now?", true)))
  const draft = connect ? withLive(described, ends, yield* askVendors(pipelineFile(described), where)) : described

  const files = filesOf(draft)
  yield* writeFiles(files)
  const problems = yield* checked(where)
  const report: InitReport = {
    file,
    written: files.map(written),
    source: `${draft.source.name}.${draft.stream}`,
    sink: `${draft.sink.name}.${draft.object}`,
    connected: draft.connected,
    proposal: draft.proposal,
    variables: keys.map((key) => ({ name: key.variable, secret: key.secret, set: !open.includes(key) })),
    problems,
    again: commandFor(file, ends),
  }
  yield* present(report, { json: input.json, render: renderInit, exit: exitOfProblems(problems) })
})

const replaceOrRefuse = Effect.fnUntraced(function* (file: string, questions: Questions) {
  if (!fs.existsSync(file) || (yield* questions.confirm(`${file} exists. Replace it?`, false))) return
  yield* refuseExisting([file])
})

const withoutValues = (names: ReadonlyArray<string>) =>
  Effect.fail(
    new EnvironmentRefused({
      message: `--connect asks the vendors, and ${names.join(", ")} ${names.length === 1 ? "has" : "have"} no value: set them in the shell or in .env, which \`sluice init\` writes without --connect`,
    }),
  )

const checked = (where: { readonly file: string; readonly envFile: string | undefined }) =>
  load(where).pipe(
    Effect.map(({ plan }) => plan.warnings),
    Effect.catchTag("ConfigError", ({ problems }) => Effect.succeed(problems)),
  )

/** With the flags that make a choice. */
const commandFor = (file: string, { source, stream, sink, object }: Ends): string => {
  const { objects } = sink.plugin
  const flags = [
    ["source", source.use],
    ...(Object.keys(source.plugin.streams).length > 1 ? [["stream", stream.name]] : []),
    ["sink", sink.use],
    ...(typeof objects === "function" || Object.keys(objects).length > 1 ? [["object", object.name]] : []),
  ]
  return [
    "sluice init",
    forShell(file),
    ...flags.map(([flag, value = ""]) => `--${flag} ${forShell(value)}`),
    "--connect --force",
  ].join(" ")
}
