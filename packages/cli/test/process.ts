/** Runs the command line as a process of its own, against a sandbox in this one. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { environment, makeSandbox, type Sandbox, type SandboxOptions, serve } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

export const root = join(import.meta.dirname, "../../..")
export const config = join(root, "configs/auth0-to-brevo.yaml")
/** Node keeps compiled code here: these tests start the command line often. */
const NODE_COMPILE_CACHE = join(root, "node_modules/.cache/compiled")
const bin = join(root, "packages/cli/src/bin.ts")

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly millis: number
}

export interface Running {
  readonly child: ChildProcess
  readonly done: Promise<Finished>
}

export const start = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  script = bin,
): Running => {
  const began = performance.now()
  const child = spawn(process.execPath, [script, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", NODE_COMPILE_CACHE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const done = new Promise<Finished>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr, millis: performance.now() - began }))
  })
  return { child, done }
}

export const sluice = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => start(args, env).done

/** Resolves when the process has printed what is looked for. */
export const printed = (running: Running, stream: "stdout" | "stderr", text: string): Promise<void> =>
  new Promise((resolve) => {
    let seen = ""
    running.child[stream]?.on("data", (part: string) => {
      seen += part
      if (seen.includes(text)) resolve()
    })
  })

export interface Bench {
  readonly sandbox: Sandbox
  /** The variables for the sandbox. */
  readonly env: Readonly<Record<string, string>>
  /** A new folder, and the state file in it. */
  readonly folder: string
  readonly state: string
  readonly write: (name: string, text: string) => string
  readonly close: () => Promise<void>
}

/**
 * Limits `high`: the sandbox's headers lift the pace that plugins keep by themselves, which is the vendors' real one.
 * `around` may watch what is asked of the vendors.
 */
export const bench = async (
  options: Partial<SandboxOptions> = {},
  around: (sandbox: Sandbox) => Sandbox = (sandbox) => sandbox,
): Promise<Bench> => {
  const scope = Effect.runSync(Scope.make())
  const sandbox = await Effect.runPromise(makeSandbox({ users: 30, seed: 7, limits: "high", ...options }))
  const { origin } = await Effect.runPromise(serve(around(sandbox), 0).pipe(Effect.provideService(Scope.Scope, scope)))
  const folder = mkdtempSync(join(tmpdir(), "sluice-cli-"))
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return {
    sandbox,
    env: environment(origin, options.account),
    folder,
    state: join(folder, "state.db"),
    write,
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
