/** Help and wrong command lines: what a person reads first. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { displayWidth } from "effect/cli/CliOutput"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { withSubcommand } from "../src/commandLine.ts"
import { coloured, plain } from "../src/render/text.ts"
import { fitHelp, renderMisuse } from "../src/render/usage.ts"
import { type Bench, bench, config, root, sluice, start } from "./process.ts"

describe("help", () => {
  const help = ["FLAGS", `  ${coloured.cyan("--limit")} N    ${"word ".repeat(20).trim()}`, "EXAMPLES", "  # One"].join(
    "\n",
  )

  it("fits the terminal, below the column it started in", () => {
    const lines = fitHelp(help, 50).split("\n")
    assert.isTrue(lines.every((line) => displayWidth(line) <= 50))
    assert.match(lines[2] ?? "", /^ {15}word/)
  })

  it("sets every section apart", () => {
    assert.include(fitHelp(help, 200), "word\n\nEXAMPLES")
  })
})

describe("a wrong command line", () => {
  it("names what was likely meant, in one sentence that fits", () => {
    const errors = [
      { message: 'Unknown "rnu"\n\n  Did you mean this?\n    run\n    runs', suggestions: ["run", "runs"] },
    ]
    const text = renderMisuse(errors, "sluice", { width: 80, style: plain })
    assert.strictEqual(text, 'error Unknown "rnu"; did you mean `run` or `runs`?\nsee `sluice --help`')
  })

  it("runs, dead-letters and state do the obvious without a subcommand, and still have help", () => {
    assert.deepStrictEqual(withSubcommand(["runs"]), ["runs", "list"])
    assert.deepStrictEqual(withSubcommand(["state", "--json"]), ["state", "show", "--json"])
    assert.deepStrictEqual(withSubcommand(["dead-letters", "drop"]), ["dead-letters", "drop"])
    assert.deepStrictEqual(withSubcommand(["runs", "--help"]), ["runs", "--help"])
    assert.deepStrictEqual(withSubcommand(["run", "--json"]), ["run", "--json"])
    assert.deepStrictEqual(withSubcommand(["--no-color", "runs"]), ["--no-color", "runs", "list"])
    assert.deepStrictEqual(withSubcommand(["--no-color"]), ["--no-color"])
  })
})

describe("the command line as it is called", () => {
  let it1: Bench
  beforeAll(async () => {
    it1 = await bench()
  })
  afterAll(() => it1.close())

  it("`sluice runs --state FILE` lists runs", async () => {
    await sluice(["run", config, "--limit", "3", "--state", it1.state], it1.env)
    const { code, stdout } = await sluice(["runs", "--state", it1.state], it1.env)
    assert.strictEqual(code, 0)
    assert.include(stdout, "auth0-to-brevo.users")
  })

  it("refuses a route, a dead letter that is not there, instead of doing nothing and calling that done", async () => {
    const state = ["--state", it1.state]
    const route = await sluice(["run", config, "--route", "brevo.contact", ...state], it1.env)
    assert.strictEqual(route.code, 2)
    assert.include(route.stderr, "it has brevo.contacts")
    const retry = await sluice(["dead-letters", "retry", config, "--number", "99", ...state], it1.env)
    const drop = await sluice(["dead-letters", "drop", "--number", "99", ...state], it1.env)
    for (const { code, stderr } of [retry, drop]) {
      assert.strictEqual(code, 2)
      assert.include(stderr, "there is no dead letter 99")
    }
  })

  it("`pnpm sluice` means paths from the folder it was called in, and leaves --env-file to sluice", async () => {
    const scripts: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    assert.nestedPropertyVal(scripts, "scripts.sluice", "node -- packages/cli/src/workspace.ts")
    const workspace = join(root, "packages/cli/src/workspace.ts")
    const args = ["check", "auth0-to-brevo.yaml", "--env-file", "absent.env"]
    const env = { ...it1.env, INIT_CWD: join(root, "configs") }
    const { code, stderr } = await start([workspace, ...args], env, "--").done
    assert.strictEqual(code, 3, stderr)
    assert.include(stderr, join("configs", "absent.env"))
  })
})
