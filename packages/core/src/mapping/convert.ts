/** The types of `as`: each takes a value exactly or refuses it. Null and absent never come here. */
import type { Json } from "effect/Schema"
import type { As } from "./entry.ts"
import { Fault, typeName } from "./fault.ts"
import { isList } from "./path.ts"
import { toDay, toMoment } from "./time.ts"

export type Convert = (value: Json) => Json | Fault

const same: Convert = (value) => value

/** `join` makes text of the list that `as: list` makes. Without `as` a value passes as it is. */
export function converter(as: As | undefined, join: string | undefined): Convert {
  if (join !== undefined) return (value) => joined(toList(value), join)
  return as === undefined ? same : converters[as]
}

const wrongType = (value: Json, wanted: string): Fault =>
  new Fault("wrong_type", `is ${typeName(value)}, not ${wanted}`)

const unsafe = new Fault("unsafe_integer", "is an integer above 2^53, which JSON has already rounded")

/** A number or boolean has one text; an integer above 2^53 has lost digits, so its text would be a wrong one. */
function toText(value: Json): string | Fault {
  if (typeof value === "string") return value
  if (typeof value === "boolean") return String(value)
  if (typeof value !== "number") return wrongType(value, "text")
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? unsafe : String(value)
}

const numeral = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/** Text counts where it is a JSON number: `007` is an identifier. */
function toNumber(value: Json): number | Fault {
  if (typeof value === "number") return value
  if (typeof value !== "string") return wrongType(value, "a number")
  const number = numeral.test(value) ? Number(value) : Number.NaN
  if (!Number.isFinite(number)) return new Fault("not_a_number", "is text that is no number")
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? unsafe : number
}

function toInteger(value: Json): number | Fault {
  const number = toNumber(value)
  if (number instanceof Fault) return number
  if (!Number.isInteger(number)) return new Fault("not_an_integer", "is a number with a fraction, not an integer")
  return Number.isSafeInteger(number) ? number : unsafe
}

function toBoolean(value: Json): boolean | Fault {
  if (typeof value === "boolean") return value
  if (typeof value !== "string") return wrongType(value, "a boolean")
  const text = value.toLowerCase()
  if (text === "true") return true
  return text === "false" ? false : new Fault("not_a_boolean", "is text that is neither true nor false")
}

const isTime = (value: Json): value is string | number => typeof value === "string" || typeof value === "number"

const toTime =
  (convert: (value: string | number) => string | Fault): Convert =>
  (value) =>
    isTime(value) ? convert(value) : wrongType(value, "a date or time")

const toList = (value: Json): ReadonlyArray<Json> => (isList(value) ? value : [value])

/** Nulls are left out: they are no item to name. */
function joined(list: ReadonlyArray<Json>, separator: string): string | Fault {
  const texts: Array<string> = []
  for (const item of list) {
    if (item === null) continue
    const text = toText(item)
    if (text instanceof Fault) return new Fault(text.code, `has an item that ${text.message}`)
    texts.push(text)
  }
  return texts.join(separator)
}

const converters: { readonly [as in As]: Convert } = {
  text: toText,
  number: toNumber,
  integer: toInteger,
  boolean: toBoolean,
  date: toTime(toDay),
  datetime: toTime(toMoment),
  json: same,
  list: toList,
}
