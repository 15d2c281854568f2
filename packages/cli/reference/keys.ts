/** The keys that a schema takes, as rows of a table: name, type, whether it is needed, default, description. */
import * as JsonSchema from "effect/JsonSchema"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

type Node = { readonly [keyword: string]: unknown }

export interface Key {
  readonly name: string
  /** In plain words: "text", "whole number from 1 to 100", "`full` or `incremental`". */
  readonly type: string
  readonly required: boolean
  readonly secret: boolean
  /** As written in YAML flow style; undefined where there is none. */
  readonly default: string | undefined
  readonly description: string
}

/** `sample` is a value that the schema takes: what decoding adds to it are defaults, what it hides are secrets. */
export const keysOf = (schema: Schema.Codec<unknown, unknown>, sample: Node): ReadonlyArray<Key> => {
  const decoded = Schema.decodeUnknownSync(schema)(sample)
  const encoded = nodeOf(Schema.encodeUnknownSync(schema)(decoded))
  const plain = nodeOf(decoded)
  return keysOfNode(draft(schema)).map((key) => ({
    ...key,
    secret: Redacted.isRedacted(plain[key.name]),
    default: Object.hasOwn(sample, key.name) || !(key.name in encoded) ? undefined : written(encoded[key.name]),
  }))
}

/** Durations come back in milliseconds; a reader wants the words of the description. */
const written = (value: unknown): string => {
  const millis = typeof value === "string" ? /^(\d+) millis$/.exec(value)?.[1] : undefined
  return millis === undefined ? JSON.stringify(value) : `${Number(millis) / 60_000} minutes`
}

/** The keys of a JSON Schema of a map. */
export const keysOfNode = (node: Node): ReadonlyArray<Key> => {
  const required = Array.isArray(node.required) ? node.required : []
  return Object.entries(nodeOf(node.properties)).map(([name, property]) => ({
    name,
    type: typeOf(nodeOf(property)),
    required: required.includes(name),
    secret: false,
    default: undefined,
    description: descriptionOf(nodeOf(property)),
  }))
}

export const draft = (schema: Schema.Top): Node =>
  JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })).schema

export const nodeOf = (value: unknown): Node => (Predicate.isObject(value) ? { ...value } : {})

const nodesOf = (value: unknown): ReadonlyArray<Node> => (Array.isArray(value) ? value.map(nodeOf) : [])

/** The description may stand on a part: checks are parts of their own. */
const descriptionOf = (node: Node): string =>
  typeof node.description === "string" ? node.description : (nodesOf(node.allOf).map(descriptionOf).find(Boolean) ?? "")

const words: ReadonlyMap<unknown, string> = new Map([
  ["string", "text"],
  ["integer", "whole number"],
  ["number", "number"],
  ["boolean", "true or false"],
  ["null", "nothing"],
])

const typeOf = (node: Node): string => {
  const merged = Object.assign({}, node, ...nodesOf(node.allOf))
  const choices = nodesOf(merged.anyOf).filter((each) => !isVariable(each))
  if (choices.length > 0) return [...new Set(choices.map(typeOf))].join(" or ")
  if (Array.isArray(merged.enum)) return oneOf(merged.enum.map((each: unknown) => `\`${each}\``))
  if (merged.type === "array") return `list of ${typeOf(nodeOf(merged.items))}`
  if (merged.type === "object") return "map"
  const word = words.get(merged.type)
  return word === undefined ? "any value" : `${word}${bounds(merged)}`
}

const oneOf = (names: ReadonlyArray<string>): string => names.join(", ").replace(/, ([^,]*)$/, " or $1")

/** Where a number is wanted a variable may stand: true of every key, so no table repeats it. */
const isVariable = ({ pattern }: Node): boolean => typeof pattern === "string" && pattern.startsWith("^\\$\\{")

const bounds = ({ minimum, exclusiveMinimum, maximum }: Node): string => {
  const known = (bound: unknown) => typeof bound === "number" && Math.abs(bound) < Number.MAX_SAFE_INTEGER
  const [from, above, to] = [minimum, exclusiveMinimum, maximum].map((bound) => (known(bound) ? bound : undefined))
  const start = from !== undefined ? ` from ${from}` : above !== undefined ? ` above ${above}` : ""
  return `${start}${to === undefined ? "" : ` up to ${to}`}`
}
