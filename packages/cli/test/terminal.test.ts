/** Which streams get colours, a bar that is redrawn, or a question: by the terminal, the environment and the flags. */
import { assert, describe, it } from "vitest"
import { coloured, plain } from "../src/render/text.ts"
import { type Screen, terminalOf } from "../src/terminal.ts"
import { config, sluice } from "./process.ts"

const screen: Screen = { isTTY: true, columns: 120 }
const pipe: Screen = {}
const usual = { plain: false, debug: false }

describe("colours", () => {
  const xterm = { TERM: "xterm-256color" }
  const cases: ReadonlyArray<readonly [string, Screen, Readonly<Record<string, string>>, boolean, boolean]> = [
    ["a terminal", screen, xterm, false, true],
    ["a pipe", pipe, xterm, false, false],
    ["a terminal without TERM, as on Windows", screen, {}, false, true],
    ["TERM=dumb", screen, { TERM: "dumb" }, false, false],
    ["NO_COLOR=1 on a terminal", screen, { ...xterm, NO_COLOR: "1" }, false, false],
    ["any other NO_COLOR", screen, { ...xterm, NO_COLOR: "0" }, false, false],
    ["an empty NO_COLOR, which is none", screen, { ...xterm, NO_COLOR: "" }, false, true],
    ["--no-color on a terminal", screen, xterm, true, false],
    ["FORCE_COLOR=1 and a pipe", pipe, { FORCE_COLOR: "1" }, false, true],
    ["FORCE_COLOR=3 and a pipe", pipe, { FORCE_COLOR: "3" }, false, true],
    ["FORCE_COLOR=1 over TERM=dumb", screen, { TERM: "dumb", FORCE_COLOR: "1" }, false, true],
    ["an empty FORCE_COLOR, which is none", pipe, { FORCE_COLOR: "" }, false, false],
    ["FORCE_COLOR=0 on a terminal", screen, { ...xterm, FORCE_COLOR: "0" }, false, false],
    ["FORCE_COLOR=false on a terminal", screen, { ...xterm, FORCE_COLOR: "false" }, false, false],
    ["NO_COLOR over FORCE_COLOR", screen, { ...xterm, NO_COLOR: "1", FORCE_COLOR: "1" }, false, false],
    ["--no-color over FORCE_COLOR", pipe, { FORCE_COLOR: "1" }, true, false],
  ]
  for (const [name, stdout, env, isPlain, shows] of cases) {
    it(`${name}: ${shows ? "yes" : "no"}`, () => {
      const { outPage } = terminalOf({ stdin: pipe, stdout, stderr: pipe }, env, { plain: isPlain, debug: false })
      assert.strictEqual(outPage.style, shows ? coloured : plain)
    })
  }

  it("are decided for each of the two streams", () => {
    const { outPage, errPage } = terminalOf({ stdin: screen, stdout: pipe, stderr: screen }, xterm, usual)
    assert.deepStrictEqual([outPage.style, errPage.style], [plain, coloured])
  })

  it("of a process: FORCE_COLOR puts them into pipes, NO_COLOR and --no-color take them out, JSON has none", async () => {
    const marks = async (env: Readonly<Record<string, string>>, ...flags: ReadonlyArray<string>) => {
      const [check, run, help] = await Promise.all([
        sluice(["check", config, ...flags], env),
        sluice(["run", config, ...flags], env),
        sluice(["--help", ...flags], env),
      ])
      return [check.stdout, run.stderr, help.stdout].map((text) => text.includes("\u001b["))
    }
    assert.deepStrictEqual(await marks({}), [false, false, false])
    assert.deepStrictEqual(await marks({ FORCE_COLOR: "1" }), [true, true, true])
    assert.deepStrictEqual(await marks({ FORCE_COLOR: "1", NO_COLOR: "1" }), [false, false, false])
    assert.deepStrictEqual(await marks({ FORCE_COLOR: "1" }, "--no-color"), [false, false, false])
    const json = await sluice(["check", config, "--json"], { FORCE_COLOR: "1" })
    assert.notInclude(json.stdout, "\u001b")
  })
})

describe("the rest of a terminal", () => {
  const all = { stdin: screen, stdout: screen, stderr: screen }

  it("its width, else COLUMNS, else 100; never below 40 or above 200", () => {
    const width = (stdout: Screen, env: Readonly<Record<string, string>> = {}) =>
      terminalOf({ ...all, stdout }, env, usual).outPage.width
    assert.deepStrictEqual([width(screen), width(pipe), width(pipe, { COLUMNS: "132" })], [120, 100, 132])
    assert.deepStrictEqual([width({ isTTY: true, columns: 10 }), width({ isTTY: true, columns: 999 })], [40, 200])
    assert.deepStrictEqual([width(pipe, { COLUMNS: "wide" }), width({ isTTY: true, columns: 0 })], [100, 100])
  })

  it("a bar only where standard error shows it, nobody is away, and no call is shown", () => {
    assert.isTrue(terminalOf(all, {}, usual).live)
    assert.isTrue(terminalOf({ ...all, stdout: pipe }, { NO_COLOR: "1" }, usual).live)
    assert.isFalse(terminalOf({ ...all, stderr: pipe }, { FORCE_COLOR: "1" }, usual).live)
    for (const env of [{ CI: "true" }, { TERM: "dumb" }]) assert.isFalse(terminalOf(all, env, usual).live)
    assert.isFalse(terminalOf(all, {}, { plain: false, debug: true }).live)
  })

  it("a question only where somebody can read and answer it", () => {
    assert.isTrue(terminalOf(all, {}, usual).asks)
    assert.isFalse(terminalOf({ ...all, stdin: pipe }, {}, usual).asks)
    assert.isFalse(terminalOf({ ...all, stdout: pipe }, {}, usual).asks)
    assert.isFalse(terminalOf(all, { CI: "1" }, usual).asks)
  })
})
