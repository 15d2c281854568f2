/** Variables without a value: a finding for each place that names one, shown as one block. */
import type { Trouble } from "./problems.ts"
import { clean, hang, type Page, padEnd, plural } from "./text.ts"

const WITHOUT_VALUE: ReadonlyMap<string, (count: number) => string> = new Map([
  ["variable.missing", (count) => `${plural(count, "variable")} ${count === 1 ? "is" : "are"} not set`],
  [
    "variable.placeholder",
    (count) =>
      `${plural(count, "variable")} still ${count === 1 ? "has" : "have"} a value that only stands for the real one`,
  ],
])

export const isWithoutValue = (code: string): boolean => WITHOUT_VALUE.has(code)

export const whereToSet = (what: "it" | "them"): string =>
  `set ${what} in the shell, in \`.env\` beside the file, or with --env-file; \`sluice sandbox\` prints a set to try with`

const fileOf = ({ place }: Trouble): string => place.replace(/:\d+:\d+$/, "")

const lineOf = ({ place }: Trouble): string => /:(\d+):\d+$/.exec(place)?.[1] ?? ""

/** What is shown together: findings of one kind about one file, at the place of the first; every other alone. */
export const gather = (troubles: ReadonlyArray<Trouble>): ReadonlyArray<ReadonlyArray<Trouble>> => [
  ...Map.groupBy(troubles, (trouble) =>
    isWithoutValue(trouble.code) ? JSON.stringify([trouble.code, fileOf(trouble)]) : trouble,
  ).values(),
]

const nameOf = ({ variable = "" }: Trouble): string => variable

export const countVariables = (together: ReadonlyArray<Trouble>): number => new Set(together.map(nameOf)).size

/** How many there are, then each once with all its lines. */
export const variableLines = (together: ReadonlyArray<Trouble>, { width }: Page): ReadonlyArray<string> => {
  const byName = Map.groupBy(together, nameOf)
  const widest = Math.max(...[...byName.keys()].map((name) => name.length))
  const title = WITHOUT_VALUE.get(together[0]?.code ?? "")?.(byName.size) ?? ""
  return [
    hang("  ", `${title}:`, width),
    ...[...byName].map(([name, uses]) => {
      const lines = [...new Set(uses.map(lineOf))]
      const suggestion = uses.find((use) => use.suggestion !== undefined)?.suggestion
      const hint = suggestion === undefined ? "" : `; did you mean \`${clean(suggestion)}\`?`
      const where = `${lines.length === 1 ? "line" : "lines"} ${lines.join(", ")}`
      return hang(`    ${padEnd(clean(name), widest)}  `, where + hint, width)
    }),
  ]
}
