/** `@{ref.path[0].id}`: what an earlier part of a composite request answered, put into a later one. */
import { isObject, own } from "../exchange.ts"

const pattern = /@\{([^}]+)\}/g

const resolve = (known: ReadonlyMap<string, unknown>, path: string): unknown => {
  const [name = "", ...parts] = path.replaceAll("[", ".").replaceAll("]", "").split(".")
  let value = known.get(name)
  for (const part of parts) {
    value = Array.isArray(value) ? value[Number(part)] : isObject(value) ? own(value, part) : undefined
  }
  return value
}

/** Replaces every reference in texts, however deep. */
const fill = (value: unknown, known: ReadonlyMap<string, unknown>, missing: (path: string) => void): unknown => {
  if (typeof value === "string")
    return value.replace(pattern, (_, path: string) => {
      const found = resolve(known, path)
      if (found === undefined || found === null) missing(path)
      return String(found)
    })
  if (Array.isArray(value)) return value.map((each) => fill(each, known, missing))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, known, missing)]))
}

export const fillReferences = (
  sub: { readonly url: string; readonly body: unknown },
  known: ReadonlyMap<string, unknown>,
): { readonly url: string; readonly body: unknown } | { readonly missing: string } => {
  let missing: string | undefined
  const note = (path: string) => {
    missing ??= path
  }
  const url = String(fill(sub.url, known, note))
  const body = fill(sub.body, known, note)
  return missing === undefined ? { url, body } : { missing }
}
