/** Fills the tests column of docs/traps.md from the titles of the tests. Run it with `pnpm reference`. */
import { writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { files, read, root } from "./files.ts"

const vendors = ["auth0", "brevo", "salesforce", "persona"] as const
export type Vendor = (typeof vendors)[number]

const vendorOf = (text: string): Vendor | undefined => vendors.find((vendor) => text.toLowerCase().startsWith(vendor))

export interface TrapTest {
  readonly vendor: Vendor
  readonly number: number
  readonly file: string
  /** As in the source, what a template holds included. */
  readonly title: string
}

/** Every test whose title names a trap, under each trap it names: `brevo trap 1 and 2: …` under both. */
export const findTests = (): ReadonlyArray<TrapTest> =>
  files
    .filter((path) => path.endsWith(".test.ts"))
    .flatMap((file) =>
      [
        ...read(file).matchAll(
          /(["'`])(auth0|brevo|salesforce|persona) (traps? [^:"'`]*\d+[^:"'`]*: (?:\\.|(?!\1).)*)\1/g,
        ),
      ].flatMap(([, , vendor, text = ""]) => {
        const numbers = /^traps? (\d+(?:(?:, | and )\d+)*)/.exec(text)?.[1] ?? ""
        const title = `${vendor} ${text}`.replaceAll(/\\(["'`])/g, "$1")
        return [...numbers.matchAll(/\d+/g)].map(([number]) => ({
          vendor: vendorOf(vendor ?? "") ?? "auth0",
          number: Number(number),
          file,
          title,
        }))
      }),
    )

export interface Row {
  readonly vendor: Vendor
  readonly number: number
  readonly guard: string
  readonly tests: string
}

const cells = /^\| (\d+) \| (.*?) \| ((?:`packages|Later).*?) \| (.*?) ?\|$/

/** The rows of the page, in order. */
export const rowsOf = (page: string): ReadonlyArray<Row> => {
  let vendor: Vendor = "auth0"
  return page.split("\n").flatMap((line) => {
    if (line.startsWith("## ")) vendor = vendorOf(line.slice(3)) ?? vendor
    const [, number, , guard = "", tests = ""] = cells.exec(line) ?? []
    return number === undefined ? [] : [{ vendor, number: Number(number), guard, tests }]
  })
}

const escaped = (title: string): string => title.replaceAll("|", "\\|").replaceAll("<", "&lt;")

const testsCell = (tests: ReadonlyArray<TrapTest>): string =>
  [...Map.groupBy(tests, ({ file }) => file)]
    .map(([file, found]) => {
      const titles = found.map(({ title }) => escaped(title)).join("; ")
      return `[${file.split("/")[1]}/${basename(file)}](../${file}): ${titles}`
    })
    .join("<br>")

/** Where a guard keeps a rule of the engine, the tests of that rule: by file, for there are many. */
const ruleCell = (guard: string): string => {
  const [, rule] = /\((rule \d+)\)/.exec(guard) ?? []
  if (rule === undefined) return ""
  return files
    .filter((path) => path.endsWith(".test.ts") && new RegExp(`["'\`]${rule}[,:]`).test(read(path)))
    .map((file) => `[${file.split("/")[1]}/${basename(file)}](../${file}): ${rule}`)
    .join("<br>")
}

/** The page with the tests column as it should be. */
export const filled = (page: string, tests: ReadonlyArray<TrapTest>): string => {
  let vendor: Vendor = "auth0"
  return page
    .split("\n")
    .map((line) => {
      if (line.startsWith("## ")) vendor = vendorOf(line.slice(3)) ?? vendor
      const [, number, trap = "", guard = ""] = cells.exec(line) ?? []
      if (number === undefined) return line
      const mine = tests.filter((test) => test.vendor === vendor && test.number === Number(number))
      const cell = [testsCell(mine), ruleCell(guard)].filter((each) => each !== "").join("<br>")
      return `| ${number} | ${trap} | ${guard} | ${cell} |`
    })
    .join("\n")
}

if (import.meta.main) writeFileSync(join(root, "docs/traps.md"), filled(read("docs/traps.md"), findTests()))
