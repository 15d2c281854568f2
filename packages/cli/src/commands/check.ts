/** `sluice check`: what is wrong with pipeline files, and with `--connect` what the vendors say about them. */
import { type CheckFinding, checkLocked, type Problem } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT, type ExitCode, exitOfFailure, exitOfProblems, gravest } from "../exit.ts"
import { isTestFile, type Loaded, load, loadToConnect } from "../load.ts"
import { lockFileOf, readLock } from "../locks.ts"
import { typed } from "../pasteable.ts"
import { present } from "../present.ts"
import { countTroubles, renderTroubles, type Trouble } from "../render/problems.ts"
import { clean, hang, type Page, plural } from "../render/text.ts"
import { ofProblems } from "../troubles.ts"
import type { Asking, Connected, Placed } from "./checkConnected.ts"

export interface CheckInput {
  readonly files: ReadonlyArray<string>
  readonly connect: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

interface CheckedFile {
  readonly file: string
  readonly ok: boolean
  readonly pipelines: ReadonlyArray<string>
  readonly routes: number
  /** Of a test file. */
  readonly tests: number
  /** The mappings were held against saved fields. */
  readonly locked: boolean
  readonly problems: ReadonlyArray<Problem>
  /** What the vendors said; null without `--connect` or where the file is wrong. */
  readonly connected: Connected | null
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

const checkFile = (file: string, input: CheckInput) =>
  (isTestFile(file) ? checkTests(file) : checkPipelines(file, input)).pipe(
    Effect.catchTags({
      ConfigError: ({ problems }) => Effect.succeed(brokenFile(file, problems)),
      UsageError: ({ message }) => Effect.succeed(brokenFile(file, [noFile(file, message)])),
    }),
  )

const checkTests = Effect.fnUntraced(function* (file: string) {
  const command = yield* Effect.promise(() => import("./checkTests.ts"))
  const { tests, problems } = yield* command.checkTests(file)
  const checked: CheckedFile = {
    file,
    ok: true,
    pipelines: [],
    routes: 0,
    tests,
    locked: false,
    problems,
    connected: null,
  }
  return checked
})

const checkPipelines = Effect.fnUntraced(function* (file: string, input: CheckInput) {
  const loading = input.connect ? loadToConnect : load
  const loaded = yield* loading({ file, envFile: input.envFile })
  const { pipelines, warnings } = loaded.plan
  const connected = input.connect
    ? yield* connect(loaded, { file: typed(file, input.envFile), state: input.state })
    : null
  const saved = input.connect ? undefined : yield* readLock(file)
  const { text } = loaded
  const found =
    saved === undefined ? [] : checkLocked({ file, text, pipelines, lockFile: lockFileOf(file), lock: saved })
  const checked: CheckedFile = {
    file,
    ok: connected === null ? exitOfProblems(found) === EXIT.done : connected.ok,
    pipelines: pipelines.map(({ name }) => name),
    routes: pipelines.reduce((sum, { routes }) => sum + routes.length, 0),
    tests: 0,
    locked: saved !== undefined,
    problems: [...warnings, ...found],
    connected,
  }
  return checked
})

const connect = Effect.fnUntraced(function* (loaded: Loaded, asking: Asking) {
  const { ask } = yield* Effect.promise(() => import("./checkConnected.ts"))
  return yield* ask(loaded, asking)
})

/** One of several files that is not there does not hide what is wrong with the others. */
const noFile = (file: string, message: string): Problem => ({
  severity: "error",
  code: "usage",
  path: "",
  message,
  file,
  line: 1,
  column: 1,
})

const brokenFile = (file: string, problems: ReadonlyArray<Problem>): CheckedFile => ({
  file,
  ok: false,
  pipelines: [],
  routes: 0,
  tests: 0,
  locked: false,
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
  const troubles = [...ofProblems(checked.problems), ...(checked.connected?.findings ?? []).map(ofFinding)]
  const { style } = page
  const name = style.bold(clean(checked.file))
  const holds = `${plural(checked.pipelines.length, "pipeline")}, ${plural(checked.routes, "route")}`
  const what = isTestFile(checked.file) ? plural(checked.tests, "test") : holds
  const accounts = Object.entries(checked.connected?.accounts ?? {}).map(
    ([connection, label]) => `  ${style.green("✓")} ${clean(connection)} is ${clean(label)}`,
  )
  const head = checked.ok ? `${name}  ${style.green("ok")}  ${what}` : `${name}  ${style.red(countTroubles(troubles))}`
  const unseen = checked.locked
    ? "credentials were not looked at"
    : "credentials and the destination's fields were not looked at"
  const against = checked.locked ? `fields as in ${lockFileOf(checked.file)}; ` : ""
  const hint = style.dim(hang("  ", clean(`${against}without --connect: ${unseen}`), page.width))
  return [
    head,
    ...accounts,
    ...(checked.ok && !connect && !isTestFile(checked.file) ? [hint] : []),
    ...(troubles.length > 0 ? [renderTroubles(troubles, page)] : []),
  ].join("\n")
}

const ofFinding = ({ severity, code, place, route, path, message, fix }: Placed): Trouble => ({
  severity,
  code,
  place,
  message: path === undefined ? message : `${[route, ...path].join(" ")}: ${message}`,
  fix,
})
