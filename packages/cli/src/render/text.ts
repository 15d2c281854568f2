/** Text for a terminal: nothing from outside can move the cursor, start a line or run past its column (S16). */
import { displayWidth } from "effect/cli/CliOutput"

// Control characters, line and paragraph separators, marks that turn the direction of text, lone surrogates.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be found
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
])

/** The text with every character that a terminal might act on written out. */
export const clean = (text: string): string =>
  text.replace(UNSAFE, (found) => SHORT.get(found) ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)

// Intl takes milliseconds to get ready, and many commands need none of it.
let segmenter: Intl.Segmenter | undefined
let grouped: Intl.NumberFormat | undefined

/** The longest start of the text that takes at most `width` columns, whole characters as a reader counts them. */
const startOf = (text: string, width: number): string => {
  let kept = ""
  let used = 0
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  for (const { segment } of segmenter.segment(text)) {
    used += displayWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept
}

/** At most `width` columns, with an ellipsis where something is missing. */
export const fit = (text: string, width: number): string =>
  displayWidth(text) <= width ? text : `${startOf(text, width - 1)}…`

export const padEnd = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text)))

export const padStart = (text: string, width: number): string =>
  " ".repeat(Math.max(0, width - displayWidth(text))) + text

/** Between words, but not within `4 min 10 s`. */
const BREAK = /(?<!\d (?:min|h)) (?!(?:s|min|h)(?![a-z]))/

/** What a line is not broken within: words, and a command in backquotes that fits a line. */
const unbroken = (text: string, width: number): ReadonlyArray<string> => {
  const words = text.split(BREAK)
  const kept: Array<string> = []
  for (let at = 0; at < words.length; at += 1) {
    const end = isOpen(words[at]) ? words.findIndex((word, index) => index > at && isOpen(word)) : at
    const span = words.slice(at, Math.max(at, end) + 1)
    const whole = span.join(" ")
    kept.push(...(displayWidth(whole) <= width ? [whole] : span))
    at += span.length - 1
  }
  return kept
}

/** Opens or closes what is in backquotes, and not both. */
const isOpen = (word = ""): boolean => word.split("`").length % 2 === 0

/** Lines of at most `width` columns, broken at spaces; a word that is longer stays whole, so it can be copied. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of unbroken(text, width)) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** Lines of at most `width` columns, broken at spaces and, where a word is longer than that, within it. */
export const fill = (text: string, width: number): ReadonlyArray<string> =>
  wrap(text, width).flatMap((line) => cut(line, width))

const cut = (line: string, width: number): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = line
  while (displayWidth(rest) > width) {
    // A character that is wider than the column stands alone: nothing is lost, and this ends.
    const part = startOf(rest, width) || String.fromCodePoint(rest.codePointAt(0) ?? 32)
    parts.push(part)
    rest = rest.slice(part.length)
  }
  return [...parts, rest]
}

/** Wrapped text, its first line after `label`, the others below where that one starts. */
export const hang = (label: string, text: string, width: number): string => {
  const indent = displayWidth(label)
  return wrap(text, Math.max(20, width - indent))
    .map((line, at) => (at === 0 ? label : " ".repeat(indent)) + line)
    .join("\n")
}

/** `2,500` */
export const number = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value)
  grouped ??= new Intl.NumberFormat("en-US")
  return grouped.format(value)
}

/** `1 record`, `2,500 records` */
export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${number(count)} ${count === 1 ? noun : many}`

/** `0.4 s`, `12 s`, `4 min 10 s`, `2 h 5 min` */
export const duration = (millis: number): string => {
  const seconds = millis / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Colours, or the text as it is where there is no colour. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`
const same = (text: string) => text

export const coloured: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
}

export const plain: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }

/** Where something is printed: how wide it is and whether it shows colours. */
export interface Page {
  readonly width: number
  readonly style: Style
}
