/** What a run did. `run --json` prints these values; the text report is rendered from them. */
import type { Wait } from "../http/watch.ts"
import type { Completeness } from "../plugin/source.ts"

/** Rule 2: `read = delivered + unchanged + filtered + superseded + rejected + in_doubt + pending`. */
export interface RouteCounts {
  read: number
  /** created + updated + deleted + accepted. */
  delivered: number
  created: number
  updated: number
  deleted: number
  accepted: number
  unchanged: number
  filtered: number
  superseded: number
  rejected: number
  in_doubt: number
  /** Not settled when the run stopped; 0 unless it failed or was interrupted. */
  pending: number
}

export interface RecoveredCounts {
  delivered: number
  rejected: number
  in_doubt: number
}

export type RunStatus = "completed" | "failed" | "interrupted"

export interface RunReport {
  readonly ok: boolean
  readonly pipelines: ReadonlyArray<PipelineReport>
}

export interface PipelineReport {
  readonly pipeline: string
  /** Empty where the run could not begin. */
  readonly run_id: string
  /** Completed, and nothing rejected, in doubt or missing. */
  readonly ok: boolean
  readonly status: RunStatus
  readonly read: number
  readonly routes: { readonly [route: string]: RouteCounts }
  /** Requests by connection, every attempt counted. */
  readonly calls: { readonly [connection: string]: number }
  readonly waited_ms: number
  /** What was settled of an earlier run before reading. Outside the identity. */
  readonly recovered: { readonly [route: string]: RecoveredCounts }
  readonly duration_ms: number
  /** Null where the source was not read to its end, or does not say. */
  readonly completeness: Completeness | null
  /** Fields left out of delivered rows, deletion candidates kept and records that `where` now excludes. */
  readonly dropped: { readonly [route: string]: number }
  readonly kept: { readonly [route: string]: { readonly absent: number; readonly left: number } }
  /** A new account, a changed mapping, a guard that held. */
  readonly notices: ReadonlyArray<string>
  /** Why it did not complete, and what to do. */
  readonly error: { readonly code: string; readonly message: string; readonly route?: string } | null
  readonly resumable: boolean
  /** What ran: the versions the caller gave, and of each plugin by its `use`. Reports of before it was kept have none. */
  readonly versions?: { readonly [what: string]: string }
}

/** What a connection has cost so far. */
export interface Traffic {
  /** Requests, every attempt counted. */
  readonly calls: number
  /** Answers of 429. */
  readonly throttled: number
  /** Spent waiting for its rate limit. */
  readonly waited_ms: number
}

/** What a terminal shows, and a meter counts, while a run goes on. */
export type RunEvent =
  | {
      readonly _tag: "Started"
      readonly pipeline: string
      readonly run_id: string
      readonly source: string
      readonly expected: number | undefined
    }
  | {
      readonly _tag: "Progress"
      readonly pipeline: string
      readonly read: number
      readonly routes: { readonly [route: string]: Readonly<RouteCounts> }
      readonly waited_ms: number
      readonly connections: { readonly [connection: string]: Traffic }
    }
  /** A call to a vendor waits for so long, a second or more. */
  | ({ readonly _tag: "Waiting"; readonly pipeline: string } & Wait)
  /** Rows went to the vendor as one job, which it works on by itself; `over`: every one of them has an outcome. */
  | {
      readonly _tag: "Job"
      readonly pipeline: string
      readonly route: string
      readonly rows: number
      readonly step: "submitted" | "over"
    }
  | { readonly _tag: "Notice"; readonly pipeline: string; readonly message: string }
  | {
      readonly _tag: "Finished"
      readonly report: PipelineReport
      readonly connections: { readonly [connection: string]: Traffic }
    }
