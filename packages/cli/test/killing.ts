/** Runs that are killed with SIGKILL at exact instants, counted in requests to the vendors or in commits, not in time. */
import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Delivery, Handler, Sandbox, SandboxOptions } from "@sluice/sandbox"
import { type Bench, bench, config, type Finished, start } from "./process.ts"

export type Instant =
  /**
   * The n-th request of this run: `arrives`, nothing takes effect; `lost`, it takes effect and the answer is lost;
   * `answered`, the process has the answer, for so many milliseconds.
   */
  | { readonly at: "arrives" | "lost" | "answered"; readonly request: number; readonly millis: number }
  | { readonly at: "before" | "after"; readonly commit: number }

export interface KillBench extends Bench {
  readonly file: string
  /** Runs the pipeline once. `code` is null where it was killed. */
  readonly attempt: (instant?: Instant) => Promise<Finished>
}

const preload = pathToFileURL(join(import.meta.dirname, "node/killAtCommit.ts")).href

const cut: Delivery = {
  answer: { status: 500, headers: {}, body: "" },
  delayMillis: 0,
  trickleMillis: 0,
  cutAfterBytes: 0,
}

/** Small pages, so that a few hundred users take many calls. */
export const killBench = async (options: Partial<SandboxOptions>): Promise<KillBench> => {
  let child: ChildProcess | undefined
  let instant: Instant | undefined
  let requests = 0

  const watched =
    (handler: Handler): Handler =>
    (request) => {
      requests += 1
      if (instant === undefined || "commit" in instant || instant.request !== requests) return handler(request)
      const { at, millis } = instant
      if (at === "answered") {
        setTimeout(() => child?.kill("SIGKILL"), millis)
        return handler(request)
      }
      if (at === "lost") handler(request)
      child?.kill("SIGKILL")
      return cut
    }
  const around = (sandbox: Sandbox): Sandbox => ({
    ...sandbox,
    auth0: watched(sandbox.auth0),
    brevo: watched(sandbox.brevo),
  })

  const it = await bench(options, around)
  const from = "from: tenant.users\n"
  const file = it.write("users.yaml", readFileSync(config, "utf8").replace(from, `${from}    with: { per_page: 10 }\n`))
  return {
    ...it,
    file,
    attempt: (next) => {
      const env: Record<string, string> =
        next !== undefined && "commit" in next
          ? { NODE_OPTIONS: `--import ${preload}`, SLUICE_TEST_COMMIT: `${next.commit} ${next.at}` }
          : {}
      requests = 0
      instant = next
      const running = start(["run", file, "--json", "--state", it.state], { ...it.env, ...env })
      child = running.child
      return running.done
    },
  }
}
