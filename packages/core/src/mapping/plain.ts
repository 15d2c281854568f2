/** Makes plain JSON of what an expression yields, and refuses what is none. */
import type { Json } from "effect/Schema"
import { Fault } from "./fault.ts"
import { isList, isObject } from "./path.ts"

/** JSON nested deeper than this cannot be handed on safely: writers of JSON recurse. */
const maxDepth = 1000

const notWellFormed = new Fault("not_well_formed", "holds half of a surrogate pair, which no text can carry")
const notJson = new Fault("not_json", "is no JSON value (a function, or a number that is not finite)")
const tooDeep = new Fault("too_deep", `is nested more than ${maxDepth} levels deep`)

/**
 * Lists and objects are copied: JSONata marks its lists with an enumerable `sequence` key, and a row must not change
 * with the record. Undefined stays undefined: it means absent.
 */
export function plain(value: unknown): Json | undefined | Fault {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : notWellFormed
    case "number":
      return Number.isFinite(value) ? value : notJson
    case "boolean":
    case "undefined":
      return value
    case "object":
      return value === null || value instanceof Fault ? value : copy(value, 1)
    default:
      return notJson
  }
}

function copy(value: object, depth: number): Json | Fault {
  if (depth > maxDepth) return tooDeep
  if (isList(value)) return copyList(value, depth)
  return isObject(value) ? copyObject(value, depth) : notJson
}

function copyList(list: ReadonlyArray<unknown>, depth: number): Json | Fault {
  const items: Array<Json> = []
  for (const item of list) {
    const made = typeof item === "object" && item !== null ? copy(item, depth + 1) : plain(item)
    if (made instanceof Fault) return made
    if (made !== undefined) items.push(made)
  }
  return items
}

function copyObject(object: { readonly [key: string]: unknown }, depth: number): Json | Fault {
  const made: { [key: string]: Json } = {}
  for (const key of Object.keys(object)) {
    if (!key.isWellFormed()) return notWellFormed
    const item = object[key]
    const value = typeof item === "object" && item !== null ? copy(item, depth + 1) : plain(item)
    if (value instanceof Fault) return value
    if (value === undefined) continue
    // Assigning to `__proto__` would set the prototype: define it.
    if (key === "__proto__") Object.defineProperty(made, key, { value, enumerable: true, configurable: true })
    else made[key] = value
  }
  return made
}
