/** Hands a message to a command, on its standard input, or to a URL. Both are bounded in time, and neither can fail a run. */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schedule from "effect/Schedule"
import type { Variables } from "./environment.ts"
import { layer as httpLayer } from "./http.ts"

/** How long a command, or one attempt at a request, may take. */
export interface Bounds {
  readonly commandMillis: number
  readonly requestMillis: number
  /** Before the first repeat of a request; twice as long before the next. */
  readonly pauseMillis: number
}

const BOUNDS: Bounds = { commandMillis: 30_000, requestMillis: 10_000, pauseMillis: 1000 }
const REPEATS = 2
/** Of what a command says about its failure. */
const LONGEST_WORDS = 2000

/** What a program needs to run at all; what it is meant to know besides is named SLUICE_HOOK_…. */
const PASSED = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_\w+|SystemRoot|ComSpec|PATHEXT|SLUICE_HOOK_\w+)$/

const inherited = (env: Variables): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      PASSED.test(name) && value !== undefined ? [[name, value] as const] : [],
    ),
  )

const runCommand = (command: string, message: string, env: Variables, millis: number) =>
  Effect.callback<string | undefined>((resume) => {
    const child = spawn(command, {
      shell: true,
      detached: true,
      env: inherited(env),
      stdio: ["pipe", "ignore", "pipe"],
    })
    let words = ""
    // With everything it has started.
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch {
        child.kill("SIGKILL")
      }
    }
    const timer = setTimeout(() => {
      resume(Effect.succeed(`the command did not end within ${millis / 1000} seconds`))
      kill()
    }, millis)
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      words = `${words}${text}`.slice(0, LONGEST_WORDS)
    })
    child.stdin.on("error", () => {})
    child.stdin.end(message)
    child.on("error", () => resume(Effect.succeed("the command cannot be started")))
    child.on("close", (code) => {
      clearTimeout(timer)
      const said = words.trim() === "" ? "" : `: ${words.trim()}`
      resume(Effect.succeed(code === 0 ? undefined : `the command ended with ${code ?? "a signal"}${said}`))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      kill()
    })
  })

type Failed = HttpClientError.HttpClientError | { readonly _tag: "TimeoutError" }

const statusOf = (error: Failed): number | undefined =>
  error._tag === "HttpClientError" ? error.response?.status : undefined

const isPassing = (error: Failed): boolean => {
  const status = statusOf(error)
  return status === undefined || status === 429 || status >= 500
}

/** The address may hold a key: of it only the host is said. */
const post = (address: URL, message: string, env: Variables, bounds: Bounds) =>
  Effect.gen(function* () {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const request = HttpClientRequest.post(address).pipe(HttpClientRequest.bodyText(message, "application/json"))
    yield* Effect.provideService(client.execute(request), HttpClient.TracerDisabledWhen, () => true).pipe(
      Effect.timeout(bounds.requestMillis),
      Effect.retry({ schedule: Schedule.exponential(bounds.pauseMillis), times: REPEATS, while: isPassing }),
    )
    return undefined
  }).pipe(
    Effect.provide(httpLayer({ env })),
    Effect.catch((error) => {
      const status = error._tag === "EnvironmentRefused" ? undefined : statusOf(error)
      return Effect.succeed(`${address.host} ${status === undefined ? "cannot be reached" : `answered ${status}`}`)
    }),
  )

/** Answers what went wrong, if anything. */
export const notify = (
  target: string,
  message: string,
  env: Variables,
  bounds: Bounds = BOUNDS,
): Effect.Effect<string | undefined> => {
  if (!/^https?:\/\//i.test(target)) return runCommand(target, message, env, bounds.commandMillis)
  return URL.canParse(target)
    ? post(new URL(target), message, env, bounds)
    : Effect.succeed("the address is none: it begins with https:// and cannot be read")
}
