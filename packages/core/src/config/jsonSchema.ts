/** One JSON Schema (draft-07) for pipeline files, for editors: from the same schemas that check them. */
import * as JsonSchema from "effect/JsonSchema"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { ObjectSpec } from "../plugin/sink.ts"
import type { PluginModule } from "./plugins.ts"
import { Entry, FileShell, PipelineShell, Route } from "./schema.ts"

type Node = JsonSchema.JsonSchema

/** A plugin under the name a file gives it in `use:`. */
export interface NamedPlugin extends PluginModule {
  readonly use: string
}

/**
 * Keys of a plugin are offered where `use` names it, options of a stream where `from` ends in its name, fields and
 * options of an object where the route does. Other plugins, such as `./webhook.ts`, pass with any keys of their own.
 */
export function jsonSchema(plugins: ReadonlyArray<NamedPlugin>): Node {
  const definitions: Record<string, unknown> = {}
  const draft = (schema: Schema.Top, prefix: string): Node => draft07(schema, prefix, definitions)
  const entry = draft(Entry, "entry")
  const sources = plugins.flatMap(({ use, source }) => (source === undefined ? [] : [{ use, plugin: source }]))
  const sinks = plugins.flatMap(({ use, sink }) => (sink === undefined ? [] : [{ use, plugin: sink }]))
  const configs = (section: string, named: ReadonlyArray<{ use: string; plugin: { config: Schema.Top } }>) =>
    named.map(({ use, plugin }) => ({ use, config: draft(plugin.config, `${section}.${use}`) }))

  const streams = sources.flatMap(({ use, plugin }) =>
    Object.entries(plugin.streams).map(([name, spec]) => ({ name, node: draft(spec.options, `${use}.${name}`) })),
  )
  const route = draft(Route, "route")
  const objects = sinks.flatMap(({ use, plugin }) =>
    typeof plugin.objects === "function"
      ? []
      : Object.entries(plugin.objects).map(([name, spec]) => {
          return { name, node: routeOf(route, spec, draft(spec.options, `${use}.${name}`)) }
        }),
  )
  const pipeline = {
    ...patch(draft(PipelineShell, "pipeline"), { to: { ...named(objects), additionalProperties: route } }),
    allOf: [...grouped(streams)].map(([name, options]) =>
      when({ from: { pattern: ending(name) } }, { properties: { with: anyOf(options) } }),
    ),
  }
  const file = patch(draft(FileShell, "file"), {
    sources: { additionalProperties: entryOf(entry, configs("source", sources)) },
    sinks: { additionalProperties: entryOf(entry, configs("sink", sinks)) },
    pipelines: { additionalProperties: pipeline },
  })
  const named07 = { $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07, title: "Sluice pipeline file" }
  return allowVariables({ ...named07, ...file, ...(Object.keys(definitions).length > 0 ? { definitions } : {}) })
}

/** Definitions of all schemas share one place. */
export function draft07(schema: Schema.Top, prefix: string, definitions: Record<string, unknown>): Node {
  const document = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }))
  for (const [name, definition] of Object.entries(document.definitions)) {
    definitions[`${prefix}.${name}`] = tidy(definition, prefix)
  }
  const node = tidy(document.schema, prefix)
  return Predicate.isObject(node) ? { ...node } : {}
}

/**
 * `describe` writes a description twice, and integers come with the bounds of a double: neither helps a reader.
 * Definitions of all schemas share one place, so references get a prefix.
 */
function tidy(node: unknown, prefix: string): unknown {
  if (Array.isArray(node)) return node.map((inner) => tidy(inner, prefix))
  if (!Predicate.isObject(node)) return node
  const entries = Object.entries(node).flatMap(([key, value]): ReadonlyArray<[string, unknown]> => {
    if ((key === "minimum" || key === "maximum") && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) return []
    if (key === "$ref" && typeof value === "string")
      return [[key, value.replace(/^#\/definitions\//, `#/definitions/${prefix}.`)]]
    if (key !== "allOf" || !Array.isArray(value)) return [[key, tidy(value, prefix)]]
    const rest = value.filter((inner) => !repeats(inner, node))
    return rest.length === 0 ? [] : [[key, rest.map((inner) => tidy(inner, prefix))]]
  })
  return Object.fromEntries(entries)
}

const repeats = (inner: unknown, node: object): boolean =>
  Predicate.isObject(inner) &&
  Object.entries(inner).every(
    ([key, value]) => key === "description" && new Map(Object.entries(node)).get(key) === value,
  )

const propertiesOf = (node: Node): Node => (Predicate.isObject(node.properties) ? { ...node.properties } : {})

/** Adds keywords to some of a node's properties. */
function patch(node: Node, patches: { readonly [property: string]: Node }): Node {
  const properties = propertiesOf(node)
  for (const [name, keywords] of Object.entries(patches)) {
    const own = properties[name]
    properties[name] = Predicate.isObject(own) ? { ...own, ...keywords } : keywords
  }
  return { ...node, properties }
}

const when = (properties: Node, outcome: Node): Node => ({
  if: { properties, required: Object.keys(properties) },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: outcome,
})

const anyOf = (nodes: ReadonlyArray<Node>): Node => (nodes.length === 1 && nodes[0] ? nodes[0] : { anyOf: nodes })

/** A name at the end of `<source>.<stream>` or `<sink>.<object>`. */
const ending = (name: string): string => `^[^.]+\\.${name.replace(/[^A-Za-z0-9_]/g, "\\$&")}$`

interface NamedNode {
  readonly name: string
  readonly node: Node
}

const grouped = (nodes: ReadonlyArray<NamedNode>): ReadonlyMap<string, ReadonlyArray<Node>> => {
  const byName = Map.groupBy(nodes, ({ name }) => name)
  return new Map([...byName].map(([name, group]) => [name, group.map(({ node }) => node)]))
}

const named = (objects: ReadonlyArray<NamedNode>): Node => ({
  patternProperties: Object.fromEntries([...grouped(objects)].map(([name, nodes]) => [ending(name), anyOf(nodes)])),
})

/** An entry: the common keys, and by its `use` those of the plugin and no others. */
function entryOf(entry: Node, configs: ReadonlyArray<{ readonly use: string; readonly config: Node }>): Node {
  const names = configs.map(({ use }) => use)
  const common = propertiesOf(entry)
  const base = patch(entry, names.length > 0 ? { use: { anyOf: [{ enum: names }, { type: "string" }] } } : {})
  const own = configs.map(({ use, config }) => {
    const { required } = config
    const closed = config.type === "object" && config.anyOf === undefined && config.allOf === undefined
    const taken = { ...Object.fromEntries(Object.keys(common).map((key) => [key, true])), ...propertiesOf(config) }
    const keys = { properties: taken, additionalProperties: false, ...(required === undefined ? {} : { required }) }
    return when({ use: { const: use } }, closed ? keys : {})
  })
  return { ...base, additionalProperties: true, allOf: own }
}

/** A route of a known object: its options, its fields for the editor to complete, what it does with deletions. */
function routeOf(route: Node, spec: ObjectSpec, options: Node): Node {
  const fields = spec.fields ?? []
  const mapped = propertiesOf(route).map
  const entry = Predicate.isObject(mapped)
    ? new Map<string, unknown>(Object.entries(mapped)).get("additionalProperties")
    : {}
  const properties = fields
    .filter(({ writable, key }) => writable || key === true)
    .map(({ name, type, max }) => {
      const described = max === undefined ? type : `${type}, at most ${max} characters`
      return [name, { ...(Predicate.isObject(entry) ? entry : {}), description: described }]
    })
  return patch(route, {
    with: options,
    map: properties.length > 0 ? { properties: Object.fromEntries(properties) } : {},
    on_delete: { enum: ["keep", ...spec.deletes] },
  })
}

/** Where a number, a boolean or a choice is wanted, a variable may stand. */
function allowVariables(node: Node): Node {
  const inner = Object.entries(node).map(([key, value]) => [key, key === "if" ? value : inside(value)])
  const loose: Node = Object.fromEntries(inner)
  const exact = ["number", "integer", "boolean"].includes(String(loose.type)) || isChoice(loose)
  if (!exact) return loose
  const { description, ...rest } = loose
  const variable = { type: "string", pattern: "^\\$\\{.+\\}$" }
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, variable] }
}

const isChoice = (node: Node): boolean => node.type === "string" && Array.isArray(node.enum)

const inside = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(inside) : Predicate.isObject(value) ? allowVariables({ ...value }) : value
