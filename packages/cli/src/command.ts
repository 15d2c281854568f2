/** The command line: every command with its flags, help and examples. What a command does is loaded when it runs. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { init, newCommand, plugins } from "./authoringCommands.ts"
import {
  envFile,
  file,
  handle,
  json,
  onePipeline,
  optionalInt,
  optionalText,
  orUndefined,
  state,
  texts,
  toggle,
} from "./flags.ts"
import { settings } from "./globalFlags.ts"
import { LogFormat, LogLevel } from "./logs.ts"
import { deadLetters, runs, stateCommand } from "./stateCommands.ts"

const check = Command.make(
  "check",
  {
    files: Argument.String("FILE").pipe(Argument.withDescription("Pipeline files"), Argument.atLeast(1)),
    connect: toggle("connect", "Ask the vendors too: credentials, scopes, fields"),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/check.ts")),
).pipe(
  Command.withDescription("Find every problem of pipeline files. Offline unless --connect; never writes at a vendor."),
  Command.withExamples([
    { command: "sluice check configs/auth0-to-brevo.yaml", description: "Check one file" },
    { command: "sluice check configs/*.yaml --json", description: "Check all, for a machine" },
    { command: "sluice check configs/auth0-to-brevo.yaml --connect", description: "Try the credentials as well" },
  ]),
)

const preview = Command.make(
  "preview",
  {
    file,
    pipeline: onePipeline,
    limit: Flag.Int("limit").pipe(
      Flag.filter(
        (n) => n >= 0 && n <= 1000,
        () => "a whole number up to 1000",
      ),
      Flag.withDescription("How many records to show (5)"),
      Flag.withMetavar("N"),
      Flag.withDefault(5),
    ),
    ids: texts("id", "Show the record with this id; may be repeated", "ID"),
    emails: texts("email", "Show the records with this e-mail address; may be repeated", "ADDRESS"),
    reveal: toggle("reveal", "Show values in full"),
    explain: toggle("explain", "Say why each record is compared with that one of the destination"),
    html: optionalText("html", "Write the preview as a page for a browser, too; `-` prints the page instead", "FILE"),
    force: toggle("force", "Let --html replace a file that is no preview page"),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/preview.ts")),
).pipe(
  Command.withDescription(
    "Show for real records what a run would write, field by field against the live destination. Never writes.",
  ),
  Command.withExamples([
    { command: "sluice preview configs/auth0-to-brevo.yaml", description: "The first five records, values masked" },
    {
      command: "sluice preview configs/auth0-to-brevo.yaml --email ada@example.com --reveal",
      description: "One person, in full",
    },
    {
      command: "sluice preview configs/auth0-to-brevo.yaml --limit 50 --html preview.html",
      description: "Fifty, as a page to look at and to show",
    },
    {
      command: "sluice preview configs/auth0-to-brevo.yaml users --limit 20 --json",
      description: "Twenty, for a machine",
    },
  ]),
)

const since = orUndefined(
  Flag.String("since").pipe(
    Flag.withSchema(
      Schema.String.check(
        Schema.isPattern(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/, {
          message: "a day or an ISO time with zone: 2026-01-31 or 2026-01-31T12:00:00Z",
        }),
      ),
    ),
    Flag.withDescription("Read what changed since this day or ISO time, without moving the saved position"),
    Flag.withMetavar("TIME"),
  ),
)

const run = Command.make(
  "run",
  {
    file,
    pipelines: Argument.String("PIPELINE").pipe(
      Argument.withDescription("Pipelines of the file; all without it"),
      Argument.variadic(),
    ),
    routes: texts("route", "Only this route, `<sink>.<object>`; may be repeated", "ROUTE"),
    limit: optionalInt("limit", "Stop after so many records, without moving the saved position"),
    since,
    fullRefresh: toggle("full-refresh", "Forget the position and read everything"),
    force: toggle("force", "Hand rows that are equal to what was last written to the destination, too"),
    reconcile: toggle("reconcile", "Look for deletions after an incremental run as well"),
    allowDeletes: optionalInt("allow-deletes", "Let so many deletions pass the mass-change guard"),
    grace: Flag.Int("grace").pipe(
      Flag.filter(
        (n) => n >= 0 && n <= 3600,
        () => "seconds, up to 3600",
      ),
      Flag.withDescription("Seconds that batches in flight may take after a signal (25)"),
      Flag.withMetavar("N"),
      Flag.withDefault(25),
    ),
    onFailure: optionalText(
      "on-failure",
      "Tell this command (on its standard input) or URL of a run that ends with another code than 0; also SLUICE_ON_FAILURE",
      "COMMAND|URL",
    ),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/run.ts")),
).pipe(
  Command.withDescription(
    "Run pipelines. A run that stopped goes on where it was when it is started again. Exit codes: 0 done, 1 failed, 2 file invalid, 3 credentials or environment, 4 finished with dead letters or a gap, 5 another run holds the lock, 70 a bug, 130 and 143 signals.",
  ),
  Command.withShortDescription("Run pipelines"),
  Command.withExamples([
    { command: "sluice run configs/auth0-to-brevo.yaml", description: "Run every pipeline of the file" },
    { command: "sluice run configs/auth0-to-brevo.yaml users --limit 10", description: "Try ten records" },
    {
      command: "sluice run configs/auth0-to-brevo.yaml --full-refresh --json",
      description: "Everything again, report as JSON",
    },
  ]),
)

const schema = Command.make(
  "schema",
  {
    tests: toggle("tests", "Print the JSON Schema of test files instead"),
    connect: optionalText("connect", "Print the live fields of this file's destinations instead", "FILE"),
    lock: toggle(
      "lock",
      "With --connect: save the fields beside the file, for `check` and `test`, and say what changed",
    ),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/schema.ts")),
).pipe(
  Command.withDescription("Print the JSON Schema of pipeline files, for editors; or the live fields of destinations."),
  Command.withExamples([
    { command: "sluice schema > sluice.schema.json", description: "For the YAML support of an editor" },
    { command: "sluice schema --tests > sluice.tests.schema.json", description: "The same for mapping tests" },
    { command: "sluice schema --connect configs/auth0-to-brevo.yaml", description: "Which fields can be mapped to?" },
    {
      command: "sluice schema --connect configs/auth0-to-brevo.yaml --lock",
      description: "Save them in configs/auth0-to-brevo.lock.json, to check mappings without a connection",
    },
  ]),
)

const test = Command.make(
  "test",
  {
    files: Argument.String("FILE").pipe(
      Argument.withDescription("Test files or their pipeline files; without any, every *.test.yaml from here on down"),
      Argument.variadic(),
    ),
    update: toggle("update", "Write what failing tests were found to make into their files, as what is expected"),
    json,
  },
  handle(() => import("./commands/test.ts")),
).pipe(
  Command.withDescription(
    "Run mapping tests: `users.test.yaml` beside `users.yaml` has records and what becomes of them. Calls nobody and reads no variables. Exit code 1 where a test fails, 2 where a file is invalid.",
  ),
  Command.withShortDescription("Run mapping tests, offline"),
  Command.withExamples([
    { command: "sluice test", description: "All tests of this folder and those below" },
    { command: "sluice test configs/auth0-to-brevo.yaml", description: "The tests of one pipeline file" },
    {
      command: "sluice test configs/auth0-to-brevo.yaml --update",
      description: "Take what comes out now as what is right; look at the difference before you commit it",
    },
  ]),
)

const sandbox = Command.make(
  "sandbox",
  {
    users: Flag.Int("users").pipe(
      Flag.filter(
        (n) => n >= 0 && n <= 1_000_000,
        () => "a whole number up to 1000000",
      ),
      Flag.withDescription("Users of the fake tenant (2500)"),
      Flag.withMetavar("N"),
      Flag.withDefault(2500),
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("The same seed gives the same users (1)"),
      Flag.withMetavar("S"),
      Flag.withDefault(1),
    ),
    port: Flag.Int("port").pipe(
      Flag.filter(
        (n) => n >= 0 && n <= 65_535,
        () => "a port",
      ),
      Flag.withDescription("Where to listen on this machine; 0 takes a free port (4010)"),
      Flag.withMetavar("P"),
      Flag.withDefault(4010),
    ),
    limits: Flag.Literals("limits", ["real", "high", "off"]).pipe(
      Flag.withDescription("The vendors' rate limits, a hundred times as much, or none (high)"),
      Flag.withDefault("high"),
    ),
    messy: toggle("messy", "Add users with what real tenants hold: no e-mail, bad phones, odd text"),
    json,
  },
  handle(() => import("./commands/sandbox.ts")),
).pipe(
  Command.withDescription(
    "Run a local Auth0, Brevo, Salesforce and Persona that behave like the real ones, until Ctrl-C. Prints variables that make every file in configs/ use it.",
  ),
  Command.withShortDescription("Run a local Auth0, Brevo, Salesforce and Persona to try things on"),
  Command.withExamples([
    { command: "sluice sandbox > sandbox.env", description: "Start it; then, in another terminal: . ./sandbox.env" },
    { command: "sluice sandbox --users 100000 --limits real", description: "A large tenant at the vendors' real pace" },
  ]),
)

export const sluice = Command.make("sluice").pipe(
  Command.withDescription("Move identity data by pipelines in YAML: look before you write, account for every record."),
  Command.withExamples([
    { command: "sluice check pipeline.yaml --connect", description: "Is everything in place?" },
    { command: "sluice preview pipeline.yaml", description: "What would be written?" },
    { command: "sluice run pipeline.yaml", description: "Write it" },
  ]),
  Command.withSubcommands([
    init,
    check,
    preview,
    run,
    runs,
    deadLetters,
    stateCommand,
    schema,
    test,
    plugins,
    newCommand,
    sandbox,
  ]),
  Command.withGlobalFlags([LogFormat, LogLevel, ...settings]),
)
