/** The flags and arguments that several commands share, and how a command's module is loaded and run. */

import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import { reportFailure } from "./failures.ts"
import { Debug, toggle } from "./globalFlags.ts"
import type { Host } from "./host.ts"
import { LogFormat, type LogSettings, logging } from "./logs.ts"
import { typed } from "./pasteable.ts"
import type { CommandFailure } from "./troubles.ts"

interface CommandInput {
  readonly json: boolean
  readonly file?: string | undefined
  readonly envFile?: string | undefined
}

/** Loads a command's module when it runs, and turns whatever goes wrong there into text, or JSON, and an exit code. */
export const handle =
  <Input extends CommandInput, E extends CommandFailure>(
    load: () => Promise<{ readonly handler: (input: Input) => Effect.Effect<void, E, Host | LogSettings> }>,
  ) =>
  (input: Input): Effect.Effect<void, never, Host | LogSettings> =>
    Effect.gen(function* () {
      const format = yield* LogFormat
      const watched = (yield* Debug) ? (yield* Effect.promise(() => import("./debug.ts"))).showCalls : identity
      yield* Effect.promise(load).pipe(
        Effect.flatMap(({ handler }) => handler(input)),
        (effect) => reportFailure(effect, input.json ? "result" : format, fileOf(input)),
        watched,
        logging,
      )
    })

const fileOf = ({ file, envFile }: CommandInput) => (file === undefined ? undefined : typed(file, envFile))

export const orUndefined = <A>(flag: Flag.Flag<A>) => Flag.optional(flag).pipe(Flag.map(Option.getOrUndefined))

export const optionalText = (name: string, description: string, metavar: string) =>
  orUndefined(Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar)))

export const optionalInt = (name: string, description: string) =>
  orUndefined(
    Flag.Int(name).pipe(
      Flag.filter(
        (n) => n >= 0,
        () => "a whole number, 0 or more",
      ),
      Flag.withDescription(description),
      Flag.withMetavar("N"),
    ),
  )

export { toggle }

export const texts = (name: string, description: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.atLeast(0))

export const file = Argument.String("FILE").pipe(Argument.withDescription("A pipeline file"))
export const json = toggle("json", "Print JSON instead of text")
export const envFile = optionalText(
  "env-file",
  "Read variables from this file as well; `.env` beside FILE is always read",
  "FILE",
)
export const state = optionalText(
  "state",
  "The state: a file or a postgres:// URL (SLUICE_STATE, else .sluice/state.db)",
  "STATE",
)

export const pipelineId = optionalText("pipeline", "Only this pipeline, `<file>.<pipeline>`", "ID")
export const routeName = optionalText("route", "Only this route, `<sink>.<object>`", "ROUTE")
export const reveal = toggle("reveal", "Show ids and values in full")
export const most = (n: number) =>
  Flag.Int("limit").pipe(Flag.withDescription(`At most so many (${n})`), Flag.withMetavar("N"), Flag.withDefault(n))
export const onePipeline = Argument.String("PIPELINE").pipe(
  Argument.withDescription("One pipeline of the file; all without it"),
  Argument.optional,
  Argument.map(Option.getOrUndefined),
)
export const numbers = Flag.Int("number").pipe(
  Flag.withDescription("Only this dead letter; may be repeated"),
  Flag.withMetavar("N"),
  Flag.atLeast(0),
)
