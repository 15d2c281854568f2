/** Writes what was measured into docs/benchmarks.md; what stands around the marks is written by hand. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./processes.ts"

const page = join(root, "docs/benchmarks.md")

export type Part = "table" | "million"

export const writePart = (part: Part, text: string): void => {
  const [begin, end] = [`<!-- ${part} -->`, `<!-- /${part} -->`]
  const before = readFileSync(page, "utf8")
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for the ${part}`)
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`)
}
