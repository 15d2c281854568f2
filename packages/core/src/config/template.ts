/** The text of a scalar with `${VAR}`, `${VAR:-default}` and `${file:/path}` in it, taken apart. `$${` is a plain `${`. */
import * as Result from "effect/Result"

export type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Variable"; readonly name: string; readonly fallback: string | undefined }
  | { readonly _tag: "File"; readonly path: string }

/** Undefined for a text without `${`; a message, without the text, for one that cannot be read. */
export function parseTemplate(text: string): Result.Result<ReadonlyArray<Part>, string> | undefined {
  if (!text.includes("${")) return undefined
  const parts: Array<Part> = []
  let rest = 0
  for (let start = text.indexOf("${"); start >= 0; start = text.indexOf("${", rest)) {
    const escaped = start > rest && text[start - 1] === "$"
    parts.push({ _tag: "Text", text: text.slice(rest, escaped ? start - 1 : start) })
    if (escaped) {
      parts.push({ _tag: "Text", text: "${" })
      rest = start + 2
      continue
    }
    const end = text.indexOf("}", start)
    const part = end < 0 ? undefined : parseReference(text.slice(start + 2, end))
    if (part === undefined)
      return Result.fail(`write \${NAME}, \${NAME:-default} or \${file:/path}; $\${ is a plain \${`)
    parts.push(part)
    rest = end + 1
  }
  parts.push({ _tag: "Text", text: text.slice(rest) })
  return Result.succeed(parts.filter((part) => part._tag !== "Text" || part.text !== ""))
}

function parseReference(text: string): Part | undefined {
  if (text.startsWith("file:")) return text.length > 5 ? { _tag: "File", path: text.slice(5) } : undefined
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^{]*))?$/.exec(text)
  return match?.[1] === undefined ? undefined : { _tag: "Variable", name: match[1], fallback: match[2] }
}

/**
 * In a flow list YAML would take the braces of an unquoted `[${LIST_ID}]` for a map. They are hidden from it, one
 * character for one so that positions stay, and shown again in what it read.
 */
export const hideBraces = (text: string): string => text.replace(/\$\{([^{}\n]*)\}/g, "$\uFDD0$1\uFDD1")
export const showBraces = (text: string): string => text.replaceAll("\uFDD0", "{").replaceAll("\uFDD1", "}")
