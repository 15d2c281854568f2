/** The casing of an answer's keys: `Key-Inflection`, else what the key's owner set in the dashboard. persona.md §2 */
import { emptyObject, isObject } from "../exchange.ts"

export type Inflection = "kebab" | "camel" | "snake"

const recased: { readonly [inflection in Inflection]: (key: string) => string } = {
  kebab: (key) => key,
  camel: (key) => key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
  snake: (key) => key.replaceAll("-", "_"),
}

/** Keys below `fields` are the customer's own and stay. */
export const inflect = (value: unknown, inflection: Inflection): unknown => {
  if (inflection === "kebab") return value
  if (Array.isArray(value)) return value.map((item) => inflect(item, inflection))
  if (!isObject(value)) return value
  const result = emptyObject()
  for (const key of Object.keys(value)) {
    result[recased[inflection](key)] = key === "fields" ? value[key] : inflect(value[key], inflection)
  }
  return result
}
