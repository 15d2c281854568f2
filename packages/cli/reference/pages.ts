/** The pages of docs/reference, made from the schemas that check pipeline files. */
import {
  draft,
  type Field,
  jsonSchema,
  type Key,
  keysOf,
  keysOfNode,
  nodeOf,
  type ObjectSpec,
  type Sink,
  type Source,
  type StreamSpec,
} from "@sluice/core"
import { sink as brevo } from "@sluice/sink-brevo"
import { sink as persona } from "@sluice/sink-persona"
import { sink as salesforce } from "@sluice/sink-salesforce"
import { source as auth0 } from "@sluice/source-auth0"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CommandHelp, commands } from "./commands.ts"

const generated = "<!-- Made by `pnpm reference` from the schemas in the code: do not edit. -->"

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ")

const table = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [titles, titles.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n")

const note = (key: Key): string => {
  if (key.required) return "required"
  return key.default === undefined ? "" : `\`${key.default}\``
}

const keyTable = (keys: ReadonlyArray<Key>): string =>
  keys.length === 0
    ? "None."
    : table(
        ["Key", "Type", "Default", "Meaning"],
        keys.map((key) => [
          `\`${key.name}\``,
          key.secret ? `${key.type}, secret` : key.type,
          note(key),
          key.description,
        ]),
      )

const page = (...parts: ReadonlyArray<string>): string => `${[generated, ...parts].join("\n\n")}\n`

/** Follows property names, and "*" where any name may stand. */
const below = (node: object, ...path: ReadonlyArray<string>) =>
  path.reduce((at, name) => nodeOf(name === "*" ? at.additionalProperties : nodeOf(at.properties)[name]), nodeOf(node))

const pipelineFile = (): string => {
  const file = jsonSchema([])
  const pipeline = below(file, "pipelines", "*")
  const route = below(pipeline, "to", "*")
  const forms = below(route, "map", "*").anyOf
  const long = nodeOf(Array.isArray(forms) ? forms.find((form) => nodeOf(form).type === "object") : undefined)
  return page(
    "# Pipeline file",
    `YAML, at most 256 KiB, without tags, anchors and duplicate keys. \`\${VAR}\`, \`\${VAR:-default}\` and \`\${file:/path}\` are
replaced in values after the YAML is read. A variable may stand wherever a number, a boolean or a choice is wanted.
\`sluice schema\` prints the same as JSON Schema for editors.`,
    "## File",
    keyTable(keysOfNode(file)),
    "## `dead_letters`",
    `${keyTable(keysOfNode(below(file, "dead_letters")))}\n\nWithout it: \`full\`.`,
    "## `sources.<name>` and `sinks.<name>`",
    `${keyTable(keysOfNode(below(file, "sources", "*")))}\n\nThe plugin's own keys stand beside these: ${plugins.map(({ file: name, title }) => `[${title}](${name})`).join(", ")}.`,
    "## `pipelines.<name>`",
    keyTable(keysOfNode(pipeline)),
    "## `pipelines.<name>.to.<sink>.<object>`: a route",
    `${keyTable(keysOfNode(route))}\n\nWithout these keys: \`on_key_conflict: reject\`, \`on_delete: keep\`, \`on_leave: keep\`, and the object's own \`key\`.`,
    "## `max_rejected`",
    `${keyTable(keysOfNode(below(route, "max_rejected")))}\n\nWithout \`max_rejected\` the bound is 10 percent.`,
    "## `map.<field>`",
    "Text is a JSONata expression over the record; a plain path such as `user_metadata.company` is the simplest. A number or\na boolean is a literal. The long form:",
    keyTable(keysOfNode(long)),
    "The rules are in [Mapping](../guide/mapping.md).",
  )
}

const fieldRow = (field: Field): ReadonlyArray<string> => [
  `\`${field.name}\``,
  field.type,
  [
    ...(field.key === true ? ["can be the route's `key`"] : []),
    ...(field.required === true ? ["required"] : []),
    ...(field.max === undefined ? [] : [`at most ${field.max} characters`]),
  ].join("; "),
]

const streamPart = (name: string, spec: StreamSpec): string =>
  [
    `## Stream \`${name}\``,
    spec.description,
    `\`sync\`: ${spec.modes.map((mode) => `\`${mode}\``).join(", ")}.${spec.snapshot ? " A complete scan finds deletions." : ""}`,
    `### Options of \`${name}\` (\`with:\` of the pipeline)`,
    keyTable(keysOf(spec.options)),
    `### Fields of \`${name}\``,
    table(
      ["Field", "Type", "Always there"],
      keysOfNode(draft(spec.record)).map(({ name, type, required }) => [`\`${name}\``, type, required ? "yes" : ""]),
    ),
    "Fields that the source adds beside these can be mapped too.",
  ].join("\n\n")

const objectPart = (name: string, spec: ObjectSpec): string =>
  [
    `## Object \`${name}\``,
    spec.description,
    `\`on_delete\`: ${["keep", ...spec.deletes].map((policy) => `\`${policy}\``).join(", ")}. ${spec.key === undefined ? "" : `Without \`key\`: \`${spec.key}\`.`}`,
    `### Options of \`${name}\` (\`with:\` of the route)`,
    keyTable(keysOf(spec.options)),
    `### Fields of \`${name}\``,
    table(["Field", "Type", "Notes"], (spec.fields ?? []).map(fieldRow)),
    "`sluice schema --connect FILE` lists the fields of your own account as well.",
  ].join("\n\n")

const sourcePage = (use: string, title: string, plugin: Source): string =>
  page(
    `# ${title}`,
    `\`use: ${use}\` in \`sources:\`.`,
    "## Keys",
    keyTable(keysOf(plugin.config)),
    ...Object.entries(plugin.streams).map(([name, spec]) => streamPart(name, spec)),
  )

/** A sink that takes any object says the same of each. */
const anyObjectPart = (spec: ObjectSpec): string =>
  [
    "## Objects",
    spec.description,
    `\`on_delete\`: ${["keep", ...spec.deletes].map((policy) => `\`${policy}\``).join(", ")}.`,
    "### Options of an object (`with:` of the route)",
    keyTable(keysOf(spec.options)),
    "`sluice schema --connect FILE` lists the fields of your own objects.",
  ].join("\n\n")

const objectParts = ({ objects }: Sink, example: string): ReadonlyArray<string> => {
  if (typeof objects !== "function") return Object.entries(objects).map(([name, spec]) => objectPart(name, spec))
  const spec = objects(example)
  return spec === undefined ? [] : [anyObjectPart(spec)]
}

/** `example`: an object of a sink that takes any. */
const sinkPage = (use: string, title: string, plugin: Sink, example = ""): string =>
  page(
    `# ${title}`,
    `\`use: ${use}\` in \`sinks:\`.`,
    "## Keys",
    keyTable(keysOf(plugin.config)),
    ...objectParts(plugin, example),
  )

const plugins = [
  { file: "auth0.md", title: "Auth0 source", make: (title: string) => sourcePage("auth0", title, auth0) },
  {
    file: "brevo.md",
    title: "Brevo sink",
    make: (title: string) => sinkPage("brevo", title, brevo),
  },
  {
    file: "persona.md",
    title: "Persona sink",
    make: (title: string) => sinkPage("persona", title, persona),
  },
  {
    file: "salesforce.md",
    title: "Salesforce sink",
    make: (title: string) => sinkPage("salesforce", title, salesforce, "Contact"),
  },
]

const described = (description: Option.Option<string>): string => Option.getOrElse(description, () => "")

const commandPart = ({ name, help }: CommandHelp): string =>
  [
    `## \`${name}\``,
    help.description,
    `Usage: \`${help.usage}\``,
    table(
      ["Argument or flag", "Meaning"],
      [
        ...(help.args ?? []).map((arg) => [`\`${arg.name}\``, described(arg.description)]),
        ...help.flags.map((flag) => [`\`--${flag.name}\``, described(flag.description)]),
      ],
    ),
    ...(help.examples ?? []).map(({ command, description }) => `${description ?? ""}: \`${command}\``),
  ].join("\n\n")

const commandPage = (all: ReadonlyArray<CommandHelp>): string =>
  page(
    "# Commands",
    "Exit codes: 0 done; 1 failed, resumable if it says so; 2 file or command line invalid; 3 credentials or environment;\n4 finished with dead letters, rows in doubt or a reported gap; 5 another run holds the lock; 70 a bug; 129, 130, 143\nended by a signal.",
    "Every command takes `--log-format pretty|json` and `--log-level debug|info|warn|error|none`, for what it and its plugins\nlog on standard error.",
    ...all.map(commandPart),
  )

/** By file name. */
export const pages = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ["commands.md", commandPage(await Effect.runPromise(commands))],
    ["pipeline-file.md", pipelineFile()],
    ...plugins.map(({ file, title, make }): [string, string] => [file, make(title)]),
  ])
