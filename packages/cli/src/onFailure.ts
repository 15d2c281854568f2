/** Tells a command or a URL of a run that did not end well. Whatever becomes of that, the exit code stays. */
import type { PipelineReport, RunReport } from "@sluice/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { EXIT, type ExitCode, exitOfFailure } from "./exit.ts"
import { describeThrown, Host } from "./host.ts"
import { readEnvironment } from "./node/environment.ts"
import { bug, type CommandFailure, troublesOf } from "./troubles.ts"
import { VERSION } from "./version.ts"

/** What is sent. Names and counts, ids of runs and texts of errors: no value of a record, no secret. */
export interface FailurePayload {
  /** One sentence; what chat systems show of an incoming webhook. */
  readonly text: string
  readonly sluice: string
  readonly at: string
  readonly file: string
  readonly exit_code: ExitCode
  readonly pipelines: ReadonlyArray<
    Pick<PipelineReport, "pipeline" | "run_id" | "status" | "ok" | "read" | "routes" | "error" | "resumable">
  >
  readonly problems: ReadonlyArray<{ readonly code: string; readonly place: string; readonly message: string }>
}

export interface Ended {
  readonly exit: ExitCode
  readonly report: RunReport
}

/** Someone asked for the end, and the process is given little time for it. */
const SIGNALLED: ReadonlySet<ExitCode> = new Set([EXIT.hangup, EXIT.interrupted, EXIT.terminated])

const summary = ({ pipeline, status, error, resumable }: PipelineReport): string =>
  `${pipeline} ${error === null ? `${status}, with rows that did not arrive` : `${status} (${error.code})`}${resumable ? ", resumable" : ""}`

const ofReport = ({ exit, report }: Ended): Pick<FailurePayload, "text" | "exit_code" | "pipelines" | "problems"> => {
  const bad = report.pipelines.filter(({ ok }) => !ok)
  return {
    text: `sluice run ended with ${exit}: ${bad.map(summary).join("; ")}`,
    exit_code: exit,
    pipelines: report.pipelines.map(({ pipeline, run_id, status, ok, read, routes, error, resumable }) => ({
      pipeline,
      run_id,
      status,
      ok,
      read,
      routes,
      error,
      resumable,
    })),
    problems: [],
  }
}

const ofCause = (cause: Cause.Cause<CommandFailure>) => {
  const failure = Cause.findErrorOption(cause)
  const known = failure._tag === "Some"
  const problems = known ? troublesOf(failure.value) : [bug(describeThrown(Cause.squash(cause)))]
  const exit = known ? exitOfFailure(failure.value) : EXIT.bug
  return {
    text: `sluice run could not begin and ended with ${exit}: ${problems[0]?.message ?? "unknown"}`,
    exit_code: exit,
    pipelines: [],
    problems: problems.map(({ code, place, message }) => ({ code, place, message })),
  }
}

export interface Telling {
  /** A command line, or an http address. Without it SLUICE_ON_FAILURE, which keeps an address with a key out of `ps`. */
  readonly onFailure: string | undefined
  readonly file: string
  readonly envFile: string | undefined
}

const tell = Effect.fnUntraced(function* (telling: Telling, found: ReturnType<typeof ofReport>) {
  const host = yield* Host
  const read = readEnvironment({ pipelineFile: telling.file, envFile: telling.envFile, env: host.env })
  const env = yield* Effect.match(read, { onSuccess: Object.fromEntries<string>, onFailure: () => host.env })
  const target = telling.onFailure ?? env.SLUICE_ON_FAILURE ?? ""
  if (target === "" || found.exit_code === EXIT.done || SIGNALLED.has(found.exit_code)) return
  const at = new Date(yield* Clock.currentTimeMillis).toISOString()
  const payload: FailurePayload = { ...found, sluice: VERSION, at, file: telling.file }
  const { notify } = yield* Effect.promise(() => import("./node/notify.ts"))
  const problem = yield* notify(target, JSON.stringify(payload), env)
  if (problem !== undefined) yield* Effect.logWarning(`--on-failure: ${problem}`)
})

/** Says it after a run, and where none could begin. */
export const tellingOfFailure =
  (telling: Telling) =>
  <E extends CommandFailure, R>(self: Effect.Effect<Ended, E, R>): Effect.Effect<Ended, E, R | Host> =>
    self.pipe(
      Effect.tap((ended) => tell(telling, ofReport(ended))),
      Effect.tapCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : tell(telling, ofCause(cause)))),
    )
