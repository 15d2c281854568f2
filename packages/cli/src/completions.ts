/** The script that completes a command line in a shell: Effect's own, with the flags of every command and with files. */
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import { settings, shellFlag } from "./globalFlags.ts"

/** As the flags of a command are described, by a command that has them. Nobody looks for `--no-help`. */
const describe = (flags: Command.Command.Config) =>
  Completions.fromCommand(Command.make("flags", flags)).flags.map((flag) => ({ ...flag, negation: false as const }))

const everywhere = describe({ help: GlobalFlag.Help.flag, settings: settings.map(({ flag }) => flag) })
const atTheTop = describe({ version: GlobalFlag.Version.flag, completions: shellFlag })

export const script = (command: Command.Command.Any, shell: Completions.Shell): string => {
  const whole = completed(Completions.fromCommand(command))
  return `${Completions.generate(command.name, shell, { ...whole, flags: [...whole.flags, ...atTheTop] })}\n`
}

const completed = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: [...command.flags.map(withFiles), ...everywhere],
  arguments: command.arguments.map(withFiles),
  subcommands: command.subcommands.map(completed),
})

const FILES: ReadonlySet<string> = new Set(["FILE", "state", "env-file", "file", "connect", "html"])

/** Paths are text to the parser, as they are not looked at before a command runs; a shell can complete them. */
const withFiles = <A extends { readonly name: string; readonly type: Completions.FlagType | Completions.ArgumentType }>(
  each: A,
): A =>
  FILES.has(each.name) && each.type._tag === "String" ? { ...each, type: { _tag: "Path", pathType: "file" } } : each
