/** Help, and what is wrong with a command line, as text that fits the terminal. */
import { displayWidth } from "effect/cli/CliOutput"
import { clean, hang, type Page, wrap } from "./text.ts"

/** What the parser found; `suggestions` are names that exist. */
export interface Misuse {
  readonly message: string
  readonly suggestions?: ReadonlyArray<string>
}

export const renderMisuse = (errors: ReadonlyArray<Misuse>, command: string, { style, width }: Page): string => {
  const lines = errors.map((error) => hang(`${style.red("error")} `, clean(sentence(error)), width))
  return [...lines, `see \`${command} --help\``].join("\n")
}

/** The parser puts its suggestions on lines of their own, below the message. */
const sentence = ({ message, suggestions = [] }: Misuse): string => {
  const [first = ""] = message.split("\n\n")
  const said = first.replaceAll(/\s+/g, " ").replace("Schema validation failed: ", "")
  const names = suggestions.map((name) => `\`${name}\``)
  return names.length === 0 ? said : `${said}; did you mean ${names.join(" or ")}?`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
const COLOUR = /\u001b\[[0-9;]*m/g
const HEADING = /^[A-Z][A-Z ]+$/

/** Breaks long lines below where their last column starts, and sets every section apart. */
export const fitHelp = (text: string, width: number): string => {
  const lines: Array<string> = []
  for (const line of text.trim().split("\n")) {
    const bare = line.replaceAll(COLOUR, "")
    if (HEADING.test(bare) && lines.length > 0 && lines.at(-1) !== "") lines.push("")
    lines.push(displayWidth(line) <= width ? line : fold(line, bare, width))
  }
  return lines.join("\n")
}

const fold = (line: string, bare: string, width: number): string => {
  const indent = /^ *\S.* {2,}(?=\S)/.exec(bare)?.[0].length ?? bare.search(/\S/)
  const at = afterColumns(line, indent)
  return wrap(line.slice(at), Math.max(20, width - indent))
    .map((part, index) => (index === 0 ? line.slice(0, at) : " ".repeat(indent)) + part)
    .join("\n")
}

/** Where in a line with colours its column `count` starts. */
const afterColumns = (line: string, count: number): number => {
  let at = 0
  while (at < line.length && displayWidth(line.slice(0, at)) < count) at += 1
  return at
}
