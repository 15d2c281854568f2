/** A value that a config schema takes, made of placeholders: what a new pipeline file begins with. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { findings } from "./issues.ts"
import { descriptionOf, draft, type Node, nodeOf, nodesOf } from "./jsonNodes.ts"

export const PLACEHOLDER = "change-me"

/** It stands for a real value. */
export const isPlaceholder = (value: string): boolean => /change[-_]me/.test(value)

const ADDRESS = `https://${PLACEHOLDER}.example.com`

/** Offered where a description names no example of its own. */
const TEXTS = [PLACEHOLDER, ADDRESS, `${PLACEHOLDER}.example.com`, "1 minute", "2026-01-01"]

/**
 * The required keys, and of the others, in the order of the schema, as many as it takes until the schema is content:
 * one that says "an id and a secret, or a token" gets what it names first. Undefined where no placeholders fit.
 */
export const sampleOf = (schema: Schema.Codec<unknown, unknown>): Readonly<Record<string, Schema.Json>> | undefined => {
  const root = draft(schema)
  const properties = nodeOf(root.properties)
  const required = new Set(Array.isArray(root.required) ? root.required : [])
  const candidates = new Map(
    Object.entries(properties)
      .map(([name, property]) => [name, nodeOf(property)] as const)
      .map(([name, node]) => [name, [...hintOf(name, node), ...candidatesFor(node)]]),
  )
  const spare = [...candidates.keys()].filter((name) => !required.has(name))
  const chosen = new Map([...candidates.keys()].filter((name) => required.has(name)).map((name) => [name, 0]))

  for (;;) {
    const value = Object.fromEntries([...chosen].map(([name, at]) => [name, candidates.get(name)?.[at] ?? PLACEHOLDER]))
    const decoded = Schema.decodeUnknownResult(schema, { errors: "all" })(value)
    if (Result.isSuccess(decoded)) return value
    const refused = new Set(findings(decoded.failure.issue).map(({ path }) => String(path[0])))
    const next = [...chosen].filter(([name, at]) => refused.has(name) && at + 1 < (candidates.get(name)?.length ?? 0))
    for (const [name, at] of next) chosen.set(name, at + 1)
    if (next.length > 0) continue
    const more = spare.shift()
    if (more === undefined) return undefined
    chosen.set(more, 0)
  }
}

/** An address is one although its schema takes any text. */
const hintOf = (name: string, node: Node): ReadonlyArray<Schema.Json> =>
  /(^|_)url$/.test(name) && exampleIn(node).length === 0 ? [ADDRESS] : []

const candidatesFor = (node: Node): ReadonlyArray<Schema.Json> => {
  const merged: Node = Object.assign({}, node, ...nodesOf(node.allOf))
  const choices = nodesOf(merged.anyOf)
  if (choices.length > 0) return choices.flatMap(candidatesFor)
  if (Array.isArray(merged.enum)) return merged.enum
  switch (merged.type) {
    case "string":
      return [...exampleIn(node), ...TEXTS]
    case "integer":
    case "number":
      return [1, 10, ...(typeof merged.minimum === "number" ? [merged.minimum] : [])]
    case "boolean":
      return [false, true]
    case "array":
      return candidatesFor(nodeOf(merged.items)).map((item) => [item])
    case "object":
      return [{}]
    default:
      return [PLACEHOLDER, {}]
  }
}

const ACME = /(?<![A-Za-z])acme(?![A-Za-z])/

/** "The tenant's domain, such as acme.eu.auth0.com" gives `change-me.eu.auth0.com`: the shape, and nobody's tenant. */
const exampleIn = (node: Node): ReadonlyArray<string> => {
  const example = /\bsuch as (\S+)/.exec(descriptionOf(node))?.[1]
  const bare = example?.replace(/[.,;:)]+$/, "")
  return bare === undefined
    ? []
    : [...new Set([...["change-me", "change_me"].map((name) => bare.replace(ACME, name)), bare])]
}
