/** Rewrites what tests expect, in the text of their file: comments, order and everything else stay. */
import type { Expected, Got, RecordReport, TestFileReport, TestReport } from "@sluice/core"
import type { Json } from "effect/Schema"
import { type Document, isMap, isNode, isScalar, isSeq, type Node, parseDocument } from "yaml"

/** The text with what the failing tests were found to make. */
export const updateTests = (text: string, report: TestFileReport): string =>
  report.tests.reduce((written, test, index) => (test.ok ? written : withUpdate(written, index, test)), text)

const withUpdate = (text: string, index: number, test: TestReport): string => {
  const document = parseDocument(text)
  const before = print(document)
  updateTest(document, index, test)
  return splice(lines(text), lines(before), lines(print(document))).join("\n")
}

const print = (document: Document): string => document.toString({ lineWidth: 0 })
const lines = (text: string): ReadonlyArray<string> => text.split("\n")

/**
 * Printing a document changes how its author spaced it. So what is printed the same before and after is taken from
 * the text, where its lines stand one for one; else the whole file is printed anew.
 */
const splice = (text: ReadonlyArray<string>, before: ReadonlyArray<string>, after: ReadonlyArray<string>) => {
  if (text.length !== before.length) return after
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head += 1
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1
  return [...text.slice(0, head), ...after.slice(head, after.length - tail), ...text.slice(text.length - tail)]
}

const updateTest = (document: Document, index: number, { routes }: TestReport): void => {
  for (const { route, records } of routes) {
    const path = ["tests", index, "expect", route]
    const expected = records.map(expectation)
    const written = document.getIn(path)
    const [only] = expected
    const value = isSeq(written) || expected.length > 1 || only === undefined ? expected : only
    document.setIn(path, merged(document, isNode(written) ? written : undefined, value))
  }
}

/** What to expect from now on, in the form that the test has. */
const expectation = ({ ok, expected, got }: RecordReport): Json => {
  if (ok && expected !== null) return { ...expected }
  const key = expected?.key === undefined || !("key" in got) ? {} : { key: got.key }
  switch (got.outcome) {
    case "row":
      return { ...rowOf(expected, got), ...key }
    case "refused":
      return { refused: refusalOf(expected, got) }
    case "filtered":
    case "kept":
    case "deleted":
      return { [got.outcome]: true, ...key }
  }
}

/** A test of some fields stays one of these. */
const rowOf = (expected: Expected | null, { row }: Extract<Got, { outcome: "row" }>) => {
  if (expected?.has === undefined && expected?.absent === undefined) return { row }
  const named = [...Object.keys(expected.has ?? {}), ...(expected.absent ?? [])]
  const [there, absent] = [
    named.filter((name) => Object.hasOwn(row, name)),
    named.filter((name) => !Object.hasOwn(row, name)),
  ]
  const has = Object.fromEntries(there.map((name) => [name, row[name] ?? null]))
  return { ...(there.length > 0 ? { has } : {}), ...(absent.length > 0 ? { absent } : {}) }
}

/** The words of a message may change from version to version: they are kept only where the test asks for them. */
const refusalOf = (expected: Expected | null, got: Extract<Got, { outcome: "refused" }>): Json => {
  const asked = expected?.refused ?? { code: "", fields: [] }
  return {
    ...(asked.code === undefined ? {} : { code: got.code }),
    ...(asked.message === undefined ? {} : { message: got.message }),
    ...(asked.fields === undefined ? {} : { fields: [...got.fields] }),
  }
}

/** Nodes that hold the value already stay as they are written, with their comments. */
const merged = (document: Document, node: Node | undefined, value: Json): Node => {
  if (isMap(node) && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const wanted = new Map(Object.entries(value))
    for (const pair of [...node.items]) if (!wanted.has(String(pair.key))) node.delete(pair.key)
    for (const [key, item] of wanted) {
      const own = node.get(key, true)
      node.set(key, merged(document, isNode(own) ? own : undefined, item ?? null))
    }
    return node
  }
  if (isSeq(node) && Array.isArray(value) && node.items.length === value.length) {
    for (const [at, item] of value.entries()) {
      const own = node.items[at]
      node.items[at] = merged(document, isNode(own) ? own : undefined, item)
    }
    return node
  }
  if (isScalar(node) && node.value === value) return node
  const made = document.createNode(value)
  if (isNode(node)) Object.assign(made, { comment: node.comment, commentBefore: node.commentBefore })
  return made
}
