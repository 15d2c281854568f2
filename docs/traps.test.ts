/** docs/traps.md, the guards it names and the tests that name a trap agree. */
import { assert, describe, it } from "@effect/vitest"
import { exists, read } from "./files.ts"
import { filled, findTests, type Row, rowsOf, type Vendor } from "./traps.ts"

const page = read("docs/traps.md")
const rows = rowsOf(page)
const tests = findTests()
const known: { readonly [vendor in Vendor]: number } = { auth0: 30, brevo: 24, salesforce: 42, persona: 21 }
const nameOf = ({ vendor, number }: Pick<Row, "vendor" | "number">) => `${vendor} trap ${number}`

describe("docs/traps.md", () => {
  it("has every numbered trap once", () => {
    const all = Object.entries(known).flatMap(([vendor, count]) =>
      Array.from({ length: count }, (_, index) => `${vendor} trap ${index + 1}`),
    )
    assert.deepStrictEqual(rows.map(nameOf), all)
  })

  it("names guards that exist", () => {
    const guards = rows.flatMap(({ guard }) => [...guard.matchAll(/`(packages\/[^`]+)`/g)].map(([, path = ""]) => path))
    assert.isNotEmpty(guards)
    assert.deepStrictEqual(
      guards.filter((path) => !exists(path)),
      [],
    )
  })

  it("lists the tests there are: `pnpm reference` fills them in", () => {
    assert.isNotEmpty(tests)
    assert.strictEqual(page, filled(page, tests))
  })

  it("lists no trap that tests name and it does not have", () => {
    const names = new Set(rows.map(nameOf))
    assert.deepStrictEqual(
      tests.filter((test) => !names.has(nameOf(test))),
      [],
    )
  })

  it("has for every guarded trap a test outside the sandbox's own", () => {
    const untested = rows.filter(
      (row) =>
        !/^Later|\(as trap \d+\)$/.test(row.guard) &&
        !/: rule \d+/.test(row.tests) &&
        !tests.some((test) => nameOf(test) === nameOf(row) && !test.file.startsWith("packages/sandbox/")),
    )
    assert.deepStrictEqual(untested.map(nameOf), [])
  })
})
