/** When a value counts as true: the rules of JSONata's `$boolean`. */
import { isList, isObject } from "./path.ts"

/** Absent, null, false, 0, empty text and empty objects are false; a list is true where an item is. */
export function isTrue(value: unknown): boolean {
  if (isList(value)) return value.some(isTrue)
  if (isObject(value))
    return value._jsonata_lambda !== true && value._jsonata_function !== true && Object.keys(value).length > 0
  return typeof value !== "function" && Boolean(value)
}
