/** Exit codes, and the one place that decides which it is. */
import type { RunReport, SinkReason, SourceReason } from "@sluice/core"

export const EXIT = {
  done: 0,
  /** The run failed; resumable if it says so. Or a mapping test did. */
  failed: 1,
  /** The pipeline file or the command line is invalid. */
  invalid: 2,
  /** Credentials, variables, the state's folder, certificates and proxies. */
  environment: 3,
  /** Finished, with dead letters, rows in doubt or a reported gap. */
  incomplete: 4,
  /** Another run holds the lock. */
  locked: 5,
  bug: 70,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What the exit code of a failure depends on. */
export interface Failure {
  readonly _tag: string
  readonly reason?: { readonly _tag: string }
  readonly problems?: ReadonlyArray<{ readonly code: string; readonly severity: string }>
}

const BY_TAG: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ["LockHeld", EXIT.locked],
  ["ShowHelp", EXIT.invalid],
  ["UsageError", EXIT.invalid],
  ["PluginNotFound", EXIT.invalid],
  ["EnvironmentRefused", EXIT.environment],
  ["StateUnusable", EXIT.environment],
  ["Unsealable", EXIT.environment],
  ["ListenError", EXIT.environment],
  ["Bug", EXIT.bug],
])

/** By reason, wherever it turns up: as the reason of an error or as the code in a report. */
const BY_REASON: ReadonlyMap<string, ExitCode> = new Map<(SourceReason | SinkReason)["_tag"], ExitCode>([
  ["Misconfigured", EXIT.invalid],
  ["Unauthorized", EXIT.environment],
  ["Forbidden", EXIT.environment],
  ["Barred", EXIT.environment],
])

const byCode = (code: string): ExitCode => BY_TAG.get(code) ?? BY_REASON.get(code) ?? EXIT.failed

export const exitOfFailure = (failure: Failure): ExitCode => {
  if (failure._tag === "ConfigError") return exitOfProblems(failure.problems ?? [])
  return byCode(failure.reason === undefined ? failure._tag : failure.reason._tag)
}

const FROM_OUTSIDE: ReadonlySet<string> = new Set(["variable.missing", "variable.placeholder", "variable.file"])

/** A file that is right but for variables and secret files that are not there is a matter of the environment. */
export const exitOfProblems = (
  problems: ReadonlyArray<{ readonly code: string; readonly severity: string }>,
): ExitCode => {
  const errors = problems.filter((problem) => problem.severity === "error")
  if (errors.length === 0) return EXIT.done
  return errors.every(({ code }) => FROM_OUTSIDE.has(code)) ? EXIT.environment : EXIT.invalid
}

/** The gravest first: of several pipelines the worst one decides. */
const GRAVITY: ReadonlyArray<ExitCode> = [
  EXIT.bug,
  EXIT.terminated,
  EXIT.interrupted,
  EXIT.hangup,
  EXIT.locked,
  EXIT.environment,
  EXIT.invalid,
  EXIT.failed,
  EXIT.incomplete,
]

export const gravest = (codes: ReadonlyArray<ExitCode>): ExitCode =>
  GRAVITY.find((code) => codes.includes(code)) ?? EXIT.done

/** `signal`: the code of the signal that was received, if any. */
export const exitOfReport = (report: RunReport, signal: ExitCode | undefined): ExitCode =>
  gravest(
    report.pipelines.map((pipeline) => {
      if (pipeline.status === "interrupted") return signal ?? EXIT.interrupted
      if (pipeline.status === "failed") return byCode(pipeline.error?.code ?? "")
      return pipeline.ok ? EXIT.done : EXIT.incomplete
    }),
  )
