/** The commands for what comes before a run: init, new, plugins. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { envFile, handle, json, optionalText, state, toggle } from "./flags.ts"

const optionalArgument = (name: string, description: string) =>
  Argument.String(name).pipe(
    Argument.withDescription(description),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  )

export const init = Command.make(
  "init",
  {
    file: optionalArgument("FILE", "The pipeline file to write; named for the stream without it"),
    source: optionalText("source", "The plugin to read from, as `use:` names it", "USE"),
    stream: optionalText("stream", "Its stream", "NAME"),
    sink: optionalText("sink", "The plugin to write to", "USE"),
    object: optionalText("object", "Its object", "NAME"),
    connect: toggle("connect", "Ask the vendors, and propose the mapping from the fields they have"),
    yes: toggle("yes", "Ask nothing: take the first of each choice that no flag makes"),
    force: toggle("force", "Replace FILE if it exists"),
    json,
    envFile,
    state,
  },
  handle(() => import("./commands/init.ts")),
).pipe(
  Command.withDescription(
    "Write a first pipeline file, and a .env with placeholders for its variables. Asks what no flag says, where a terminal is there. Writes nothing at a vendor.",
  ),
  Command.withShortDescription("Write a first pipeline file"),
  Command.withExamples([
    { command: "sluice init", description: "By a few questions" },
    { command: "sluice init users.yaml --source auth0 --sink brevo --yes", description: "By flags, in a script" },
    {
      command: "sluice init users.yaml --source auth0 --sink brevo --connect --force",
      description: "Again, with the mapping proposed from the live fields",
    },
  ]),
)

export const plugins = Command.make(
  "plugins",
  {
    use: optionalArgument("USE", "One plugin in full, as `use:` names it"),
    part: optionalArgument("NAME", "Only this stream or object of it"),
    file: optionalText("file", "Also the plugins that this pipeline file names; paths are seen from it", "FILE"),
    json,
  },
  handle(() => import("./commands/plugins.ts")),
).pipe(
  Command.withDescription("List the plugins that can be used, or show what one of them takes: keys, options, fields."),
  Command.withExamples([
    { command: "sluice plugins", description: "What there is to read and to write" },
    { command: "sluice plugins brevo", description: "Every key, option and field of one" },
    {
      command: "sluice plugins --file examples/custom-sink/pipeline.yaml",
      description: "With the sink in that folder",
    },
  ]),
)

const plugin = {
  name: Argument.String("NAME").pipe(
    Argument.filter(
      (name) => /^[a-z][a-z0-9-]{0,29}$/.test(name),
      () => "small letters, digits and -, at most 30",
    ),
    Argument.withDescription("Of the plugin and its files"),
  ),
  folder: Flag.String("folder").pipe(
    Flag.withDescription("Where to write (the current folder)"),
    Flag.withMetavar("FOLDER"),
    Flag.withDefault("."),
  ),
  force: toggle("force", "Replace files that exist"),
  json,
}

export const newCommand = Command.make("new").pipe(
  Command.withDescription("Write a plugin of your own: one file, its conformance test, and a pipeline that uses it."),
  Command.withExamples([
    { command: "sluice new sink hook", description: "hook.ts, hook.test.ts and hook.yaml" },
    { command: "sluice new source crm --folder plugins", description: "In a folder of its own" },
  ]),
  Command.withSubcommands([
    Command.make(
      "sink",
      plugin,
      handle(() => import("./commands/new.ts").then(({ sink }) => sink)),
    ).pipe(
      Command.withDescription("Write a sink: one function that sends a batch."),
      Command.withExamples([{ command: "sluice new sink hook", description: "hook.ts, its test and a pipeline" }]),
    ),
    Command.make(
      "source",
      plugin,
      handle(() => import("./commands/new.ts").then(({ source }) => source)),
    ).pipe(
      Command.withDescription("Write a source: pages of an API, by a cursor."),
      Command.withExamples([{ command: "sluice new source crm", description: "crm.ts, its test and a pipeline" }]),
    ),
  ]),
)
