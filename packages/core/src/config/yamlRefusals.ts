/** What YAML can say and a pipeline file must not: tags, anchors, aliases, merge keys, keys that are no plain text. */
import { isAlias, isMap, isScalar, isSeq, type ParsedNode } from "yaml"
import type { Path } from "./problem.ts"
import { showBraces } from "./template.ts"

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly offset: number
  readonly path: Path
}

/** Every refusal below a node. The depth is bounded by the parser. */
export function refusals(root: ParsedNode): ReadonlyArray<Refusal> {
  const found: Array<Refusal> = []
  const visit = (node: ParsedNode | null, path: Path): void => {
    if (node === null) return
    const refuse = (code: string, message: string) => found.push({ code, message, offset: node.range[0], path })
    if (isAlias(node)) return void refuse("yaml.alias", "aliases are not allowed: write the value again")
    if (node.tag !== undefined) refuse("yaml.tag", "tags are not allowed")
    if (node.anchor !== undefined) refuse("yaml.alias", "anchors are not allowed")
    if (isScalar(node)) {
      if (isInexact(node.value)) refuse("yaml.number", "not a number JSON can hold: put it in quotes")
    } else if (isSeq<ParsedNode>(node)) {
      for (const [index, item] of node.items.entries()) visit(item, [...path, index])
    } else if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const seen = new Set<string>()
      for (const { key, value } of node.items) {
        const problem = keyProblem(key, seen)
        const name = isScalar(key) ? showBraces(String(key.value)) : "?"
        if (problem !== undefined) found.push({ ...problem, offset: key.range[0], path: [...path, name] })
        seen.add(name)
        visit(value, [...path, name])
      }
    }
  }
  visit(root, [])
  return found
}

const isInexact = (value: unknown): boolean =>
  typeof value === "bigint" ||
  (typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))))

function keyProblem(key: ParsedNode, seen: ReadonlySet<string>) {
  if (!isScalar(key) || typeof key.value !== "string") return { code: "yaml.key", message: "a key must be text" }
  if (key.tag !== undefined || key.anchor !== undefined)
    return { code: "yaml.tag", message: "tags and anchors are not allowed" }
  if (key.value === "<<") return { code: "yaml.merge-key", message: "merge keys are not allowed: write the keys out" }
  if (key.value === "__proto__") return { code: "yaml.forbidden-key", message: "this key is not allowed" }
  if (seen.has(key.value)) return { code: "yaml.duplicate-key", message: "this key is already in the map" }
  if (showBraces(key.value).includes("${")) return { code: "variable.in-key", message: "a key cannot hold a variable" }
  return undefined
}
