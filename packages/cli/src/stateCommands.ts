/** The commands that look at the state and mend it: runs, dead-letters, state. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import {
  envFile,
  file,
  handle,
  json,
  most,
  numbers,
  onePipeline,
  pipelineId,
  reveal,
  routeName,
  state,
  toggle,
} from "./flags.ts"

export const runs = Command.make("runs").pipe(
  Command.withDescription("What ran, when, and how it ended. Without a subcommand: list."),
  Command.withExamples([
    { command: "sluice runs list", description: "The last twenty runs" },
    { command: "sluice runs show 20261120-101500-k3x9qa", description: "The report of one" },
  ]),
  Command.withSubcommands([
    Command.make(
      "list",
      {
        pipeline: pipelineId,
        failed: toggle("failed", "Only those that failed, were interrupted, or have no end"),
        limit: most(20),
        json,
        envFile,
        state,
      },
      handle(() => import("./commands/runs.ts").then(({ list }) => list)),
    ).pipe(
      Command.withDescription("List runs, the newest first."),
      Command.withExamples([
        { command: "sluice runs list --failed --limit 5", description: "The last that did not complete" },
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

export const deadLetters = Command.make("dead-letters").pipe(
  Command.withDescription(
    "Records that could not be delivered: list, show, retry and drop them. Without a subcommand: list.",
  ),
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

export const stateCommand = Command.make("state").pipe(
  Command.withDescription("What is remembered of pipelines: positions and ledgers. Without a subcommand: show."),
  Command.withExamples([
    { command: "sluice state show", description: "What is remembered" },
    {
      command: "sluice state reset auth0-to-brevo.users --yes",
      description: "Read everything again with the next run",
    },
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
