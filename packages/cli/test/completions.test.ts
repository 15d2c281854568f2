/** Completion as a shell asks for it: a real bash reads the script and is asked what comes next. */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { sluice } from "./process.ts"

const folder = mkdtempSync(join(tmpdir(), "sluice-completions-"))
const script = join(folder, "sluice.bash")

/** What bash hands to a completion function for the line so far, and what that answers. */
const ASK = `
. "$1"
COMP_LINE="$2" COMP_POINT=\${#2}
read -ra COMP_WORDS <<< "$2"
[[ "$2" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
read -ra registered <<< "$(complete -p sluice)"
"\${registered[2]}" sluice "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"
`

const completed = async (line: string): Promise<Array<string>> => {
  const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", ASK, "ask", script, line], { cwd: folder })
  return stdout.trim().split("\n")
}

beforeAll(async () => {
  const { code, stdout, stderr } = await sluice(["--completions", "bash"])
  assert.strictEqual(code, 0, stderr)
  writeFileSync(script, stdout)
  writeFileSync(join(folder, "users.yaml"), "")
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("completion in bash", () => {
  it("completes commands and their subcommands", async () => {
    assert.deepStrictEqual(await completed("sluice pre"), ["preview"])
    assert.includeMembers(await completed("sluice dead-letters "), ["list", "show", "retry", "drop"])
  })

  it("completes flags: a command's own, those of every command, and only forms that exist", async () => {
    assert.deepStrictEqual(await completed("sluice run users.yaml --ful"), ["--full-refresh"])
    assert.deepStrictEqual(await completed("sluice run users.yaml --deb"), ["--debug"])
    assert.deepStrictEqual(await completed("sluice --no"), ["--no-color"])
    assert.notInclude(await completed("sluice run --force --"), "--force")
  })

  it("completes files where a command takes one, and the values of a choice", async () => {
    assert.deepStrictEqual(await completed("sluice preview us"), ["users.yaml"])
    assert.deepStrictEqual(await completed("sluice run users.yaml --env-file us"), ["users.yaml"])
    assert.deepStrictEqual(await completed("sluice sandbox --limits re"), ["real"])
  })
})

describe("scripts for other shells", () => {
  it.each([
    ["zsh", "#compdef sluice"],
    ["fish", "complete -c sluice"],
    ["powershell", "Register-ArgumentCompleter"],
  ])("%s gets one of its own", async (shell, mark) => {
    const { code, stdout } = await sluice(["--completions", shell])
    assert.strictEqual(code, 0)
    assert.include(stdout, mark)
    assert.include(stdout, "full-refresh")
  })
})
