/** Where every command's failures end: printed once, with an exit code, on the stream its reader looks at. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { EXIT, exitOfFailure } from "./exit.ts"
import { describeThrown, Host } from "./host.ts"
import { renderTroubles, type Trouble } from "./render/problems.ts"
import { bug, type CommandFailure, troublesOf } from "./troubles.ts"

/** `json` and `pretty`: as log entries are written. `result`: JSON on standard output, in place of the result. */
type Form = "result" | "json" | "pretty"

/** `file`: the pipeline file that the command was given, as a command takes it. */
export const reportFailure = <E extends CommandFailure, R>(
  self: Effect.Effect<void, E, R>,
  form: Form,
  file?: string,
): Effect.Effect<void, never, R | Host> =>
  Effect.catchCause(self, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    const failure = Cause.findErrorOption(cause)
    return failure._tag === "Some"
      ? show(troublesOf(failure.value, file), exitOfFailure(failure.value), form)
      : show([bug(describeThrown(Cause.squash(cause)))], EXIT.bug, form)
  })

const show = Effect.fnUntraced(function* (
  troubles: ReadonlyArray<Trouble>,
  code: (typeof EXIT)[keyof typeof EXIT],
  form: Form,
) {
  const host = yield* Host
  switch (form) {
    case "result":
      yield* host.out(`${JSON.stringify({ ok: false, problems: troubles }, null, 2)}\n`)
      break
    case "json":
      yield* Effect.forEach(troubles, ({ severity, message, ...rest }) =>
        severity === "error" ? Effect.logError(message, rest) : Effect.logWarning(message, rest),
      )
      break
    case "pretty":
      yield* host.err(`${renderTroubles(troubles, host.errPage)}\n`)
  }
  yield* host.setExit(code)
})
