/** What preview shows of a value when it may not show the value: enough to see that a mapping is right, no more. */
import type { Json } from "effect/Schema"

/*
 * Shown as they are: null, booleans, empty text and lists, and numbers inside lists (ids of lists and tags). None of
 * them says who somebody is once the text around them is masked. All other numbers and all text are masked.
 */

const DATE = /^\d{4}-\d\d-\d\d$/
const DATE_TIME = /^\d{4}-\d\d-\d\dT/
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/
const URL_START = /^(https?:\/\/)/i

/** The value with its text and numbers replaced; its shape, and which keys it has, stay. */
export const mask = (value: Json): Json => {
  if (typeof value === "string") return maskText(value)
  if (typeof value === "number") return "***"
  if (Array.isArray(value)) return value.map((item) => (typeof item === "number" ? item : mask(item)))
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [EMAIL.test(key) ? maskEmail(key) : key, mask(item)]),
    )
  }
  return value
}

/** Text with its kind and first character left: `j***@e***.com`, `https://***`, `A***`. Short text is hidden whole. */
export const maskText = (text: string): string => {
  if (text === "") return ""
  if (DATE.test(text)) return "****-**-**"
  if (DATE_TIME.test(text)) return "****-**-**T**:**"
  if (EMAIL.test(text)) return maskEmail(text)
  const scheme = URL_START.exec(text)?.[1]
  if (scheme !== undefined) return `${scheme.toLowerCase()}***`
  const [first] = text
  return text.length < 4 || first === undefined ? "***" : `${first}***`
}

const maskEmail = (text: string): string => {
  const at = text.lastIndexOf("@")
  const dot = text.lastIndexOf(".")
  const start = (at_: number) => [...text.slice(at_)][0] ?? ""
  return `${start(0)}***@${start(at + 1)}***${text.slice(dot)}`
}

/** A record's or row's key: the part that names the kind and the last four characters, `auth0|***be82`. */
export const maskKey = (key: string): string => {
  if (EMAIL.test(key)) return maskEmail(key)
  const bar = key.lastIndexOf("|")
  const kind = key.slice(0, bar + 1)
  const rest = [...key.slice(bar + 1)]
  return `${kind}***${rest.length >= 12 ? rest.slice(-4).join("") : ""}`
}
