/** What the parts of one run share. */
import type { Effect } from "effect/Effect"
import type { Semaphore } from "effect/Semaphore"
import type { SqlError } from "effect/sql/SqlError"
import type { Reader, ScanRequest } from "../../plugin/source.ts"
import type { Checkpoints } from "../../state/checkpoints.ts"
import type { Cipher } from "../../state/cipher.ts"
import type { StateFailure } from "../../state/errors.ts"
import type { Pipeline } from "../pipeline.ts"
import type { RunEvent, Traffic } from "../report.ts"
import type { Frontier } from "./frontier.ts"
import type { Halting } from "./halt.ts"
import type { RouteState, RouteStore } from "./routeState.ts"

export interface Scan {
  readonly id: string
  /** JSON of routes, destination accounts and mappings. */
  readonly covers: string
  /** `--limit` and `--since` are trials: they leave the position alone. */
  readonly saves: boolean
  /** Keys are kept, to find deletions at the end. */
  readonly tracksKeys: boolean
  /** Why a saved position does not do; said when reading begins. */
  readonly lost: ReadonlyArray<string>
}

export interface RunContext {
  readonly pipeline: Pipeline
  readonly runId: string
  readonly startMillis: number
  readonly reader: Reader
  readonly request: ScanRequest
  readonly states: ReadonlyArray<RouteState>
  /** Of routes that the file no longer has, but that were sending when their last run ended. */
  readonly abandoned: ReadonlyArray<RouteStore & { readonly route: string }>
  readonly force: boolean
  readonly halt: Halting
  readonly frontier: Frontier
  readonly scan: Scan
  /** The source was read to its end: only then does it know whether something is missing. */
  scanned: boolean
  /** Records the source handed over. */
  read: number
  batches: number
  /** When the frontier was last committed. */
  committedMillis: number
  readonly checkpoints: Checkpoints
  /** Commits only while this run holds the fence. */
  readonly transact: <A, E extends { readonly message: string }>(body: Effect<A, E>) => Effect<A, StateFailure>
  /** One commit at a time, together with the counters in memory it stands for. */
  readonly committing: Semaphore
  readonly saveProgress: (counts: string) => Effect<unknown, SqlError>
  readonly sha256: (text: string) => string
  readonly cipher: Cipher["Service"]
  readonly notices: Array<string>
  readonly emit: (event: RunEvent) => Effect<void>
  readonly waitedMillis: () => number
  readonly traffic: () => Readonly<Record<string, Traffic>>
}
