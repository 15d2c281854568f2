/** What a run is asked to do, and what it needs. */
import type * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Cipher } from "../../state/cipher.ts"
import type { Digest } from "../../state/digest.ts"
import type { RunLock } from "../../state/lock.ts"
import type { Meters } from "../connect.ts"
import type { Pipeline } from "../pipeline.ts"
import type { RunEvent } from "../report.ts"
import type { Halting } from "./halt.ts"

export interface RunOptions {
  /** Only these routes, by name; the position of the others stays. */
  readonly routes?: ReadonlyArray<string>
  /** Stop after so many records. A trial: the position stays. */
  readonly limit?: number
  /** Read what changed since this ISO time. The position stays. */
  readonly since?: string
  /** Forget the position: a complete scan. The ledger stays, so unchanged rows cost nothing. */
  readonly fullRefresh?: boolean
  /** Send rows although the ledger knows them unchanged. */
  readonly force?: boolean
  /** Look for deletions after an incremental run too. */
  readonly reconcile?: boolean
  /** Deletions to allow beyond the mass-change guard. */
  readonly allowDeletes?: number
  /** Completes when the run is asked to stop: it finishes what is in flight and ends resumable. */
  readonly stop?: Effect.Effect<void>
  /** How long batches in flight may take after a stop. 25 s: Kubernetes kills after 30. */
  readonly graceMillis?: number
  readonly onEvent?: (event: RunEvent) => Effect.Effect<void>
  /** Ask the source how many records will come, for the `Started` event: a call more. */
  readonly estimate?: boolean
  /** Of the program and what it runs on, for the report. */
  readonly versions?: { readonly [what: string]: string }
}

export type RunServices = SqlClient.SqlClient | RunLock | Digest | Cipher | HttpClient

/** A run whose pipeline is being opened. */
export interface Opening {
  readonly pipeline: Pipeline
  readonly options: RunOptions
  readonly runId: string
  readonly startMillis: number
  readonly fence: number
  readonly halt: Halting
  /** By connection name; filled while connections open, so that a run that fails here still reports its calls. */
  readonly meters: Meters
}
