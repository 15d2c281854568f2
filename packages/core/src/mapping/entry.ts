/** What a route's `map` may hold, as written in the file, and what can be wrong with it. */
import type { Json } from "effect/Schema"

export type As = "text" | "number" | "integer" | "boolean" | "date" | "datetime" | "json" | "list"

/** The long form. Either `from` (a JSONata expression) or `value` (a literal). */
export interface LongEntry {
  readonly from?: string
  readonly as?: As
  /** Used where `from` yields nothing: absent or null. */
  readonly default?: Json
  /** A record without a value here is refused. */
  readonly required?: boolean
  readonly value?: Json
  /** `false`: sent, and left out when rows are compared. */
  readonly diff?: boolean
  /** Turns a list into text, with this between the items. */
  readonly join?: string
}

/** Text is an expression; a number or boolean is a literal. */
export type MapEntry = string | number | boolean | LongEntry

export interface RouteMapping {
  readonly where?: string | boolean
  /** The destination field rows are matched by. It is one of `map`. */
  readonly key: string
  readonly map: { readonly [field: string]: MapEntry }
}

/** One thing that is wrong with a mapping, found without a record. */
export interface MappingProblem {
  /** Below the route: `["map", "COMPANY", "from"]`. */
  readonly path: ReadonlyArray<string>
  readonly code: string
  readonly message: string
  /** A name that exists and was likely meant. */
  readonly suggestion?: string
}
