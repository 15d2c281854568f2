/** Flags that every command takes. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Host } from "./host.ts"

export const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)

const NoColor = GlobalFlag.Setting("no-color")({
  flag: toggle("no-color", "Print without colours, as with NO_COLOR=1"),
})

export const Debug = GlobalFlag.Setting("debug")({
  flag: toggle("debug", "Show each call to a vendor on standard error; no secret, value or body is in it"),
})

export const settings = [NoColor, Debug] as const

/** What the terminal is used for is known before anything is parsed: what is wrong with a command line has colours too. */
export const isPlain = (args: ReadonlyArray<string>): boolean => args.includes("--no-color")
export const isDebug = (args: ReadonlyArray<string>): boolean => args.includes("--debug")

export const shellFlag = Flag.Literals("completions", ["bash", "zsh", "fish", "powershell"]).pipe(
  Flag.optional,
  Flag.withMetavar("SHELL"),
  Flag.withDescription("Print the script that completes commands and flags in this shell: bash, zsh, fish, powershell"),
)

const completions = (host: Host["Service"]) =>
  GlobalFlag.Action({
    flag: shellFlag,
    run: (shell, { command }) =>
      Option.isNone(shell)
        ? Effect.void
        : Effect.flatMap(
            Effect.promise(() => import("./completions.ts")),
            ({ script }) => host.out(script(command, shell.value)),
          ),
  })

export const builtIns = (host: Host["Service"]): ReadonlyArray<GlobalFlag.BuiltIn> => [
  GlobalFlag.Help,
  GlobalFlag.Version,
  completions(host),
]
