/** Canonical JSON: one text for one value, whatever the order of its keys. The ledger compares rows by it. */
import type { Json } from "effect/Schema"
import { isList } from "./path.ts"

/** Keys are sorted by UTF-16 code unit at every depth, as in RFC 8785; no spaces. Numbers as JSON writes them. */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`
  const members: Array<string> = []
  for (const key of Object.keys(value).sort()) {
    const item = value[key]
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(item)}`)
  }
  return `{${members.join(",")}}`
}
