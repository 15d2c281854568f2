/** What `use:` may name, and that a plugin shares our copy of effect. In processes of their own, as users run them. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const script = path.join(import.meta.dirname, "node", "loadPlugin.ts")

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sluice-plugins-")))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

interface Answer {
  readonly loaded?: string
  readonly read?: string
  readonly version?: string
  readonly refused?: string
  readonly suggestion?: string
}

const load = (folder: string, ...uses: ReadonlyArray<string>) =>
  Effect.promise(async (): Promise<ReadonlyArray<Answer>> => {
    const file = path.join(folder, "sluice.yaml")
    const { stdout } = await promisify(execFile)(process.execPath, [script, file, ...uses])
    return JSON.parse(stdout)
  })

const write = (folder: string, files: Record<string, string>): void => {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
}

const sink = `
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SinkError, Unauthorized } from "@sluice/core"

interface Config { readonly api_key: Redacted.Redacted }

export const sink = {
  name: "mine",
  config: Schema.Struct({ api_key: Schema.Redacted(Schema.String) }),
  objects: {},
  open: (config: Config) =>
    Effect.fail(new SinkError({ reason: new Unauthorized({ message: Redacted.value(config.api_key) }) })),
}
`

/** Looks like effect from the plugin's folder, and can read no secret of ours. */
const foreignEffect = {
  "node_modules/effect/package.json": `{ "name": "effect", "version": "4.1.0", "type": "module", "exports": { "./*": "./foreign.js" } }`,
  "node_modules/effect/foreign.js": `
const foreign = () => { throw new Error("a second copy of effect") }
export const value = foreign, fail = foreign, Struct = foreign, Redacted = foreign, String = foreign`,
}

describe("plugins", () => {
  it.live("a .ts sink in a folder without node_modules runs, and reads a secret of ours", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      write(folder, { "my-sink.ts": sink })
      const [mine] = yield* load(folder, "./my-sink.ts")
      assert.strictEqual(mine?.loaded, "mine")
      assert.include(mine?.read, "test-secret")
    }),
  )

  it.live("one copy of effect: a plugin that brings its own copy still gets ours", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const plugin = { "node_modules/sluice-sink-mine/package.json": `{ "type": "module", "exports": "./index.js" }` }
      const javascript = sink.replace(/^interface.*$/m, "").replace("(config: Config)", "(config)")
      write(folder, { "my-sink.ts": sink, ...foreignEffect, ...plugin })
      write(folder, { "node_modules/sluice-sink-mine/index.js": javascript })
      const answers = yield* load(folder, "./my-sink.ts", "sluice-sink-mine")
      for (const answer of answers) assert.include(answer.read, "test-secret")
      assert.strictEqual(answers.length, 2)
    }),
  )

  it.live("the version of a package is its own; a file is known by what it holds", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const javascript = sink.replace(/^interface.*$/m, "").replace("(config: Config)", "(config)")
      for (const [name, version] of [
        ["sluice-sink-mine", `"version": "3.4.5-beta.1", `],
        ["sluice-sink-other", ""],
      ])
        write(folder, {
          [`node_modules/${name}/package.json`]: `{ ${version}"type": "module", "exports": "./lib/index.js" }`,
          [`node_modules/${name}/lib/index.js`]: javascript,
        })
      write(folder, { "package.json": `{ "version": "9.9.9" }`, "a.ts": sink, "b.ts": `${sink}// another` })
      const found = yield* load(folder, "sluice-sink-mine", "sluice-sink-other", "./a.ts", "./b.ts")
      const [mine, other, a, b] = found.map(({ version }) => version)
      assert.deepStrictEqual([mine, other], ["3.4.5-beta.1", undefined])
      assert.match(`${a} ${b}`, /^sha256:[0-9a-f]{12} sha256:[0-9a-f]{12}$/)
      assert.notStrictEqual(a, b)
    }),
  )

  it.live("S19: only short names, package names and paths inside the workspace are imported", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const folder = path.join(parent, "project")
      const trap = `import * as fs from "node:fs"; fs.writeFileSync(${JSON.stringify(path.join(parent, "ran"))}, "")`
      write(parent, { "outside.ts": trap, "project-2/near.ts": trap })
      write(folder, { "sluice.yaml": "", "data.json": "{}", "nothing.ts": "export const other = 1" })
      fs.symlinkSync("../outside.ts", path.join(folder, "link.ts"))
      const outside = path.join(parent, "outside.ts")
      const uses = [
        ...["../outside.ts", "./link.ts", "./../outside.ts", "../project-2/near.ts", outside, `file://${outside}`],
        ...[
          "node:child_process",
          "fs",
          "data:text/javascript,0",
          "http://example.com/x.ts",
          "https://example.com/x.ts",
        ],
        ...[
          "Auth0",
          "AUTH0",
          "",
          ".",
          "..",
          "./",
          "./missing.ts",
          "./data.json",
          "a/b",
          "@a/b/c",
          "sluice-plugin:?name=fs",
        ],
        ...["../outside.ts?x", "no-such-package", "constructor", "__proto__", "./nothing.ts"],
      ]
      const answers = yield* load(folder, ...uses)
      for (const [index, use] of uses.entries()) assert.isString(answers[index]?.refused, `${use} was taken`)
      assert.isFalse(fs.existsSync(path.join(parent, "ran")), "a refused file was run")
      assert.strictEqual(answers[uses.indexOf("Auth0")]?.suggestion, "auth0")
      assert.include(answers[uses.indexOf("../outside.ts")]?.refused, "outside the folder")
      assert.include(answers[uses.indexOf("no-such-package")]?.refused, "not installed")
      assert.include(answers[uses.indexOf("./nothing.ts")]?.refused, "exports neither")
    }),
  )

  it.live("S19: a file elsewhere in the same workspace may be used", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      write(root, { "pnpm-workspace.yaml": "", "sinks/mine.ts": sink, "configs/sluice.yaml": "" })
      const [mine] = yield* load(path.join(root, "configs"), "../sinks/mine.ts")
      assert.strictEqual(mine?.loaded, "mine")
    }),
  )

  it.live("a plugin that does not load is named with the reason, in one line", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      write(folder, { "broken.ts": "export const sink = ;", "throws.ts": "throw new Error('first\\nsecond')" })
      const [broken, throws] = yield* load(folder, "./broken.ts", "./throws.ts")
      assert.include(broken?.refused, "./broken.ts")
      assert.include(broken?.refused, "SyntaxError")
      assert.include(throws?.refused, "first")
      assert.notInclude(throws?.refused, "second")
    }),
  )
})
