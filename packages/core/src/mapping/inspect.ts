/**
 * What a JSONata expression reads and whether it may be used, from its syntax tree. Errs on the safe side: a name
 * too many, "all" rather than a name too few, an error rather than a surprise.
 */
import { isList, isObject } from "./path.ts"
import { judgePattern } from "./pattern.ts"

export interface Finding {
  readonly code: string
  readonly message: string
}

export interface Inspection {
  /** Root names; "all" where the whole record is taken. */
  readonly reads: ReadonlySet<string> | "all"
  /** It calls `$now` or `$millis`. */
  readonly tellsTime: boolean
  readonly problems: ReadonlyArray<Finding>
}

export function inspect(tree: unknown): Inspection {
  const inspector = new Inspector()
  inspector.visit(tree, true)
  const { roots, whole, tellsTime, problems } = inspector
  return { reads: whole ? "all" : roots, tellsTime, problems }
}

type Node = { readonly [key: string]: unknown }

const forbidden: { readonly [name: string]: string } = {
  eval: "$eval runs text as an expression, which no check can see",
  random: "$random would make every run see a change",
  shuffle: "$shuffle would make every run see a change",
}

/** Functions that take the context, here the record, where this many arguments are not given. */
const fromContext: { readonly [name: string]: number } = {
  string: 1,
  boolean: 1,
  not: 1,
  keys: 1,
  spread: 1,
  clone: 1,
  lookup: 2,
  sift: 2,
  each: 2,
}

/** Where parts of an expression are; what follows a path's first step is not about the record itself any more. */
const parts = ["lhs", "rhs", "expression", "expressions", "condition", "then", "else", "body", "pattern", "update"]
const innerParts = ["delete", "terms", "expr", "predicate", "stages", "group"]

class Inspector {
  readonly roots = new Set<string>()
  readonly problems: Array<Finding> = []
  whole = false
  tellsTime = false

  /** `root`: the context is the record. */
  visit(value: unknown, root: boolean): void {
    if (isList(value)) for (const each of value) this.visit(each, root)
    if (!isObject(value)) return
    const type = value.type
    if (type === "path") this.path(value, root)
    else if (type === "variable") this.variable(value, root)
    else if (type === "function" || type === "partial") this.call(value, root, 0)
    else if (type === "apply") this.apply(value, root)
    else if (type === "lambda") this.lambda(value, root)
    else if (type === "regex") this.regex(value)
    else this.other(value, root)
  }

  private other(node: Node, root: boolean): void {
    const type = node.type
    if (type === "name" && root) this.roots.add(String(node.value))
    if ((type === "wildcard" || type === "descendant") && root) this.whole = true
    if (type === "parent" || type === "transform") this.whole = true
    this.inside(node, root)
  }

  private inside(node: Node, root: boolean): void {
    if (node.focus !== undefined) this.whole = true
    for (const part of parts) this.visit(node[part], root)
    for (const part of innerParts) this.visit(node[part], false)
  }

  private path(node: Node, root: boolean): void {
    const steps = isList(node.steps) ? node.steps : []
    const [first, second] = steps
    const absolute = isObject(first) && first.type === "variable" && isRecord(first.value, root)
    if (absolute && isBare(first) && isObject(second) && second.type === "name") {
      this.roots.add(String(second.value))
      this.visit(steps.slice(1), false)
    } else {
      this.visit(first, root)
      this.visit(steps.slice(1), false)
    }
    this.visit(node.group, false)
    this.visit(node.predicate, false)
  }

  private variable(node: Node, root: boolean): void {
    const name = String(node.value)
    if (isRecord(name, root)) this.whole = true
    if (Object.hasOwn(fromContext, name)) this.whole = true
    if (name === "toMillis") this.problem("not_repeatable", "$toMillis cannot be passed on; call it")
    this.named(name)
    this.inside(node, root)
  }

  private named(name: string): void {
    if (name === "now" || name === "millis") this.tellsTime = true
    const why = Object.hasOwn(forbidden, name) ? forbidden[name] : undefined
    if (why !== undefined) this.problem("forbidden_function", why)
  }

  /** `given`: arguments that `~>` passes in. */
  private call(node: Node, root: boolean, given: number): void {
    const procedure = node.procedure
    const args = isList(node.arguments) ? node.arguments : []
    for (const each of args) this.argument(each, root)
    this.inside(node, root)
    if (!isObject(procedure) || procedure.type !== "variable") this.visit(procedure, root)
    else this.builtin(String(procedure.value), args, root, given)
  }

  private builtin(name: string, args: ReadonlyArray<unknown>, root: boolean, given: number): void {
    this.named(name)
    const needed = Object.hasOwn(fromContext, name) ? fromContext[name] : undefined
    if (root && needed !== undefined && args.length + given < needed) this.whole = true
    if (name === "toMillis" && args.length + given > 1) this.picture(args.at(-1))
  }

  /** A function handed to another function gets its arguments there. */
  private argument(value: unknown, root: boolean): void {
    const bare = isObject(value) && value.type === "variable" && isBare(value)
    const name = bare ? String(value.value) : ""
    if (bare && Object.hasOwn(fromContext, name)) return
    this.visit(value, root)
  }

  private apply(node: Node, root: boolean): void {
    this.visit(node.lhs, root)
    const callee = node.rhs
    if (isObject(callee) && callee.type === "function") this.call(callee, root, 1)
    else this.argument(callee, root)
    for (const part of innerParts) this.visit(node[part], false)
  }

  /** A signature with `-` takes the context for an argument that is not given. */
  private lambda(node: Node, root: boolean): void {
    const signature = node.signature
    if (isObject(signature) && String(signature.definition).includes("-")) this.whole = true
    this.inside(node, root)
  }

  /** Without a year in the picture, `$toMillis` takes today's. */
  private picture(node: unknown): void {
    const text = isObject(node) && node.type === "string" ? String(node.value) : ""
    if (!/\[[YX]/.test(text)) this.problem("not_repeatable", "$toMillis needs a picture with a year, written out")
  }

  private regex(node: Node): void {
    const pattern = node.value
    if (!(pattern instanceof RegExp)) {
      this.problem("unsafe_pattern", "JSONata loses a regular expression to the left of ?: ; use ? : instead")
      return
    }
    const verdict = judgePattern(pattern)
    if (verdict._tag === "Refused") this.problem("unsafe_pattern", `/${pattern.source}/ ${verdict.message}`)
  }

  private problem(code: string, message: string): void {
    if (!this.problems.some((each) => each.code === code && each.message === message)) {
      this.problems.push({ code, message })
    }
  }
}

/** `$` where the context is the record, and `$$` everywhere. */
const isRecord = (name: unknown, root: boolean): boolean => name === "$" || (name === "" && root)

/** Without predicates, bindings or grouping. */
export const isBare = (node: Node): boolean =>
  Object.keys(node).every((key) => key === "type" || key === "value" || key === "position")
