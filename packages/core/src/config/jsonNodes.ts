/** JSON Schema as plain maps, to look at what a schema says of itself. */
import * as JsonSchema from "effect/JsonSchema"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

export type Node = { readonly [keyword: string]: unknown }

export const draft = (schema: Schema.Top): Node =>
  JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })).schema

export const nodeOf = (value: unknown): Node => (Predicate.isObject(value) ? { ...value } : {})

export const nodesOf = (value: unknown): ReadonlyArray<Node> => (Array.isArray(value) ? value.map(nodeOf) : [])

/** The description may stand on a part: checks are parts of their own. */
export const descriptionOf = (node: Node): string =>
  typeof node.description === "string" ? node.description : (nodesOf(node.allOf).map(descriptionOf).find(Boolean) ?? "")
