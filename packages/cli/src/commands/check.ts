/** `sluice check`: what is wrong with pipeline files, and with `--connect` what the vendors say about them. */
import { type CheckFinding, type CheckReport, checkConnected, type Problem } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT, type ExitCode, exitOfFailure, exitOfProblems, gravest } from "../exit.ts"
import { type Loaded, load } from "../load.ts"
import { present } from "../present.ts"
import { countTroubles, renderTroubles, type Trouble } from "../render/problems.ts"
import { clean, type Page, plural } from "../render/text.ts"
import { ofProblem } from "../troubles.ts"

export interface CheckInput {
  readonly files: ReadonlyArray<string>
  readonly connect: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string
}

interface CheckedFile {
  readonly file: string
  readonly ok: boolean
  readonly pipelines: ReadonlyArray<string>
  readonly routes: number
  readonly problems: ReadonlyArray<Problem>
  /** What the vendors said; null without `--connect` or where the file is wrong. */
  readonly connected: CheckReport | null
}

export const handler = Effect.fnUntraced(function* (input: CheckInput) {
  const files: Array<CheckedFile> = []
  for (const file of input.files) files.push(yield* checkFile(file, input))
  const result = { ok: files.every((file) => file.ok), files }
  yield* present(result, {
    json: input.json,
    render: (value, page) => value.files.map((file) => renderFile(file, input.connect, page)).join("\n"),
    exit: gravest(files.map(exitOf)),
  })
})

const checkFile = Effect.fnUntraced(function* (file: string, input: CheckInput) {
  const loaded = yield* load({ file, envFile: input.envFile }).pipe(
    Effect.catchTag("ConfigError", ({ problems }) => Effect.succeed(problems)),
  )
  if (!("plan" in loaded)) return brokenFile(file, loaded)
  const { pipelines, warnings } = loaded.plan
  const connected = input.connect ? yield* ask(loaded, input.state) : null
  const checked: CheckedFile = {
    file,
    ok: connected === null || connected.ok,
    pipelines: pipelines.map(({ name }) => name),
    routes: pipelines.reduce((sum, { routes }) => sum + routes.length, 0),
    problems: warnings,
    connected,
  }
  return checked
})

/** What only a connected check needs is loaded only then: an offline one starts in half the time. */
const ask = Effect.fnUntraced(function* ({ plan, env }: Loaded, stateFile: string) {
  const { layer } = yield* Effect.promise(() => import("../node/index.ts"))
  return yield* checkConnected(plan.pipelines).pipe(Effect.provide(layer({ stateFile, env })))
})

const brokenFile = (file: string, problems: ReadonlyArray<Problem>): CheckedFile => ({
  file,
  ok: false,
  pipelines: [],
  routes: 0,
  problems,
  connected: null,
})

const exitOf = ({ problems, connected }: CheckedFile): ExitCode =>
  gravest([
    exitOfProblems(problems),
    ...(connected?.findings ?? []).flatMap((finding) => (finding.severity === "error" ? [exitOfFinding(finding)] : [])),
  ])

const exitOfFinding = ({ code, path }: CheckFinding): ExitCode => {
  if (path !== undefined) return EXIT.invalid
  return code === "account" ? EXIT.environment : exitOfFailure({ _tag: code })
}

const renderFile = (checked: CheckedFile, connect: boolean, page: Page): string => {
  const troubles = [...checked.problems.map(ofProblem), ...(checked.connected?.findings ?? []).map(ofFinding)]
  const { style } = page
  const name = style.bold(clean(checked.file))
  const what = `${plural(checked.pipelines.length, "pipeline")}, ${plural(checked.routes, "route")}`
  const hint = connect ? "" : style.dim("  (credentials and live fields: --connect)")
  const accounts = Object.entries(checked.connected?.accounts ?? {}).map(
    ([connection, label]) => `  ${style.green("✓")} ${clean(connection)} is ${clean(label)}`,
  )
  const head = checked.ok
    ? `${name}  ${style.green("ok")}  ${what}${hint}`
    : `${name}  ${style.red(countTroubles(troubles))}`
  return [head, ...accounts, ...(troubles.length > 0 ? [renderTroubles(troubles, page)] : [])].join("\n")
}

const ofFinding = (finding: CheckFinding): Trouble => ({
  severity: finding.severity,
  code: finding.code,
  place: [finding.route ?? finding.connection, ...(finding.path ?? [])].join(" "),
  message: finding.message,
  fix: undefined,
})
