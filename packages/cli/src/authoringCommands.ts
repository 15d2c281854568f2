/** The commands for what comes before a run: init, plugins. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
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
