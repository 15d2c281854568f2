/** The commands for what comes before a run: plugins. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import { handle, json, optionalText } from "./flags.ts"

const optionalArgument = (name: string, description: string) =>
  Argument.String(name).pipe(
    Argument.withDescription(description),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
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
