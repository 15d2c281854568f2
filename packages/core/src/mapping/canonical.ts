/** Canonical JSON: one text for one value, whatever the order of its keys. The ledger compares rows by it. */
import type { Json } from "effect/Schema"
import { isList } from "./path.ts"

/** Text that JSON writes as it is. Most is, and to see that costs half of what `JSON.stringify` does. */
const plainText = /^[ !#-[\]-~]*$/

/** Keys are sorted by UTF-16 code unit at every depth, as in RFC 8785; no spaces. Numbers as JSON writes them. */
export function canonicalJson(value: Json): string {
  if (typeof value === "string" && plainText.test(value)) return `"${value}"`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`
  const members: Array<string> = []
  for (const key of Object.keys(value).sort()) {
    const item = value[key]
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(item)}`)
  }
  return `{${members.join(",")}}`
}
