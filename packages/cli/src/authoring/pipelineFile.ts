/** The text of a new pipeline file, with comments that say what each part is for. */
import { wrap } from "../render/text.ts"
import type { Connection, ConnectionKey, NeededKeys } from "./connection.ts"
import type { Proposal, Proposed } from "./propose.ts"

export interface Draft {
  /** As it will be called: commands in comments name it. */
  readonly file: string
  readonly name: string
  readonly source: Connection
  readonly stream: string
  readonly incremental: boolean
  readonly streamOptions: NeededKeys
  readonly sink: Connection
  readonly object: string
  readonly objectOptions: NeededKeys
  /** A field of the record that is true or false, for an example of `where`. */
  readonly condition: string | undefined
  readonly proposal: Proposal
  /** The destination's live fields are known. */
  readonly connected: boolean
}

const WIDTH = 110

export const pipelineFile = (draft: Draft): string =>
  `${[
    ...head(draft),
    "",
    "sources:",
    ...entry(draft.source, true),
    "",
    "sinks:",
    ...entry(draft.sink, false),
    "",
    "pipelines:",
    `  ${yamlKey(draft.name)}:`,
    `    from: ${draft.source.name}.${draft.stream} # <source>.<stream>`,
    ...(draft.incremental
      ? ["    sync: incremental # the first run reads everything, the next ones what changed"]
      : []),
    ...options("    ", draft.streamOptions, `sluice plugins ${draft.source.use} ${draft.stream}`),
    "    to:",
    `      ${yamlKey(`${draft.sink.name}.${draft.object}`)}: # <sink>.<object>`,
    ...(draft.condition === undefined
      ? []
      : [`        # where: ${draft.condition} # only records for which this is true; any JSONata expression`]),
    `        key: ${yamlKey(draft.proposal.key)} # rows are matched by this field, so that a second run duplicates nothing`,
    "        map: # destination field: where its value comes from",
    ...mapLines(draft),
    ...options("        ", draft.objectOptions, `sluice plugins ${draft.sink.use} ${draft.object}`),
  ].join("\n")}\n`

const head = ({ file, name, source, stream, sink, object }: Draft): ReadonlyArray<string> => [
  `# ${source.name}.${stream} to ${sink.name}.${object}, begun by Sluice. The file is yours to change.`,
  "#",
  `#   sluice check ${file} --connect   is everything in place?`,
  `#   sluice preview ${file}           what would be written? Writes nothing.`,
  `#   sluice run ${file}`,
  "#",
  "# Variables come from the environment, and from `.env` beside this file.",
  `name: ${yamlKey(name)}`,
]

const entry = (connection: Connection, isSource: boolean): ReadonlyArray<string> => {
  const address = isSource ? " # empty: the vendor's own address; the sandbox sets it" : ""
  return [
    `  ${connection.name}: # a name of your choice`,
    `    use: ${yamlText(connection.use)}`,
    ...connection.keys.map((key) => `    ${valueLine(key)}`),
    ...(connection.baseUrl === undefined ? [] : [`    base_url: \${${connection.baseUrl}:-}${address}`]),
    ...more("    ", "Also:", connection.more, `sluice plugins ${connection.use}`),
  ]
}

const options = (indent: string, { keys, more: names }: NeededKeys, command: string): ReadonlyArray<string> => [
  ...(keys.length === 0 ? [] : [`${indent}with:`, ...keys.map((key) => `${indent}  ${valueLine(key)}`)]),
  ...more(indent, keys.length === 0 ? "Options, in `with:`:" : "More options:", names, command),
]

const valueLine = ({ key, variable }: ConnectionKey): string => `${yamlKey(key)}: \${${variable}}`

/** What else can be said there, in one comment. */
const more = (indent: string, what: string, names: ReadonlyArray<string>, command: string): ReadonlyArray<string> =>
  names.length === 0 ? [] : comment(indent, `${what} ${names.join(", ")}. See \`${command}\`.`)

const mapLines = ({ proposal, source, stream, sink, object, connected, file }: Draft): ReadonlyArray<string> => {
  const indent = "          "
  const { map, doubtful, missing, left } = proposal
  return [
    ...map.map((each) => `${indent}${mapEntry(each)}`),
    ...missing.map((name) => `${indent}# ${yamlKey(name)}: # the destination requires it: say where it comes from`),
    ...(doubtful.length === 0 ? [] : [`${indent}# Perhaps these; take the # off where it is right:`]),
    ...doubtful.map((each) => `${indent}# ${mapEntry(each)} # ${each.doubt}`),
    ...(left.paths.length === 0
      ? []
      : comment(indent, `Not read yet of ${source.name}.${stream}: ${few(left.paths)}.`)),
    ...(left.fields.length === 0
      ? []
      : comment(indent, `Nothing is mapped to these of ${sink.name}.${object}: ${few(left.fields)}.`)),
    ...(connected ? [] : comment(indent, `\`sluice schema --connect ${file}\` lists the fields of your account.`)),
  ]
}

const MANY = 40

const few = (names: ReadonlyArray<string>): string =>
  names.length <= MANY ? names.join(", ") : `${names.slice(0, MANY).join(", ")} and ${names.length - MANY} more`

/** Broken into lines between words, and not within a command. */
const comment = (indent: string, text: string): ReadonlyArray<string> => {
  const whole = text.replaceAll(/`[^`]+`/g, (command) => command.replaceAll(" ", "\u00a0"))
  return wrap(whole, WIDTH - indent.length - 2).map((line) => `${indent}# ${line.replaceAll("\u00a0", " ")}`)
}

/** One line of `map`. */
const mapEntry = ({ field, from, as, join, default: other }: Proposed): string => {
  const long = [
    `from: ${yamlText(from)}`,
    ...(as === undefined ? [] : [`as: ${as}`]),
    ...(join === undefined ? [] : [`join: ${JSON.stringify(join)}`]),
    ...(other === undefined ? [] : [`default: ${JSON.stringify(other)}`]),
  ]
  return `${yamlKey(field)}: ${long.length === 1 ? yamlText(from) : `{ ${long.join(", ")} }`}`
}

/** Without quotes where YAML reads it as text all the same. */
const yamlText = (text: string): string =>
  /^[A-Za-z_./@][\w./@-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|~)$/i.test(text)
    ? text
    : JSON.stringify(text)

const yamlKey = yamlText
