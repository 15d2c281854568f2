/** HTML in which text stays text: whatever is put into the template is escaped, unless it is HTML made here. */
import { clean } from "../text.ts"

export interface Html {
  readonly markup: string
}

type Part = Html | string | number | ReadonlyArray<Html>

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
])

/** Also for attributes in quotes. Control characters and marks that turn the direction of text are written out. */
const escaped = (text: string): string => clean(text).replace(/[&<>"']/g, (found) => ENTITIES.get(found) ?? "")

const markupOf = (part: Part): string => {
  if (typeof part === "string") return escaped(part)
  if (typeof part === "number") return String(part)
  return "markup" in part ? part.markup : part.map(({ markup }) => markup).join("")
}

export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html => ({
  markup: strings.map((text, at) => text + (at < parts.length ? markupOf(parts[at] ?? "") : "")).join(""),
})

export const nothing: Html = html``
