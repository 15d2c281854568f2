/** The process as commands see it: where text goes, how wide and coloured it is, and how they learn of signals. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { EXIT, type ExitCode } from "./exit.ts"
import { type ProcessOptions, type Terminal, terminalOf } from "./terminal.ts"

export class Host extends Context.Service<
  Host,
  {
    readonly env: Readonly<Record<string, string | undefined>>
    /** Standard output: results. Quiet once the reader is gone. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Standard error: progress, problems, hints. */
    readonly err: (text: string) => Effect.Effect<void>
    readonly setExit: (code: ExitCode) => Effect.Effect<void>
    /** Completes on the first signal, for a command that ends by itself then. Without it a signal interrupts. */
    readonly stopRequested: Effect.Effect<void>
    /** Says that the command ends by itself after `stopRequested`, within so many milliseconds. */
    readonly drains: (millis: number) => Effect.Effect<void>
    /** The exit code of the signal received, if any. */
    readonly signal: Effect.Effect<ExitCode | undefined>
  } & Terminal
>()("@sluice/cli/Host") {}

const SIGNALS = [
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", EXIT.terminated],
  ["SIGHUP", EXIT.hangup],
] as const

/** How long finalizers may take after an interruption, and a drain beyond its grace. */
const DEADLINE = 1000

/** Writes to a stream; a reader that went away (`| head -1`) ends the output and nothing else. */
const writer = (stream: NodeJS.WriteStream) => {
  let open = true
  stream.on("error", () => {
    open = false
  })
  return (text: string) =>
    Effect.sync(() => {
      if (open && text !== "") stream.write(text)
    })
}

/**
 * Runs a program as this process and exits with its code. The first signal asks a draining command to end and
 * interrupts any other; a deadline ends one that hangs; a second signal ends at once.
 */
export const runProcess = (program: Effect.Effect<void, never, Host>, options: ProcessOptions): void => {
  const stop = Deferred.makeUnsafe<void>()
  let code: ExitCode = EXIT.done
  let signalled: ExitCode | undefined
  let grace: number | undefined
  const end = (): never => process.exit(signalled !== undefined && code === EXIT.done && interrupted ? signalled : code)
  let interrupted = false

  const fiber = Effect.runFork(
    Effect.provideService(program, Host, {
      env: process.env,
      out: writer(process.stdout),
      err: writer(process.stderr),
      ...terminalOf(process, process.env, options),
      setExit: (next) =>
        Effect.sync(() => {
          code = next
        }),
      stopRequested: Deferred.await(stop),
      drains: (millis) =>
        Effect.sync(() => {
          grace = millis
        }),
      signal: Effect.sync(() => signalled),
    }),
  )

  const onSignal = (signalCode: ExitCode) => () => {
    if (signalled !== undefined) process.exit(signalCode)
    signalled = signalCode
    if (grace === undefined) {
      interrupted = true
      fiber.interruptUnsafe()
    } else {
      Deferred.doneUnsafe(stop, Effect.void)
    }
    setTimeout(() => process.exit(signalCode), (grace ?? 0) + DEADLINE)
  }
  for (const [signal, signalCode] of SIGNALS) process.on(signal, onSignal(signalCode))

  // A plugin may lose a promise or throw in a callback: the run still ends in order, and says that there is a bug.
  const onBug = (thrown: unknown) => {
    code = EXIT.bug
    process.stderr.write(
      `sluice: ${describeThrown(thrown)} outside of any call, most likely in a plugin; this is a bug\n`,
    )
    if (signalled === undefined) onSignal(EXIT.bug)()
  }
  process.on("uncaughtException", onBug)
  process.on("unhandledRejection", onBug)

  fiber.addObserver(() => void Promise.all([process.stdout, process.stderr].map(flushed)).then(end))
}

/** Node would exit with what a slow reader of a pipe has not taken yet, and that would be lost. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0) resolve()
    else stream.write("", () => resolve())
  })

/** The class of what was thrown and where, not its message: that may hold a value. */
export const describeThrown = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return "something that is no Error was thrown"
  const place = thrown.stack?.split("\n").find((line) => line.trim().startsWith("at "))
  return `${thrown.name}${place === undefined ? "" : ` ${place.trim()}`}`
}
