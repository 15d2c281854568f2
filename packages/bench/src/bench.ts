/** What the parts of the bench share: the other side's address, a folder for states, and how much to do. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { tuneCollector } from "@sluice/cli/node"
import { type SluiceRun, sluice } from "./engine.ts"
import { root, serve } from "./processes.ts"

/** `quick` shows that the bench works; its numbers are those of a cold process. */
export type Size = "full" | "quick"

export interface Bench {
  readonly origin: string
  readonly size: Size
  /** A state file that is not there yet. */
  readonly newState: () => string
  /** A run of Sluice against the other side. */
  readonly sluice: (options: Omit<SluiceRun, "origin">) => Promise<unknown>
}

export const counterpart = join(root, "packages/bench/src/counterpart/server.ts")

/** Everything that is measured runs with the garbage collector as the command line sets it. */
export const withBench = async <A>(size: Size, use: (bench: Bench) => Promise<A>): Promise<A> => {
  tuneCollector()
  const { close, origin } = await serve(counterpart)
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"))
  let states = 0
  const bench: Bench = {
    origin,
    size,
    newState: () => {
      states += 1
      return join(folder, `state-${states}.db`)
    },
    sluice: (options) => sluice({ ...options, origin }),
  }
  try {
    return await use(bench)
  } finally {
    await close()
    rmSync(folder, { recursive: true, force: true })
  }
}
