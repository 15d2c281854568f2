/** CSV as Bulk API 2.0 reads it, over the bytes of a whole upload, and as it writes results. salesforce.md §2.7. */

export const delimiters = {
  BACKQUOTE: "`",
  CARET: "^",
  COMMA: ",",
  PIPE: "|",
  SEMICOLON: ";",
  TAB: "\t",
} as const
export type ColumnDelimiter = keyof typeof delimiters
export type LineEnding = "LF" | "CRLF"

const quote = 0x22
const lf = 0x0a
const cr = 0x0d

/** Begin and end of each row, the header first; or why the file is none. */
export type Rows = { readonly bounds: Uint32Array; readonly count: number } | { readonly error: string }

const unescaped = "Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"

/** Cuts a file into rows without copying any. Lines without anything on them are no rows. */
export const splitRows = (bytes: Buffer, delimiter: number, ending: LineEnding): Rows => {
  let bounds = new Uint32Array(1_024)
  let count = 0
  const push = (start: number, end: number) => {
    if (start === end) return
    if (count * 2 + 2 > bounds.length) {
      const larger = new Uint32Array(bounds.length * 2)
      larger.set(bounds)
      bounds = larger
    }
    bounds[count * 2] = start
    bounds[count * 2 + 1] = end
    count += 1
  }
  let start = 0
  // Whether a value begins at this byte.
  let fresh = true
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      const end = fresh ? closing(bytes, at) : -1
      const next = bytes[end + 1]
      if (end < 0 || (next !== undefined && next !== delimiter && next !== lf && next !== cr))
        return { error: unescaped }
      at = end
      fresh = false
    } else if (byte === lf) {
      const isCrlf = bytes[at - 1] === cr
      if (isCrlf !== (ending === "CRLF") && at > start)
        return { error: `LineEnding is invalid on user data. Current LineEnding setting is ${ending}` }
      push(start, isCrlf ? at - 1 : at)
      start = at + 1
      fresh = true
    } else fresh = byte === delimiter
  }
  push(start, bytes.length)
  return { bounds, count }
}

/** Where a quoted value ends; -1: nowhere. */
const closing = (bytes: Buffer, open: number): number => {
  for (let at = bytes.indexOf(quote, open + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    if (bytes[at + 1] !== quote) return at
    at += 1
  }
  return -1
}

export const cellsOf = (line: string, delimiter: string): ReadonlyArray<string> => {
  if (!line.includes('"')) return line.split(delimiter)
  const cells: Array<string> = []
  for (let at = 0; at <= line.length; ) {
    const isQuoted = line.charAt(at) === '"'
    let end = at
    if (isQuoted) {
      end = at + 1
      while (end < line.length && (line.charAt(end) !== '"' || line.charAt(end + 1) === '"'))
        end += line.charAt(end) === '"' ? 2 : 1
      cells.push(line.slice(at + 1, end).replaceAll('""', '"'))
      end += 1
    } else {
      const next = line.indexOf(delimiter, at)
      end = next < 0 ? line.length : next
      cells.push(line.slice(at, end))
    }
    at = end + 1
  }
  return cells
}

/** Results are quoted throughout. */
export const lineOf = (cells: ReadonlyArray<string>, delimiter: string, ending: LineEnding): string =>
  `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter)}${ending === "LF" ? "\n" : "\r\n"}`
