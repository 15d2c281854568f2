/** What is done to a command line before it is parsed. */

/** What a command with subcommands does where none is named. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["runs", "list"],
  ["dead-letters", "list"],
  ["state", "show"],
])

/** Flags that are about the command itself: `sluice runs --help` lists its subcommands. */
const ABOUT = /^(--help|-h|--version|-v|--completions(=.*)?)$/

/** `runs --state FILE` means `runs list --state FILE`. */
export const withSubcommand = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [command = "", next = "-"] = args
  const subcommand = DEFAULTS.get(command)
  if (subcommand === undefined || !next.startsWith("-") || ABOUT.test(next)) return args
  return [command, subcommand, ...args.slice(1)]
}
