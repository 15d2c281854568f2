/** Every failure a command can end with, as something a person can act on. */
import type { Problem } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Trouble } from "./render/problems.ts"
import { isWithoutValue, whereToSet } from "./render/variables.ts"

/** The command line asks for something that is not there: a file, a pipeline, a route. Exit code 2. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  message: Schema.String,
  fix: Schema.optionalKey(Schema.String),
}) {}

/** What was asked for by name is not in the state: not the state's fault. */
export const missing =
  (message: string, fix: string) =>
  <A, E extends { readonly message: string }, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | UsageError, R> =>
    Effect.mapError(self, (error) => (error.message === message ? new UsageError({ message, fix }) : error))

/** The failures of all commands: tagged, with a message that holds no value of a record and no secret. */
export interface CommandFailure {
  readonly _tag: string
  readonly message: string
  readonly reason?: { readonly _tag: string; readonly message: string }
  readonly problems?: ReadonlyArray<Problem>
  readonly connection?: string
  readonly fix?: string
  readonly repair?: string
  readonly suggestion?: string
}

/** What a person can do about a reason, where the message has not said so. `file`: as a command takes it. */
export const fixOf = (code: string, file = "FILE"): string | undefined => FIXES.get(code)?.replace("FILE", () => file)

const FIXES: ReadonlyMap<string, string> = new Map([
  ["Unauthorized", "check the credentials in the environment; `sluice check FILE --connect` tries them"],
  ["Forbidden", "grant what the message names, then `sluice check FILE --connect`"],
  ["Barred", "correct what the message names, in the environment or the network; then `sluice check FILE --connect`"],
  ["RateLimited", "run it again later, or lower `share` so that others have room"],
  ["QuotaExhausted", "run it again when the vendor's allowance starts anew: it goes on from where it stopped"],
  [
    "Unavailable",
    "run it again when the vendor answers; where it never does, look at `base_url`, HTTPS_PROXY and this machine's network",
  ],
  ["Misconfigured", "correct the pipeline file; `sluice check FILE --connect` finds such things without a run"],
  ["LockHeld", "wait for the other run to end; a run that was killed frees its lock by itself"],
  ["StateError", "give the state space or access, then run it again: nothing unrecorded counts as done"],
  [
    "ListenError",
    "another program has this port, perhaps another sandbox: end that, or give --port; 0 takes a free one",
  ],
  ["Fenced", "another run has taken over; see `sluice runs`"],
])

export const troublesOf = (failure: CommandFailure, file?: string): ReadonlyArray<Trouble> => {
  if (failure.problems !== undefined) return ofProblems(failure.problems)
  const tag = failure.reason?._tag ?? failure._tag
  const code = tag === "UsageError" ? "usage" : tag
  return [
    {
      severity: "error",
      code,
      place: failure.connection ?? "",
      message: failure.reason?.message ?? failure.message,
      fix: failure.fix ?? failure.repair ?? didYouMean(failure.suggestion) ?? fixOf(code, file),
    },
  ]
}

/** Fields depend on the destination, and on how a route writes to it: one that makes no records needs fewer. */
const refresh = (file: string) =>
  `correct these; where the destination or the route's \`with\` differs by now, \`sluice schema --connect ${file} --lock\` saves its fields anew`

/** Of the problems with saved fields: the message says what to do. */
const saysItself = new Set(["lock.invalid", "lock.missing", "lock.old"])

/** What holds for several with saved fields is said once, below the last. */
export const ofProblems = (problems: ReadonlyArray<Problem>): ReadonlyArray<Trouble> => {
  const saved = problems.findLastIndex(({ code }) => code.startsWith("lock.") && !saysItself.has(code))
  return problems.map((problem, at) => {
    const trouble = ofProblem(problem)
    if (isWithoutValue(problem.code))
      return { ...trouble, ...named(problem), fix: orElse(trouble.fix, whereToSet("it")) }
    return at === saved ? { ...trouble, fix: orElse(trouble.fix, refresh(problem.file)) } : trouble
  })
}

const orElse = (first: string | undefined, other: string) => (first === undefined ? other : `${first} Or ${other}`)

const named = ({ variable, suggestion }: Problem) => ({ variable, suggestion })

const ofProblem = (problem: Problem): Trouble => ({
  severity: problem.severity,
  code: problem.code,
  place: `${problem.file}:${problem.line}:${problem.column}`,
  message: problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`,
  fix: didYouMean(problem.suggestion),
})

const didYouMean = (suggestion: string | undefined) =>
  suggestion === undefined ? undefined : `did you mean \`${suggestion}\`?`

/** A fault of Sluice or of a plugin. */
export const bug = (where: string): Trouble => ({
  severity: "error",
  code: "Bug",
  place: "",
  message: where,
  fix: "this should not happen: please report it with the command line and the version",
})
