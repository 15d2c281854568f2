/** The command line: every command with its flags, help and examples. What a command does is loaded when it runs. */

import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { reportFailure } from "./failures.ts"
import type { Host } from "./host.ts"
import type { CommandFailure } from "./troubles.ts"

/** Loads a command's module when it runs, and turns whatever goes wrong there into text, or JSON, and an exit code. */
const handle =
  <Input extends { readonly json: boolean }, E extends CommandFailure>(
    load: () => Promise<{ readonly handler: (input: Input) => Effect.Effect<void, E, Host> }>,
  ) =>
  (input: Input): Effect.Effect<void, never, Host> =>
    Effect.promise(load).pipe(
      Effect.flatMap(({ handler }) => handler(input)),
      (effect) => reportFailure(effect, input.json),
    )

const orUndefined = <A>(flag: Flag.Flag<A>) => Flag.optional(flag).pipe(Flag.map(Option.getOrUndefined))

const optionalText = (name: string, description: string, metavar: string) =>
  orUndefined(Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar)))

const optionalInt = (name: string, description: string) =>
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

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)

const texts = (name: string, description: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.atLeast(0))

const file = Argument.String("FILE").pipe(Argument.withDescription("A pipeline file"))
const json = toggle("json", "Print JSON instead of text")
const envFile = optionalText(
  "env-file",
  "Read variables from this file as well; `.env` beside FILE is always read",
  "FILE",
)
const state = Flag.String("state").pipe(
  Flag.withDescription("The state database (.sluice/state.db)"),
  Flag.withMetavar("FILE"),
  Flag.withDefault(".sluice/state.db"),
)

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
    pipeline: Argument.String("PIPELINE").pipe(
      Argument.withDescription("One pipeline of the file; all without it"),
      Argument.optional,
      Argument.map(Option.getOrUndefined),
    ),
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
    force: toggle("force", "Send rows that are equal to what was last written, too"),
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

const pipelineId = optionalText("pipeline", "Only this pipeline, `<file>.<pipeline>`", "ID")
const routeName = optionalText("route", "Only this route, `<sink>.<object>`", "ROUTE")
const reveal = toggle("reveal", "Show ids and values in full")
const most = (n: number) =>
  Flag.Int("limit").pipe(Flag.withDescription(`At most so many (${n})`), Flag.withMetavar("N"), Flag.withDefault(n))
const onePipeline = Argument.String("PIPELINE").pipe(
  Argument.withDescription("One pipeline of the file; all without it"),
  Argument.optional,
  Argument.map(Option.getOrUndefined),
)
const numbers = Flag.Int("number").pipe(
  Flag.withDescription("Only this dead letter; may be repeated"),
  Flag.withMetavar("N"),
  Flag.atLeast(0),
)

const runs = Command.make("runs").pipe(
  Command.withDescription("What ran, when, and how it ended."),
  Command.withExamples([
    { command: "sluice runs list", description: "The last twenty runs" },
    { command: "sluice runs show 20261120-101500-k3x9qa", description: "The report of one" },
  ]),
  Command.withSubcommands([
    Command.make(
      "list",
      { pipeline: pipelineId, limit: most(20), json, envFile, state },
      handle(() => import("./commands/runs.ts").then(({ list }) => list)),
    ).pipe(
      Command.withDescription("List runs, the newest first."),
      Command.withExamples([
        { command: "sluice runs list --pipeline auth0-to-brevo.users", description: "Of one pipeline" },
      ]),
    ),
    Command.make(
      "show",
      { id: Argument.String("RUN").pipe(Argument.withDescription("A run's id")), json, envFile, state },
      handle(() => import("./commands/runs.ts").then(({ show }) => show)),
    ).pipe(
      Command.withDescription("Print the report of a run again."),
      Command.withExamples([{ command: "sluice runs show 20261120-101500-k3x9qa --json", description: "As JSON" }]),
    ),
  ]),
)

const deadLetters = Command.make("dead-letters").pipe(
  Command.withDescription("Records that could not be delivered: list, show, retry and drop them."),
  Command.withExamples([
    { command: "sluice dead-letters list", description: "What is there, and why" },
    { command: "sluice dead-letters retry configs/auth0-to-brevo.yaml", description: "Send all of a file again" },
  ]),
  Command.withSubcommands([
    Command.make(
      "list",
      { pipeline: pipelineId, route: routeName, limit: most(50), reveal, json, envFile, state },
      handle(() => import("./commands/deadLetters.ts").then(({ list }) => list)),
    ).pipe(
      Command.withDescription("List dead letters, the newest first."),
      Command.withExamples([
        { command: "sluice dead-letters list --route brevo.contacts", description: "Of one route" },
      ]),
    ),
    Command.make(
      "show",
      { number: Argument.Int("NUMBER").pipe(Argument.withDescription("As listed")), reveal, json, envFile, state },
      handle(() => import("./commands/deadLetters.ts").then(({ show }) => show)),
    ).pipe(
      Command.withDescription("Show one with its record and row."),
      Command.withExamples([{ command: "sluice dead-letters show 17 --reveal", description: "With all values" }]),
    ),
    Command.make(
      "retry",
      { file, pipeline: onePipeline, route: routeName, numbers, json, envFile, state },
      handle(() => import("./commands/deadLetters.ts").then(({ retry }) => retry)),
    ).pipe(
      Command.withDescription("Send dead letters again, by today's mapping and from the source's present data."),
      Command.withExamples([
        { command: "sluice dead-letters retry configs/auth0-to-brevo.yaml --number 17", description: "One of them" },
      ]),
    ),
    Command.make(
      "drop",
      {
        pipeline: pipelineId,
        route: routeName,
        numbers,
        all: toggle("all", "All of --pipeline, not only those with --number"),
        json,
        envFile,
        state,
      },
      handle(() => import("./commands/deadLetters.ts").then(({ drop }) => drop)),
    ).pipe(
      Command.withDescription("Give dead letters up. Their records are sent again when they change."),
      Command.withExamples([
        { command: "sluice dead-letters drop --number 17 --number 18", description: "Two of them" },
        { command: "sluice dead-letters drop --pipeline auth0-to-brevo.users --all", description: "All of a pipeline" },
      ]),
    ),
  ]),
)

const stateCommand = Command.make("state").pipe(
  Command.withDescription("What is remembered of pipelines: positions and ledgers."),
  Command.withExamples([
    { command: "sluice state show", description: "What is remembered" },
    { command: "sluice state reset auth0-to-brevo.users --yes", description: "Read everything again" },
  ]),
  Command.withSubcommands([
    Command.make(
      "show",
      {
        pipeline: Argument.String("ID").pipe(
          Argument.withDescription("Only this pipeline, `<file>.<pipeline>`"),
          Argument.optional,
          Argument.map(Option.getOrUndefined),
        ),
        json,
        envFile,
        state,
      },
      handle(() => import("./commands/state.ts").then(({ show }) => show)),
    ).pipe(
      Command.withDescription("Show where pipelines are and how many records each route knows."),
      Command.withExamples([{ command: "sluice state show --json", description: "As JSON" }]),
    ),
    Command.make(
      "reset",
      {
        pipeline: Argument.String("ID").pipe(Argument.withDescription("The pipeline, `<file>.<pipeline>`")),
        all: toggle("all", "Forget what was written and dead letters too: everything is sent again"),
        yes: toggle("yes", "Do it"),
        json,
        envFile,
        state,
      },
      handle(() => import("./commands/state.ts").then(({ reset }) => reset)),
    ).pipe(
      Command.withDescription("Forget where a pipeline was."),
      Command.withExamples([
        { command: "sluice state reset auth0-to-brevo.users --yes", description: "Only the position" },
        { command: "sluice state reset auth0-to-brevo.users --all --yes", description: "Everything" },
      ]),
    ),
  ]),
)

const schema = Command.make(
  "schema",
  {
    connect: optionalText("connect", "Print the live fields of this file's destinations instead", "FILE"),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/schema.ts")),
).pipe(
  Command.withDescription("Print the JSON Schema of pipeline files, for editors; or the live fields of destinations."),
  Command.withExamples([
    { command: "sluice schema > sluice.schema.json", description: "For the YAML support of an editor" },
    { command: "sluice schema --connect configs/auth0-to-brevo.yaml", description: "Which fields can be mapped to?" },
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
    "Run a local Auth0 and Brevo that behave like the real ones, until Ctrl-C. Prints variables that make every file in configs/ use it.",
  ),
  Command.withShortDescription("Run a local Auth0 and Brevo to try things on"),
  Command.withExamples([
    {
      command: "sluice sandbox > sandbox.env & sleep 2; . ./sandbox.env",
      description: "Start it and point this shell at it",
    },
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
  Command.withSubcommands([check, preview, run, runs, deadLetters, stateCommand, schema, sandbox]),
)
