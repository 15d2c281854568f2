/** What the pages show is true: every YAML passes `check`, every command exists, every link leads somewhere. */
import { copyFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { exists, files, pages, read } from "./files.ts"
import { sluice, temporaryFolder } from "./sluice.ts"

const blocks = (page: string, kind: string): ReadonlyArray<string> =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text)

const isTests = (block: string): boolean => /^tests:/m.test(block)

/** A block that is no whole file shows keys of a route. */
const asFile = (block: string): string => {
  if (/^pipelines:/m.test(block)) return block
  const route = /^map:/m.test(block) ? block : `${block}map: { ext_id: user_id }\n`
  const indented = route.replaceAll(/^(?=.)/gm, "        ")
  return `sources: { tenant: { use: auth0, domain: acme.eu.auth0.example.com, token: "\${TOKEN}" } }
sinks: { brevo: { use: brevo, api_key: "\${KEY}" } }
pipelines:
  users:
    from: tenant.users
    to:
      brevo.contacts:
${indented}`
}

const sampleOf = (name: string): string => {
  if (name.includes("LIST")) return "20"
  if (name.endsWith("DOMAIN")) return "acme.eu.auth0.example.com"
  if (name === "PERSONA_ACCOUNT_TYPE") return "acttp_example"
  if (name === "PERSONA_CASE_TEMPLATE") return "ctmpl_example"
  return name.endsWith("LOGIN_URL") ? "https://acme.my.salesforce.com" : "test-value"
}

const variables = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/\$\{([A-Z][A-Z0-9_]*)(?=})/g)].map(([, name = ""]) => [name, sampleOf(name)]))

describe("every YAML passes `sluice check`", () => {
  const folder = temporaryFolder()
  afterAll(folder.remove)
  // The guide's pipeline names the sink beside it.
  copyFileSync("examples/custom-sink/webhook.ts", join(folder.path, "webhook.ts"))
  const shown = pages.flatMap((page) =>
    blocks(page, "yaml").flatMap((block, index) => {
      if (isTests(block)) return []
      const file = join(folder.path, `${page.replaceAll("/", "-")}-${index + 1}.yaml`)
      writeFileSync(file, asFile(block))
      return [{ title: `${page}, block ${index + 1}`, file, text: asFile(block) }]
    }),
  )
  const stored = files
    .filter((path) => /^(configs|examples)\/.*\.ya?ml$/.test(path) && !/\.test\.ya?ml$/.test(path))
    .map((file) => ({ title: file, file, text: read(file) }))
  const all = [...shown, ...stored]

  const problems = new Map<string, ReadonlyArray<unknown>>()
  beforeAll(async () => {
    const env = Object.assign({}, ...all.map(({ text }) => variables(text)))
    const { out } = await sluice(["check", "--json", ...all.map(({ file }) => file)], env)
    const report: { files: ReadonlyArray<{ file: string; problems: ReadonlyArray<unknown> }> } = JSON.parse(out)
    for (const { file, problems: found } of report.files) problems.set(file, found)
  })

  it("there are some, in the README, the guides and the configs", () => {
    assert.isTrue(shown.some(({ title }) => title.startsWith("README.md")))
    assert.isNotEmpty(stored)
  })

  for (const { title, file } of all) {
    it(title, () => assert.deepStrictEqual(problems.get(file), []))
  }
})

describe("every mapping test passes", () => {
  const folder = temporaryFolder()
  afterAll(folder.remove)

  it("in configs/, where each pipeline file has tests for each of its routes", async () => {
    const configs = files.filter((path) => /^configs\/(?!.*\.test\.).*\.ya?ml$/.test(path))
    assert.isNotEmpty(configs)
    const { code, out } = await sluice(["test", ...configs])
    assert.strictEqual(code, 0, out)
    for (const path of configs) {
      const tests = read(path.replace(/\.yaml$/, ".test.yaml"))
      const routes = [...read(path).matchAll(/^ {6}([\w-]+\.[\w-]+):/gm)].map(([, route = ""]) => route)
      assert.isNotEmpty(routes)
      for (const route of routes) assert.include(tests, `${route}:`, path)
    }
  })

  it("in the guides: a block of tests is about the pipeline shown before it", async () => {
    const written = pages.flatMap((page) => {
      const shown = blocks(page, "yaml")
      return shown.flatMap((block, index) => {
        if (!isTests(block)) return []
        const name = join(folder.path, `${page.replaceAll("/", "-")}-${index}`)
        writeFileSync(`${name}.yaml`, shown.slice(0, index).findLast((each) => /^pipelines:/m.test(each)) ?? "")
        writeFileSync(`${name}.test.yaml`, block)
        return [`${name}.test.yaml`]
      })
    })
    assert.isNotEmpty(written)
    const { code, out } = await sluice(["test", ...written])
    assert.strictEqual(code, 0, out)
  })
})

describe("every command that is shown exists", () => {
  const lines = pages.flatMap((page) =>
    blocks(page, "sh").flatMap((block) =>
      block.split("\n").flatMap((line) => {
        const found = /^(?:npx -y pnpm@12 |pnpm )?sluice(?: (.*?))?(?:\s+[#>&|].*)?$/.exec(line)
        return found === null ? [] : [{ page, line, words: (found[1] ?? "").split(" ") }]
      }),
    ),
  )
  /** A test of the command line keeps this page equal to `--help`. */
  const help = read("docs/reference/commands.md").split(/^## /m)

  it("commands and flags", () => {
    assert.isNotEmpty(lines)
    for (const { page, line, words } of lines) {
      const own = help.find((part) => {
        const name = /^`sluice (.*)`/.exec(part)?.[1] ?? ""
        return name !== "" && `${words.join(" ")} `.startsWith(`${name} `)
      })
      assert.isDefined(own, `${page}: ${line}`)
      for (const flag of words.filter((word) => word.startsWith("--"))) {
        assert.include(own, `\`${flag.replace(/=.*/, "")}\``, `${page}: ${line}`)
      }
    }
  })

  it("files", () => {
    const named = lines.flatMap(({ page, words }) =>
      words.filter((word) => /^(configs|examples|docs)\//.test(word)).map((path) => ({ page, path })),
    )
    assert.deepStrictEqual(
      named.filter(({ path }) => !exists(path)),
      [],
    )
  })

  it("scripts of the workspace", () => {
    const { scripts }: { scripts: object } = JSON.parse(read("package.json"))
    const used = pages.flatMap((page) =>
      [...read(page).matchAll(/(?:npx -y )?pnpm(?:@12)? (?:-C \S+ )?([a-z-]+)/g)].map(([, name = ""]) => name),
    )
    assert.includeMembers([...Object.keys(scripts), "install", "run", "exec"], [...new Set(used)])
  })
})

describe("every link leads to a file", () => {
  for (const page of pages) {
    it(page, () => {
      const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to = ""]) => to)
      const broken = links.filter((to) => !/^https?:/.test(to) && !exists(join(dirname(page), to)))
      assert.deepStrictEqual(broken, [], basename(page))
    })
  }
})
