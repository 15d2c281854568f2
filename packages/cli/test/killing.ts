/** Runs that are killed with SIGKILL at exact instants, counted in requests to the vendors or in commits, not in time. */
import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type Delivery, type Handler, lists as initial, type Sandbox, type SandboxOptions } from "@sluice/sandbox"
import {
  type CommitHook,
  type CommitPlace,
  type RequestHook,
  type RequestPlace,
  requestHookOf,
  sourceReads,
} from "./killHooks.ts"
import { type LeftOpen, leftOpen } from "./killState.ts"
import { type Bench, bench, config, type Finished, start } from "./process.ts"

export type Instant = RequestInstant | CommitInstant
export type Lane = "memory" | "job"

/** Counted among requests or commits of its hook; among all where it has none. */
export interface RequestInstant {
  readonly at: RequestPlace
  readonly request: number
  /** How long after the answer. */
  readonly millis: number
  readonly hook?: RequestHook
}

export interface CommitInstant {
  readonly at: CommitPlace
  readonly commit: number
  readonly hook?: CommitHook
}

/** How one run went. `code` is null where it was killed. */
export interface Attempt extends Finished {
  /** What it began with. */
  readonly left: LeftOpen
  /** What was asked of the vendors, in order. */
  readonly requests: ReadonlyArray<RequestHook>
  /** Jobs of earlier runs that were still open when it first asked for users. */
  readonly openAtRead: number
  /** Rows that Brevo had taken already, in an import of the same job. */
  readonly importedTwice: number
}

export interface KillBench extends Bench {
  readonly file: string
  /** Runs the pipeline once. */
  readonly attempt: (instant?: Instant) => Promise<Attempt>
}

const preload = (name: string): string => `--import ${pathToFileURL(join(import.meta.dirname, "node", name)).href}`

const cut: Delivery = {
  answer: { status: 500, headers: {}, body: "" },
  delayMillis: 0,
  trickleMillis: 0,
  cutAfterBytes: 0,
}

const replaceOnce = (text: string, from: string, to: string): string => {
  if (text.split(from).length !== 2) throw new Error(`not once in the pipeline: ${from}`)
  return text.replace(from, to)
}

/** Small pages, so that a few hundred users take many calls. By jobs: Auth0's export, and Brevo's import where it can. */
const pipelineText = (lane: Lane, sync: "full" | "incremental"): string => {
  const from = "from: tenant.users\n"
  const lists = "          lists:\n"
  const read = lane === "job" ? ", read: export" : ""
  const text = replaceOnce(readFileSync(config, "utf8"), from, `${from}    with: { per_page: 10${read} }\n`)
  if (lane === "memory") return text
  const byImport = `          path: import\n          import_list: ${initial.imports}\n${lists}`
  return replaceOnce(replaceOnce(text, lists, byImport), "sync: incremental", `sync: ${sync}`)
}

function* firstHalf(chunks: Iterable<Uint8Array>, then: () => void): Generator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk.length < 100) yield chunk
    else {
      yield chunk.subarray(0, chunk.length / 2)
      then()
      throw new Error("cut")
    }
  }
}

/** Slow enough that the half is there. */
const halved = (delivery: Delivery, then: () => void): Delivery => {
  const { chunks } = delivery.answer
  if (chunks === undefined) throw new Error("only files have a midway")
  return { ...delivery, trickleMillis: 300, answer: { ...delivery.answer, chunks: firstHalf(chunks, then) } }
}

export interface KillOptions extends Partial<SandboxOptions> {
  readonly lane?: Lane
  readonly sync?: "full" | "incremental"
  /** A `postgres://` URL instead of a file; what is left open there is not looked at. */
  readonly state?: string | undefined
  /** Called before a request takes effect. */
  readonly meddle?: (hook: RequestHook, request: Parameters<Handler>[0], sandbox: Sandbox) => void
}

export const killBench = async ({ lane = "memory", sync = "incremental", state, meddle, ...options }: KillOptions) => {
  let child: ChildProcess | undefined
  let instant: Instant | undefined
  let seen: Array<RequestHook> = []
  let openAtRead = 0
  let importedTwice = 0
  const imported = new Set<string>()
  const isAtInstant = (hook: RequestHook): boolean => {
    if (instant === undefined || "commit" in instant) return false
    if (instant.hook === undefined) return seen.length === instant.request
    return hook === instant.hook && seen.filter((each) => each === hook).length === instant.request
  }

  const noteImport = (body: string): void => {
    const batch = leftOpen(it.state).jobs[0]?.batch
    const rows: ReadonlyArray<unknown> = JSON.parse(body).jsonBody
    for (const row of rows) {
      const text = JSON.stringify([batch, row])
      if (imported.has(text)) importedTwice += 1
      imported.add(text)
    }
  }

  const strike = (handle: () => Delivery, { at, millis }: RequestInstant): Delivery => {
    const kill = () => child?.kill("SIGKILL")
    if (at === "midway") return halved(handle(), kill)
    if (at === "answered") {
      setTimeout(kill, millis)
      return handle()
    }
    if (at === "lost") handle()
    kill()
    return cut
  }

  const watched =
    (vendor: "auth0" | "brevo", sandbox: Sandbox): Handler =>
    (request) => {
      const hook = requestHookOf(vendor, request, seen)
      const isFirstRead = vendor === "auth0" && hook !== "token" && !seen.some((each) => sourceReads.has(each))
      if (isFirstRead) openAtRead = leftOpen(it.state).jobs.length
      seen.push(hook)
      const handle = () => {
        if (hook === "submit") noteImport(request.body)
        meddle?.(hook, request, sandbox)
        return sandbox[vendor](request)
      }
      if (instant === undefined || "commit" in instant || !isAtInstant(hook)) return handle()
      return strike(handle, instant)
    }

  const made = await bench(options, (sandbox) => ({
    ...sandbox,
    auth0: watched("auth0", sandbox),
    brevo: watched("brevo", sandbox),
  }))
  const it: Bench = state === undefined ? made : { ...made, state }
  const file = it.write("users.yaml", pipelineText(lane, sync))

  const attempt = async (next?: Instant): Promise<Attempt> => {
    const atCommit = next !== undefined && "commit" in next
    const env = {
      NODE_OPTIONS: [
        preload("hurry.ts"),
        ...(atCommit ? [preload(state === undefined ? "killAtCommit.ts" : "killAtPostgresCommit.ts")] : []),
      ].join(" "),
      ...(atCommit ? { SLUICE_TEST_COMMIT: JSON.stringify(next) } : {}),
    }
    const left = leftOpen(it.state)
    seen = []
    openAtRead = 0
    importedTwice = 0
    instant = next
    const running = start(["run", file, "--json", "--state", it.state], { ...it.env, ...env })
    child = running.child
    const finished = await running.done
    return { ...finished, left, requests: seen, openAtRead, importedTwice }
  }
  const whole: KillBench = { ...it, file, attempt }
  return whole
}
