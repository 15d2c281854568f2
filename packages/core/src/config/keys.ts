/** The keys that a schema takes, as rows of a table: name, type, whether it is needed, default, description. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { descriptionOf, draft, type Node, nodeOf, nodesOf } from "./jsonNodes.ts"
import { sampleOf } from "./sample.ts"

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

/** Of a plugin's config or options: what decoding adds to a value are defaults, what it hides are secrets. */
export const keysOf = (schema: Schema.Codec<unknown, unknown>): ReadonlyArray<Key> => {
  const sample = sampleOf(schema)
  const encoded = sample === undefined ? {} : nodeOf(encodeAgain(schema, sample))
  const secrets = secretsOf(schema)
  return keysOfNode(draft(schema)).map((key) => ({
    ...key,
    secret: secrets.has(key.name),
    default:
      sample === undefined || Object.hasOwn(sample, key.name) || !(key.name in encoded)
        ? undefined
        : written(encoded[key.name]),
  }))
}

/** Undefined where a schema lets nothing be encoded, such as a secret. */
const encodeAgain = (schema: Schema.Codec<unknown, unknown>, value: unknown): unknown =>
  Result.getOrUndefined(Result.flatMap(Schema.decodeUnknownResult(schema)(value), Schema.encodeUnknownResult(schema)))

const secretsOf = (schema: Schema.Top): ReadonlySet<PropertyKey> => {
  const ast = SchemaAST.toType(schema.ast)
  const properties = SchemaAST.isObjects(ast) ? ast.propertySignatures : []
  return new Set(properties.flatMap(({ name, type }) => (isSecret(type) ? [name] : [])))
}

const isSecret = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isUnion(ast) ? ast.types.some(isSecret) : nodeOf(ast.annotations?.representation).id === REDACTED

/** How `Schema.Redacted` is known. */
const REDACTED = "effect/schema/Redacted"

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
