/** The lines that a `.env` file lacks for a pipeline file: placeholders, with what each is. */
import { wrap } from "../render/text.ts"
import type { ConnectionKey } from "./connection.ts"

/** The whole new text; lines that are there stay as they are. */
export const environmentFile = (
  existing: string | undefined,
  file: string,
  keys: ReadonlyArray<ConnectionKey>,
): string => {
  const head =
    existing === undefined
      ? "# Values that are not for Git. Variables that are set in the shell win.\n"
      : endLine(existing)
  if (keys.length === 0) return head
  return `${head}\n${[`# For ${file}`, ...keys.flatMap(lines)].join("\n")}\n`
}

const endLine = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

const lines = ({ variable, placeholder, description }: ConnectionKey): ReadonlyArray<string> => [
  ...(description === "" ? [] : wrap(description.replaceAll(/\s+/g, " "), 100).map((line) => `# ${line}`)),
  `${variable}=${/^[\w./:@+-]*$/.test(placeholder) ? placeholder : JSON.stringify(placeholder)}`,
]
