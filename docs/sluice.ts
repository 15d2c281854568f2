/** Runs the command line for the tests of this folder, as users run it: from source, in a process of its own. */
import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./files.ts"

const bin = join(root, "packages/cli/src/bin.ts")

/** No variable of the machine but the path: a developer's own credentials must not reach a test. */
const base = { PATH: process.env.PATH, COLUMNS: "100", CI: "true" }

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const sluice = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  cwd = root,
): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd, env: { ...base, ...env } }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resolve({ code, out, err })
    })
  })

export interface RunningSandbox {
  readonly origin: string
  readonly environment: Readonly<Record<string, string>>
  readonly stop: () => void
}

/** The sandbox on a free port. */
export const startSandbox = (users: number): Promise<RunningSandbox> =>
  new Promise((resolve, reject) => {
    const args = [bin, "sandbox", "--port", "0", "--users", String(users), "--json"]
    const child = spawn(process.execPath, args, { env: base, stdio: ["ignore", "pipe", "ignore"] })
    child.on("exit", (code) => reject(new Error(`the sandbox ended with ${code}`)))
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += chunk
      if (!text.endsWith("}\n")) return
      const { origin, environment } = JSON.parse(text)
      resolve({ origin, environment, stop: () => void child.kill() })
    })
  })

export const temporaryFolder = () => {
  const path = mkdtempSync(join(tmpdir(), "sluice-docs-"))
  return { path, remove: () => rmSync(path, { recursive: true }) }
}
