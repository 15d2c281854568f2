/** What is done to a command line before it is parsed. */

/** What a command with subcommands does where none is named. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["runs", "list"],
  ["dead-letters", "list"],
  ["state", "show"],
])

/** Flags that are about the command itself: `sluice runs --help` lists its subcommands. */
const ABOUT = /^(--help|-h|--version|-v|--completions(=.*)?)$/

/** Flags that may stand before a command. */
const EVERYWHERE: ReadonlySet<string> = new Set(["--no-color", "--debug"])

/** `runs --state FILE` means `runs list --state FILE`. */
export const withSubcommand = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = args.findIndex((arg) => !EVERYWHERE.has(arg))
  const [command = "", next = "-"] = args.slice(at)
  const subcommand = DEFAULTS.get(command)
  if (subcommand === undefined || !next.startsWith("-") || ABOUT.test(next)) return args
  return [...args.slice(0, at + 1), subcommand, ...args.slice(at + 1)]
}
