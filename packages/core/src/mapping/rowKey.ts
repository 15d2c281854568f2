/** The text by which a row is matched at the destination. */
import type { Json } from "effect/Schema"
import { Fault, typeName } from "./fault.ts"

/** Text that is not empty; a number or boolean as its one text. Anything else cannot match a row. */
export function rowKey(value: Json | undefined): string | Fault {
  if (typeof value === "string" && value !== "") return value
  if (typeof value === "boolean") return String(value)
  if (typeof value === "number") {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return rounded
    return String(value)
  }
  const what = value === undefined ? "has no value" : value === "" ? "is empty" : `is ${typeName(value)}`
  return new Fault("missing_key", `${what}, so the row cannot be matched`)
}

const rounded = new Fault("missing_key", "is an integer above 2^53, which JSON has already rounded")
