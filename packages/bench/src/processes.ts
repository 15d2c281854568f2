/** Processes that the bench starts and ends: the other side, and the command line. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"

export const root = join(import.meta.dirname, "../../..")
export const commandLine = join(root, "packages/cli/src/bin.ts")

export interface Served {
  readonly origin: string
  readonly close: () => Promise<void>
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once("exit", () => resolve())
  })

/** Runs a script that prints the origin it listens on, as JSON, and waits for that. */
export const serve = (script: string, args: ReadonlyArray<string> = []): Promise<Served> => {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ["pipe", "pipe", "ignore"] })
  const close = () => {
    child.kill()
    return ended(child)
  }
  return new Promise((resolve, reject) => {
    let printed = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text
      const origin = /"origin":\s*"([^"]+)"/.exec(printed)?.[1]
      if (origin !== undefined) resolve({ origin, close })
    })
    child.once("exit", () => reject(new Error(`${script} ended before it listened`)))
  })
}

/** A sandbox without limits. */
export const serveSandbox = (users: number): Promise<Served> =>
  serve(commandLine, ["sandbox", "--users", String(users), "--limits", "off", "--port", "0", "--json"])

export interface Started {
  readonly flags?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a script to its end, which has to be a good one, and gives what it printed. */
export const output = (script: string, args: ReadonlyArray<string>, options: Started = {}): Promise<string> => {
  const { flags = [], env = {} } = options
  const child = spawn(process.execPath, [...flags, script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  })
  return new Promise((resolve, reject) => {
    let printed = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text
    })
    child.once("close", (code) => {
      if (code === 0) resolve(printed)
      else reject(new Error(`${script} ${args.join(" ")} ended with ${code}: ${printed.slice(0, 2_000)}`))
    })
  })
}
